#include "runtime/api/c_objects.hpp"

#include <array>

// Frames: recorded into the host's command buffers, submitted from the library's own, or run on host memory.

using namespace vkseg::capi;

namespace {

vkseg::ResourceUse use_of(const vkseg_sync& sync) {
    return {sync.stages, sync.access, sync.layout, sync.transfer_ownership != 0, sync.queue_family};
}

vkseg::HostResource resource_of(const vkseg_resource& resource, bool image, bool read, const char* name,
                                uint64_t alignment) {
    if (image && (resource.image == VK_NULL_HANDLE || (read && resource.view == VK_NULL_HANDLE)))
        throw bad_argument("desc->{} needs image{}", name, read ? " and view" : "");
    if (!image && resource.buffer == VK_NULL_HANDLE) throw bad_argument("desc->{} needs a buffer", name);
    if (!image && resource.offset % alignment != 0)
        throw bad_argument("the offset of desc->{} is {}, expected a multiple of {}", name, resource.offset, alignment);
    vkseg::HostResource result;
    if (image) {
        result.image = resource.image;
        result.view = resource.view;
    } else {
        result.buffer = resource.buffer;
        result.offset_bytes = resource.offset;
    }
    result.before = use_of(resource.before);
    result.after = use_of(resource.after);
    return result;
}

void record(vkseg_segmenter& segmenter, VkCommandBuffer commands, const vkseg_record_desc& desc,
            vkseg_progress* progress) {
    vkseg::Recorder& recorder = recorder_of(&segmenter);
    // A structure that cannot be filled is refused before anything is recorded.
    if (progress != nullptr) static_cast<void>(whole(progress, "progress"));
    if (desc.inside_render_pass != 0)
        throw refusal(VKSEG_ERROR_INSIDE_RENDER_PASS,
                      "compute cannot be recorded inside a render pass; end it first, or record before it begins");
    if (desc.slot >= segmenter.desc.frame_slots)
        throw bad_argument("desc->slot is {}, expected less than {}", desc.slot, segmenter.desc.frame_slots);
    const uint64_t alignment = std::max<uint64_t>(segmenter.context->facts().min_storage_buffer_offset_alignment, 4);
    const vkseg::HostResource picture =
        resource_of(desc.picture, segmenter.desc.picture_place == VKSEG_IMAGE, true, "picture", alignment);
    std::array<vkseg::HostResource, VKSEG_OUTPUT_COUNT + 1> outputs;  // colours may keep labels inside
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output) {
        const int index = segmenter.plan_output[output];
        if (index >= 0)
            outputs[static_cast<size_t>(index)] = resource_of(
                desc.output[output], segmenter.desc.output[output].place == VKSEG_IMAGE, false, "output", alignment);
    }
    vkseg::RecordRequest request;
    request.slot = desc.slot;
    request.inputs = {&picture, 1};
    request.outputs = std::span(outputs).first(segmenter.plan->outputs.size());
    request.max_steps = desc.max_steps;
    request.budget_us = desc.budget_us;
    request.restart = desc.restart != 0;
    const vkseg::RecordProgress done = recorder.record(commands, request);
    if (progress == nullptr) return;
    vkseg_progress result{};
    result.first_step = done.first_step;
    result.end_step = done.end_step;
    result.step_count = done.step_count;
    result.finished = done.finished ? VK_TRUE : VK_FALSE;
    result.estimated_us = static_cast<uint32_t>(std::min(done.estimated_us, 4e9));
    fill(progress, "progress", result);
}

void require_queue(const vkseg::Context& context) {
    if (context.queue() == VK_NULL_HANDLE)
        throw bad_argument("the context was made without a queue, which this function needs");
}

/// The slot's command buffer, which the host promises is not pending.
VkCommandBuffer own_commands(vkseg_segmenter& segmenter, uint32_t slot) {
    const vkseg::Context& context = *segmenter.context;
    const vkseg::vk::DeviceTable& table = context.table();
    if (!segmenter.pool) {
        VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        info.queueFamilyIndex = context.physical().queue_family;
        VkCommandPool pool = VK_NULL_HANDLE;
        vkseg::vk::check(table.CreateCommandPool(context.device(), &info, nullptr, &pool), "make a command pool");
        segmenter.pool = {context.device(), pool, table.DestroyCommandPool};
    }
    if (segmenter.commands.empty()) {
        std::vector<VkCommandBuffer> made(segmenter.desc.frame_slots);
        VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
        info.commandPool = segmenter.pool.get();
        info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        info.commandBufferCount = segmenter.desc.frame_slots;
        vkseg::vk::check(table.AllocateCommandBuffers(context.device(), &info, made.data()), "make command buffers");
        segmenter.commands = std::move(made);
    }
    return segmenter.commands[slot];
}

