#include "apps/simulator/live/segmentation.hpp"

#include "graph/ir/error.hpp"

#include <chrono>

namespace vkseg::sim {

namespace {

constexpr ImageUse copied_to{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                             VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL};
constexpr ImageUse copied_from{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};
constexpr ImageUse computed_from{VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT,
                                 VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
constexpr ImageUse unused{VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0, VK_IMAGE_LAYOUT_UNDEFINED};

vkseg_sync sync_of(const ImageUse& use) {
    return {use.stages, use.access, use.layout, VK_FALSE, 0};
}

double now_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

const char* to_string(SegmentMode mode) {
    switch (mode) {
        case SegmentMode::SameQueue:
            return "same-queue";
        case SegmentMode::Async:
            return "async";
        case SegmentMode::Sliced:
            return "sliced";
    }
    return "";
}

SegmentMode parse_mode(const std::string& text) {
    for (const SegmentMode mode : {SegmentMode::SameQueue, SegmentMode::Async, SegmentMode::Sliced})
        if (text == to_string(mode)) return mode;
    throw error("--mode is same-queue, async or sliced, found '{}'", text);
}

Segmentation::Segmentation(const Gpu& gpu, const Renderer& renderer, const std::vector<uint8_t>& baked,
                           const SegmentationOptions& options)
    : gpu_(gpu), renderer_(renderer), options_(options) {
    const VkExtent2D size = renderer.size();
    const bool async = options.mode == SegmentMode::Async;
    v1::ContextDesc device;
    device.get_instance_proc_addr = vkGetInstanceProcAddr;
    device.instance = gpu.instance();
    device.api_version = gpu.api_version();
    device.physical_device = gpu.physical();
    device.device = gpu.device();
    device.queue_family = gpu.queue_family();
    device.enabled_features = &gpu.features();
    device.enabled_extensions = gpu.extensions().data();
    device.enabled_extension_count = static_cast<uint32_t>(gpu.extensions().size());
    context_.emplace(device);
    const v1::Model model{v1::Span<const uint8_t>(baked)};
    describe(model);

    v1::SegmenterDesc wanted;
    wanted.picture_width = size.width;
    wanted.picture_height = size.height;
    wanted.picture_place = VKSEG_IMAGE;
    wanted.picture_format = Renderer::picture_format;
    wanted.network_width = options.network_width;
    wanted.network_height = options.network_height;
    wanted.outputs = 1u << VKSEG_COLOUR | 1u << VKSEG_LABELS;
    wanted.output[VKSEG_COLOUR].place = VKSEG_IMAGE;
    wanted.output[VKSEG_LABELS].place = VKSEG_BUFFER;
    wanted.frame_slots = renderer.slots();
    segmenter_.emplace(*context_, model, wanted);
    if (options.network_width != 0) network_size_ = {options.network_width, options.network_height};

    for (Image& mask : masks_)
        mask = Image(gpu, VK_FORMAT_R8G8B8A8_UNORM, size,
                     VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    labels_ = Buffer(gpu, segmenter_->info().output_size[VKSEG_LABELS], VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                     Buffer::Use::Download);
    if (async) {
        held_ =
            Image(gpu, Renderer::picture_format, size, VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
        VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        copied_ = make_owned(gpu, vkCreateSemaphore, vkDestroySemaphore, info, "make a semaphore");
    }
    submissions_.emplace(gpu, 1);
    set_up();
}

Segmentation::~Segmentation() {
    gpu_.wait_idle();
}

void Segmentation::describe(const v1::Model& model) {
    const v1::ModelInfo info = model.info();
    network_ = info.network;
    network_size_ = {info.default_width, info.default_height};
    for (uint32_t i = 0; i < info.class_count; ++i) {
        const uint32_t colour = model.class_colour(i);
        classes_.classes.push_back(
            {model.class_name(i),
             {static_cast<uint8_t>(colour), static_cast<uint8_t>(colour >> 8), static_cast<uint8_t>(colour >> 16)},
             static_cast<int>(i)});
    }
}

void Segmentation::set_up() {
    segmenter_->prepare();
    const VkCommandBuffer commands = submissions_->begin(0);
    segmenter_->record_setup(commands);
    const VkClearColorValue nothing{};
    const VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    for (const Image& mask : masks_) {
        image_barrier(commands, mask.get(), unused, copied_to);
        vkCmdClearColorImage(commands, mask.get(), copied_to.layout, &nothing, 1, &whole);
        image_barrier(commands, mask.get(), copied_to, drawn_from);
    }
    if (options_.mode == SegmentMode::Async) image_barrier(commands, held_.get(), unused, computed_from);
    submissions_->submit(0, gpu_.queue());
    submissions_->wait(0);
    segmenter_->finish_setup();
}

v1::RecordDesc Segmentation::record_desc(uint32_t slot) const {
    v1::RecordDesc desc;
    desc.slot = slot;
    desc.output[VKSEG_LABELS].buffer = labels_.get();
    desc.output[VKSEG_LABELS].before = desc.output[VKSEG_LABELS].after = {
        VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT, VK_IMAGE_LAYOUT_UNDEFINED, VK_FALSE, 0};
    desc.output[VKSEG_COLOUR].before = desc.output[VKSEG_COLOUR].after = sync_of(drawn_from);
    return desc;
}

SegmentationProgress Segmentation::record(VkCommandBuffer commands, uint32_t slot) {
    const Image& picture = renderer_.picture(slot);
    if (options_.mode != SegmentMode::Async) {
        v1::RecordDesc desc = record_desc(slot);
        desc.picture.image = picture.get();
        desc.picture.view = picture.view();
        desc.picture.before = sync_of(Renderer::after_record);
        desc.picture.after = sync_of(drawn_from);
        desc.output[VKSEG_COLOUR].image = masks_[front_].get();
        desc.budget_us = options_.mode == SegmentMode::Sliced ? options_.budget_us : 0;
        const v1::Progress progress = segmenter_->record(commands, desc);
        return {progress.finished == VK_TRUE, progress.first_step, progress.end_step, progress.step_count};
    }
    const bool was_running = running_;
    poll_async();
    SegmentationProgress progress;
    progress.finished = was_running && !running_;
    start_async_ = !running_;
    if (!start_async_) {
        image_barrier(commands, picture.get(), Renderer::after_record, drawn_from);
        return progress;
    }
    image_barrier(commands, picture.get(), Renderer::after_record, copied_from);
    image_barrier(commands, held_.get(), computed_from, copied_to);
    VkImageCopy copy{};
    copy.srcSubresource = copy.dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    copy.extent = {renderer_.size().width, renderer_.size().height, 1};
    vkCmdCopyImage(commands, picture.get(), copied_from.layout, held_.get(), copied_to.layout, 1, &copy);
    image_barrier(commands, held_.get(), copied_to, computed_from);
    image_barrier(commands, picture.get(), copied_from, drawn_from);
    return progress;
}

void Segmentation::submit_async() {
    if (!start_async_) return;
    start_async_ = false;
    const VkCommandBuffer commands = submissions_->begin(0);
    v1::RecordDesc desc = record_desc(0);
    // The semaphore stands between the copy and this; frames that drew from the back mask came before it.
    desc.picture.image = held_.get();
    desc.picture.view = held_.view();
    desc.picture.before = desc.picture.after = sync_of(computed_from);
    desc.output[VKSEG_COLOUR].image = masks_[1 - front_].get();
    segmenter_->record(commands, desc);
    const VkSemaphore semaphore = copied_.get();
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.waitSemaphoreCount = 1;
    info.pWaitSemaphores = &semaphore;
    info.pWaitDstStageMask = &stage;
    submissions_->submit(0, gpu_.second_queue(), &info);
    started_ms_ = now_ms();
    running_ = true;
}

void Segmentation::poll_async() {
    if (!running_ || !submissions_->is_through(0)) return;
    running_ = false;
    front_ = 1 - front_;
    async_ms_ = now_ms() - started_ms_;
}

void Segmentation::wait() const {
    submissions_->wait(0);
}

}  // namespace vkseg::sim
