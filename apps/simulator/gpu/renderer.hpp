#pragma once

#include "apps/simulator/gpu/resources.hpp"
#include "apps/simulator/scene/draw_list.hpp"
#include "apps/simulator/scene/meshes.hpp"

#include <array>

namespace vkseg::sim {

struct RendererOptions {
    VkExtent2D size{1024, 512};
    /// Samples of a pixel's colour; fewer where the device has no more. A label is that of the first sample.
    uint32_t samples = 4;
    /// Frames in flight.
    uint32_t slots = 2;
};

/// Draws a city: shadows, the scene with a class per pixel beside its light, and the picture a camera makes of it.
class Renderer {
public:
    Renderer(const Gpu& gpu, const RendererOptions& options);
    ~Renderer();

    /// How the picture and the labels are left by record().
    static constexpr ImageUse after_record{VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
                                           VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
                                           VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    static constexpr VkFormat picture_format = VK_FORMAT_R8G8B8A8_UNORM;

    /// The host promises that what it recorded last with the slot has run.
    void record(VkCommandBuffer commands, uint32_t slot, const Frame& frame);

    [[nodiscard]] VkExtent2D size() const { return options_.size; }
    [[nodiscard]] uint32_t slots() const { return options_.slots; }
    [[nodiscard]] uint32_t samples() const { return static_cast<uint32_t>(samples_); }
    [[nodiscard]] const Image& picture(uint32_t slot) const { return slots_[slot].picture; }
    /// R8_UINT: Cityscapes' label ids.
    [[nodiscard]] const Image& labels(uint32_t slot) const { return slots_[slot].labels; }

private:
    struct Slot {
        Buffer uniforms, instances;
        Image picture, labels;
        Owned<VkFramebuffer> framebuffer;
        VkDescriptorSet scene_set = VK_NULL_HANDLE, post_set = VK_NULL_HANDLE;
    };

    void choose_samples();
    void upload_meshes();
    void make_passes();
    void make_targets();
    void make_descriptors();
    void make_pipelines();
    void fill_slot(Slot& slot, const Frame& frame, const DrawList& list);
    void draw(VkCommandBuffer commands, const std::vector<Batch>& batches, bool with_materials) const;

    const Gpu& gpu_;
    RendererOptions options_;
    VkSampleCountFlagBits samples_ = VK_SAMPLE_COUNT_1_BIT;
    MeshLibrary meshes_;
    Buffer vertices_, indices_;
    Owned<VkRenderPass> shadow_pass_, scene_pass_, post_pass_;
    Image shadow_map_, light_, light_resolved_, scene_labels_, depth_;
    Owned<VkFramebuffer> shadow_framebuffer_, scene_framebuffer_;
    Owned<VkSampler> shadow_sampler_, sampler_, label_sampler_;
    Owned<VkDescriptorSetLayout> scene_layout_, post_layout_;
    Owned<VkDescriptorPool> pool_;
    Owned<VkPipelineLayout> scene_pipeline_layout_, post_pipeline_layout_;
    Owned<VkPipeline> shadow_pipeline_, sky_pipeline_, post_pipeline_;
    std::array<Owned<VkPipeline>, static_cast<size_t>(Material::Count)> materials_;
    std::vector<Slot> slots_;
};

}  // namespace vkseg::sim
