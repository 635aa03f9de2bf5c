#pragma once

#include "apps/simulator/live/composer.hpp"
#include "apps/simulator/live/hud.hpp"

#include <functional>
#include <memory>

namespace vkseg::sim {

struct StageOptions {
    RendererOptions renderer;
    VkExtent2D canvas{1600, 600};
    SegmentationOptions segmentation;
    /// Empty: pictures alone.
    std::vector<uint8_t> baked;
};

/// What a frame cost, once it is through.
struct FrameTimes {
    double scene_ms = 0, segmentation_ms = 0, compose_ms = 0;  ///< of the device; 0 where it has no timestamps
    [[nodiscard]] double device_ms() const { return scene_ms + segmentation_ms + compose_ms; }
};

/// One frame after another: scene, segmentation, canvas. For the window, and for files.
class Stage {
public:
    Stage(const Gpu& gpu, const StageOptions& options);
    ~Stage();

    struct Drawn {
        VkCommandBuffer commands = VK_NULL_HANDLE;
        uint32_t slot = 0;
        bool segmented = false;
        SegmentationProgress progress;
    };

    /// Waits for the slot and records everything up to the canvas. The caller may record more, and then submits.
    Drawn begin(const Frame& frame, bool segment, const ComposeState& state);
    /// `wait` and `signal` may be null.
    void submit(const Drawn& drawn, VkSemaphore wait, VkPipelineStageFlags wait_stage, VkSemaphore signal);
    void wait(const Drawn& drawn) const { submissions_.wait(drawn.slot); }
    /// Of the last frame that was waited for in this slot.
    [[nodiscard]] FrameTimes times(uint32_t slot) const;

    void resize_canvas(VkExtent2D canvas);
    void set_mode(SegmentMode mode);

    [[nodiscard]] Renderer& renderer() { return *renderer_; }
    [[nodiscard]] Composer& composer() { return *composer_; }
    /// Null where nothing segments.
    [[nodiscard]] Segmentation* segmentation() { return segmentation_.get(); }
    [[nodiscard]] const Gpu& gpu() const { return gpu_; }

private:
    const Gpu& gpu_;
    StageOptions options_;
    std::unique_ptr<Renderer> renderer_;
    std::unique_ptr<Segmentation> segmentation_;
    std::unique_ptr<Composer> composer_;
    Submissions submissions_;
    Owned<VkQueryPool> queries_;
    std::vector<bool> has_times_;
    uint64_t next_ = 0;
};

}  // namespace vkseg::sim