void send(const vkseg::Context& context, VkCommandBuffer commands, const vkseg_submit_desc& desc) {
    VkTimelineSemaphoreSubmitInfo timeline{VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    if (desc.wait_values != nullptr || desc.signal_values != nullptr) {
        timeline.waitSemaphoreValueCount = desc.wait_values == nullptr ? 0 : desc.wait_count;
        timeline.pWaitSemaphoreValues = desc.wait_values;
        timeline.signalSemaphoreValueCount = desc.signal_values == nullptr ? 0 : desc.signal_count;
        timeline.pSignalSemaphoreValues = desc.signal_values;
        info.pNext = &timeline;
    }
    info.waitSemaphoreCount = desc.wait_count;
    info.pWaitSemaphores = desc.wait_semaphores;
    info.pWaitDstStageMask = desc.wait_stages;
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    info.signalSemaphoreCount = desc.signal_count;
    info.pSignalSemaphores = desc.signal_semaphores;
    vkseg::vk::check(context.submit(info, desc.fence), "submit a frame");
}

void submit(vkseg_segmenter& segmenter, const vkseg_submit_desc& desc, vkseg_progress* progress) {
    vkseg::Recorder& recorder = recorder_of(&segmenter);
    const vkseg::Context& context = *segmenter.context;
    require_queue(context);
    const vkseg_record_desc frame = whole(desc.record, "desc->record");
    if (frame.slot >= segmenter.desc.frame_slots)
        throw bad_argument("desc->record->slot is {}, expected less than {}", frame.slot, segmenter.desc.frame_slots);
    if ((desc.wait_count > 0 && (desc.wait_semaphores == nullptr || desc.wait_stages == nullptr)) ||
        (desc.signal_count > 0 && desc.signal_semaphores == nullptr))
        throw bad_argument("desc has semaphores to wait for or to signal, but NULL for them or their stages");
    if (!recorder.prepared()) {
        bind_memory(recorder, {});
        recorder.prepare({});
    }
    // Before its command buffer is touched, which may still run.
    recorder.expect_free(frame.slot);
    const vkseg::vk::DeviceTable& table = context.table();
    const VkCommandBuffer commands = own_commands(segmenter, frame.slot);
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    vkseg::vk::check(table.BeginCommandBuffer(commands, &begin), "record a frame");
    const bool with_setup = !recorder.set_up();
    bool recorded = false;
    try {
        if (with_setup) recorder.record_setup(commands);
        record(segmenter, commands, frame, progress);
        recorded = true;
        vkseg::vk::check(table.EndCommandBuffer(commands), "record a frame");
        send(context, commands, desc);
    } catch (...) {
        // What was recorded will never run.
        if (recorded) recorder.abandon(frame.slot);
        if (with_setup) recorder.forget_setup();
        static_cast<void>(table.ResetCommandBuffer(commands, 0));
        throw;
    }
}

void run(vkseg_segmenter& segmenter, const vkseg_run_desc& desc) {
    if (segmenter.session == nullptr)
        throw bad_argument("this segmenter takes pictures in images or buffers; record or submit it");
    require_queue(*segmenter.context);
    if (desc.picture == nullptr) throw bad_argument("desc->picture must not be NULL");
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
        if ((segmenter.plan_output[output] >= 0) != (desc.output[output] != nullptr))
            throw bad_argument("desc->output[{}] is {}NULL, but that output was {}asked for", output,
                               desc.output[output] == nullptr ? "" : "not ",
                               segmenter.plan_output[output] >= 0 ? "" : "not ");
    vkseg::Session& session = *segmenter.session;
    session.set_plan(segmenter.plan, [&] { return segmenter.pack(); });
    std::memcpy(session.input(0).data(), desc.picture,
                segmenter.graph.desc(segmenter.graph.inputs[0]).host_size_bytes());
    session.run();
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output) {
        const int index = segmenter.plan_output[output];
        if (index < 0) continue;
        const auto bytes = session.output(static_cast<size_t>(index));
        std::memcpy(desc.output[output], bytes.data(), bytes.size());
    }
}

}  // namespace

vkseg_result vkseg_segmenter_record_setup(vkseg_segmenter* segmenter, VkCommandBuffer commands) {
    return guarded([&] { recorder_of(segmenter).record_setup(&required(commands, "commands")); });
}

vkseg_result vkseg_segmenter_finish_setup(vkseg_segmenter* segmenter) {
    return guarded([&] {
        if (!recorder_of(segmenter).set_up()) throw vkseg::NotReady("the set-up was not recorded yet");
        segmenter->recorder->finish_setup();
    });
}

vkseg_result vkseg_segmenter_record(vkseg_segmenter* segmenter, VkCommandBuffer commands, const vkseg_record_desc* desc,
                                    vkseg_progress* progress) {
    return guarded([&] {
        record(required(segmenter, "segmenter"), &required(commands, "commands"), whole(desc, "desc"), progress);
    });
}

vkseg_result vkseg_segmenter_submit(vkseg_segmenter* segmenter, const vkseg_submit_desc* desc,
                                    vkseg_progress* progress) {
    return guarded([&] { submit(required(segmenter, "segmenter"), whole(desc, "desc"), progress); });
}

vkseg_result vkseg_segmenter_run(vkseg_segmenter* segmenter, const vkseg_run_desc* desc) {
    return guarded([&] { run(required(segmenter, "segmenter"), whole(desc, "desc")); });
}
