#pragma once

#include "apps/simulator/gpu/resources.hpp"

namespace vkseg::sim {

inline constexpr VkFormat light_format = VK_FORMAT_R16G16B16A16_SFLOAT;
inline constexpr VkFormat label_format = VK_FORMAT_R8_UINT;
inline constexpr VkFormat depth_format = VK_FORMAT_D32_SFLOAT;
inline constexpr VkFormat shadow_format = VK_FORMAT_D16_UNORM;
inline constexpr uint32_t shadow_side_px = 1024;

[[nodiscard]] Owned<VkRenderPass> make_shadow_pass(const Gpu& gpu);
/// Light, labels and depth; with several samples, light is resolved into a fourth attachment.
[[nodiscard]] Owned<VkRenderPass> make_scene_pass(const Gpu& gpu, VkSampleCountFlagBits samples);
[[nodiscard]] Owned<VkRenderPass> make_post_pass(const Gpu& gpu, VkFormat picture_format);

/// One attachment, left to be copied from.
[[nodiscard]] Owned<VkRenderPass> make_canvas_pass(const Gpu& gpu, VkFormat format);

struct PipelineRequest {
    VkRenderPass pass = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    std::span<const uint32_t> vertex, fragment;  ///< without fragment, depth alone
    VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT;
    uint32_t colour_attachments = 0;
    bool meshes = true;        ///< vertices and instances; else a triangle over the picture
    bool places_only = false;  ///< of the attributes, position and rows
    bool depth_test = true;
    bool depth_write = true;
    bool reverse_depth = true;
    bool depth_bias = false;
    bool two_sided = false;
    bool blended = false;  ///< of the first attachment
    bool labels = true;    ///< written to the second
    int32_t material = 0;  ///< specialisation constant 0
};

[[nodiscard]] Owned<VkPipeline> make_pipeline(const Gpu& gpu, const PipelineRequest& request);

}  // namespace vkseg::sim
