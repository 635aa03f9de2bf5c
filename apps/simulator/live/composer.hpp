#pragma once

#include "apps/common/image.hpp"
#include "apps/simulator/live/segmentation.hpp"

namespace vkseg::sim {

enum class View : uint8_t { Both, Picture, Overlay, Mask, Truth };

struct ComposeState {
    View view = View::Both;
    bool panel = true;
    float opacity = 0.55f;
};

/// Puts picture, overlay and panel onto a canvas, for a window or a file.
class Composer {
public:
    Composer(const Gpu& gpu, const Renderer& renderer, VkExtent2D canvas);

    static constexpr VkFormat canvas_format = VK_FORMAT_R8G8B8A8_UNORM;
    static constexpr ImageUse canvas_after{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                                           VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};

    /// Pixels of the strip at the bottom.
    [[nodiscard]] uint32_t panel_height() const { return panel_height_; }
    [[nodiscard]] VkExtent2D size() const { return size_; }
    [[nodiscard]] VkImage canvas() const { return canvas_.get(); }

    /// New text: an RGB image of the canvas' width and the strip's height.
    void set_panel(const app::Image& panel);
    /// Picture and mask must be as Segmentation::drawn_from says; labels as Renderer::record left them. The canvas is
    /// left to be copied from.
    void record(VkCommandBuffer commands, uint32_t slot, const Image* mask, const ComposeState& state);

private:
    struct Slot {
        Buffer staging;
        VkDescriptorSet set = VK_NULL_HANDLE;
    };

    const Gpu& gpu_;
    const Renderer& renderer_;
    VkExtent2D size_;
    uint32_t panel_height_;
    Image canvas_, panel_, no_mask_;
    Owned<VkRenderPass> pass_;
    Owned<VkFramebuffer> framebuffer_;
    Owned<VkSampler> smooth_, exact_;
    Owned<VkDescriptorSetLayout> layout_;
    Owned<VkDescriptorPool> pool_;
    Owned<VkPipelineLayout> pipeline_layout_;
    Owned<VkPipeline> pipeline_;
    std::vector<Slot> slots_;
    app::Image new_panel_;
    bool fresh_ = true;
};

}  // namespace vkseg::sim
