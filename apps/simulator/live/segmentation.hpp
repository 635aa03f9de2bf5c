#pragma once

#include "apps/simulator/gpu/renderer.hpp"
#include "graph/ir/class_list.hpp"

#include <vkseg/vkseg.hpp>

#include <optional>

namespace vkseg::sim {

enum class SegmentMode : uint8_t {
    SameQueue,  ///< all of it in the command buffer of the frame that it segments
    Async,      ///< on a queue of its own, from a copy of the picture, while further frames are drawn
    Sliced,     ///< a slice in each frame, no longer than a budget
};

[[nodiscard]] const char* to_string(SegmentMode mode);
[[nodiscard]] SegmentMode parse_mode(const std::string& text);

struct SegmentationOptions {
    SegmentMode mode = SegmentMode::Sliced;
    uint32_t budget_us = 2000;
    /// What the network sees; 0: the model's default.
    uint32_t network_width = 0, network_height = 0;
};

struct SegmentationProgress {
    bool finished = false;
    uint32_t first_step = 0, end_step = 0, step_count = 0;
};

/// A network of libvkseg on this program's device: it reads the renderer's pictures where they are, and writes colours
/// by class into an image that this program draws from.
class Segmentation {
public:
    Segmentation(const Gpu& gpu, const Renderer& renderer, const std::vector<uint8_t>& baked,
                 const SegmentationOptions& options);
    ~Segmentation();

    /// How pictures and mask are left for the frame's own drawing.
    static constexpr ImageUse drawn_from{VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT,
                                         VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};

    /// Behind Renderer::record, in its command buffer: takes the picture from Renderer::after_record to drawn_from.
    SegmentationProgress record(VkCommandBuffer commands, uint32_t slot);
    /// Asynchronous: what the frame's submission must signal for the work that waits for its copy; null: nothing.
    [[nodiscard]] VkSemaphore signal() const { return start_async_ ? copied_.get() : VK_NULL_HANDLE; }
    /// Asynchronous: behind the submission of the frame.
    void submit_async();
    /// Until what runs beside the frames is through.
    void wait() const;

    /// Colours by class, transparent where nothing was segmented yet. The one to draw in this frame.
    [[nodiscard]] const Image& mask() const { return masks_[front_]; }
    /// Class indices of the last finished run; the host reads them when nothing runs.
    [[nodiscard]] const uint8_t* class_indices() const { return labels_.mapped(); }
    [[nodiscard]] const ClassList& classes() const { return classes_; }
    [[nodiscard]] const std::string& network() const { return network_; }
    [[nodiscard]] VkExtent2D network_size() const { return network_size_; }
    [[nodiscard]] SegmentMode mode() const { return options_.mode; }
    [[nodiscard]] uint32_t budget_us() const { return options_.budget_us; }
    void set_budget_us(uint32_t budget_us) { options_.budget_us = budget_us; }
    /// Whether Async has a queue beside the frames'.
    [[nodiscard]] bool has_own_queue() const { return gpu_.second_queue() != gpu_.queue(); }
    /// Of the last run that went beside the frames, from its submission to its end as a frame saw it.
    [[nodiscard]] double async_ms() const { return async_ms_; }

private:
    void describe(const v1::Model& model);
    void set_up();
    [[nodiscard]] v1::RecordDesc record_desc(uint32_t slot) const;
    void poll_async();

    const Gpu& gpu_;
    const Renderer& renderer_;
    SegmentationOptions options_;
    ClassList classes_;
    std::string network_;
    VkExtent2D network_size_{};
    Image masks_[2];
    Buffer labels_;
    uint32_t front_ = 0;
    std::optional<v1::Context> context_;
    std::optional<v1::Segmenter> segmenter_;
    // Asynchronous work.
    Image held_;
    Owned<VkSemaphore> copied_;
    std::optional<Submissions> submissions_;
    bool start_async_ = false, running_ = false;
    double started_ms_ = 0, async_ms_ = 0;
};

}  // namespace vkseg::sim
