#include "apps/simulator/live/stage.hpp"

namespace vkseg::sim {

namespace {

constexpr uint32_t marks = 4;  // begin, scene, segmentation, canvas

}  // namespace

Stage::Stage(const Gpu& gpu, const StageOptions& options)
    : gpu_(gpu),
      options_(options),
      renderer_(std::make_unique<Renderer>(gpu, options.renderer)),
      submissions_(gpu, options.renderer.slots),
      has_times_(options.renderer.slots, false) {
    if (!options.baked.empty())
        segmentation_ = std::make_unique<Segmentation>(gpu, *renderer_, options.baked, options.segmentation);
    composer_ = std::make_unique<Composer>(gpu, *renderer_, options.canvas);
    if (gpu.timestamp_mask() != 0) {
        VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
        info.queryType = VK_QUERY_TYPE_TIMESTAMP;
        info.queryCount = marks * options.renderer.slots;
        queries_ = make_owned(gpu, vkCreateQueryPool, vkDestroyQueryPool, info, "make a query pool");
    }
}

Stage::~Stage() {
    gpu_.wait_idle();
}

Stage::Drawn Stage::begin(const Frame& frame, bool segment, const ComposeState& state) {
    Drawn drawn;
    drawn.slot = static_cast<uint32_t>(next_++ % options_.renderer.slots);
    drawn.segmented = segment && segmentation_ != nullptr;
    drawn.commands = submissions_.begin(drawn.slot);
    const auto mark = [&](uint32_t which) {
        if (queries_)
            vkCmdWriteTimestamp(drawn.commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_.get(),
                                marks * drawn.slot + which);
    };
    if (queries_) vkCmdResetQueryPool(drawn.commands, queries_.get(), marks * drawn.slot, marks);
    mark(0);
    renderer_->record(drawn.commands, drawn.slot, frame);
    mark(1);
    if (drawn.segmented)
        drawn.progress = segmentation_->record(drawn.commands, drawn.slot);
    else
        image_barrier(drawn.commands, renderer_->picture(drawn.slot).get(), Renderer::after_record,
                      Segmentation::drawn_from);
    mark(2);
    composer_->record(drawn.commands, drawn.slot, segmentation_ != nullptr ? &segmentation_->mask() : nullptr, state);
    mark(3);
    return drawn;
}

void Stage::submit(const Drawn& drawn, VkSemaphore wait, VkPipelineStageFlags wait_stage, VkSemaphore signal) {
    VkSemaphore signals[2];
    uint32_t count = 0;
    if (signal != VK_NULL_HANDLE) signals[count++] = signal;
    if (drawn.segmented && segmentation_->signal() != VK_NULL_HANDLE) signals[count++] = segmentation_->signal();
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.waitSemaphoreCount = wait != VK_NULL_HANDLE ? 1 : 0;
    info.pWaitSemaphores = &wait;
    info.pWaitDstStageMask = &wait_stage;
    info.signalSemaphoreCount = count;
    info.pSignalSemaphores = signals;
    submissions_.submit(drawn.slot, gpu_.queue(), &info);
    has_times_[drawn.slot] = true;
    if (drawn.segmented) segmentation_->submit_async();
}

FrameTimes Stage::times(uint32_t slot) const {
    FrameTimes times;
    if (!queries_ || !has_times_[slot]) return times;
    uint64_t ticks[marks] = {};
    if (vkGetQueryPoolResults(gpu_.device(), queries_.get(), marks * slot, marks, sizeof ticks, ticks, sizeof ticks[0],
                              VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
        return times;
    const double tick_ms = static_cast<double>(gpu_.properties().limits.timestampPeriod) * 1e-6;
    const auto between = [&](int from) {
        return static_cast<double>((ticks[from + 1] - ticks[from]) & gpu_.timestamp_mask()) * tick_ms;
    };
    times.scene_ms = between(0);
    times.segmentation_ms = between(1);
    times.compose_ms = between(2);
    return times;
}

void Stage::resize_canvas(VkExtent2D canvas) {
    gpu_.wait_idle();
    composer_ = std::make_unique<Composer>(gpu_, *renderer_, canvas);
}

void Stage::set_mode(SegmentMode mode) {
    if (segmentation_ == nullptr || segmentation_->mode() == mode) return;
    gpu_.wait_idle();
    options_.segmentation.mode = mode;
    options_.segmentation.budget_us = segmentation_->budget_us();
    segmentation_ = std::make_unique<Segmentation>(gpu_, *renderer_, options_.baked, options_.segmentation);
}

}  // namespace vkseg::sim
