#include "runtime/recorder.hpp"

#include "runtime/context.hpp"
#include "runtime/host_barriers.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

namespace vkseg {

namespace {

constexpr VkPipelineStageFlagBits compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                  transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr uint64_t kept_alignment_bytes = 256;

uint64_t align(uint64_t bytes) {
    return (bytes + kept_alignment_bytes - 1) / kept_alignment_bytes * kept_alignment_bytes;
}

/// Offsets of the kept outputs behind the weights; the last entry is the size of it all.
std::vector<uint64_t> place_kept(const Plan& plan, const std::vector<OutputTarget>& targets) {
    assert(targets.size() == plan.outputs.size());
    std::vector<uint64_t> offsets;
    uint64_t end = align(std::max<uint64_t>(plan.weights_bytes, 16));
    for (size_t i = 0; i < targets.size(); ++i) {
        offsets.push_back(end);
        if (targets[i] != OutputTarget::Buffer) end += align(plan.outputs[i].size_bytes);
    }
    offsets.push_back(end);
    return offsets;
}

VkBufferUsageFlags arena_usage(const Plan& plan) {
    VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (plan.uses_texel_view) usage |= VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT;
    return usage;
}

/// Before anything was measured: bytes and multiply-adds at rates that such devices reach. Timestamps soon replace it.
double guess_us(const Dispatch& dispatch, const DeviceFacts& facts) {
    const bool cpu = facts.type == DeviceType::Cpu;
    const double bytes_per_us = cpu ? 5e3 : 1e5, macs_per_us = cpu ? 2e4 : 1e6, overhead_us = cpu ? 20 : 4;
    return overhead_us + static_cast<double>(dispatch.bytes_read + dispatch.bytes_written) / bytes_per_us +
           static_cast<double>(dispatch.macs) / macs_per_us;
}

bool writes_for_host(const Dispatch& dispatch) {
    return std::ranges::any_of(dispatch.host, &HostBinding::writes);
}

}  // namespace

Recorder::Recorder(Context& context, std::shared_ptr<const Plan> plan, RecorderOptions options,
                   std::function<std::vector<uint8_t>()> pack)
    : context_(context),
      plan_(std::move(plan)),
      options_(std::move(options)),
      pack_(std::move(pack)),
      kept_offset_(place_kept(*plan_, options_.outputs)),
      persistent_(
          context, "weights and results", kept_offset_.back(),
          VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT),
      transient_(context, "activations", plan_->arena_bytes, arena_usage(*plan_)),
      sets_(context),
      tail_(plan_->steps.size()) {
    for (size_t step = 0; step < plan_->steps.size(); ++step) {
        double us = 0;
        bool divisible = true;
        for (const Dispatch& dispatch : plan_->steps[step].dispatches) {
            us += guess_us(dispatch, context.facts());
            divisible = divisible && dispatch.host.empty();
            if (writes_for_host(dispatch)) tail_ = std::min(tail_, step);
        }
        step_us_.push_back(us);
        divisible_.push_back(divisible);
    }
}

Recorder::~Recorder() = default;

bool Recorder::prepare(const std::function<bool(size_t, size_t)>& progress) {
    assert(persistent_.bound() && transient_.bound());
    if (prepared_) return true;
    if (!context_.pipelines().prepare(*plan_, progress)) return false;
    if (plan_->uses_texel_view) texels_ = make_texel_view(context_, transient_.range(), plan_->fp16);
    resolve_dispatches();
    make_slots();
    fill_staging();
    prepared_ = true;
    return true;
}

void Recorder::resolve_dispatches() {
    const DeviceFacts& facts = context_.facts();
    BufferRange weights = persistent_.range();
    weights.size_bytes = std::max<uint64_t>(plan_->weights_bytes, 16);
    const PlanMemory memory{transient_.range(), weights, texels_.get()};
    PipelineStore& store = context_.pipelines();
    sets_.clear();
    steps_.clear();
    for (const Step& step : plan_->steps) {
        std::vector<Ready>& ready = steps_.emplace_back();
        for (const Dispatch& dispatch : step.dispatches) {
            Ready& one = ready.emplace_back();
            one.dispatch = &dispatch;
            one.program = &store.request_program(dispatch.shader);
            one.pipeline = store.request_pipeline(dispatch.shader, dispatch.specialization);
            one.push = resolve_push(dispatch, memory);
            const auto& layouts = one.program->set_layouts;
            if (one.program->uses_set(0))
                one.internal_set =
                    sets_.request(layouts[0].get(), {*one.program, dispatch, memory, facts.max_storage_buffer_range});
            if (one.program->uses_set(1))
                for (uint32_t slot = 0; slot < options_.slots; ++slot)
                    one.host_sets.push_back(sets_.create(layouts[1].get()));
        }
    }
}

void Recorder::make_slots() {
    const vk::DeviceTable& table = context_.table();
    slots_.clear();
    slots_.resize(options_.slots);
    if (options_.checked)
        for (Slot& slot : slots_) {
            const VkEventCreateInfo info{VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
            VkEvent event = VK_NULL_HANDLE;
            vk::check(table.CreateEvent(context_.device(), &info, nullptr, &event), "make an event");
            slot.event = {context_.device(), event, table.DestroyEvent};
        }
    if (!context_.facts().timestamps) return;
    VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = options_.slots * static_cast<uint32_t>(steps_.size() + 1);
    VkQueryPool pool = VK_NULL_HANDLE;
    vk::check(table.CreateQueryPool(context_.device(), &info, nullptr, &pool), "make a query pool");
    queries_ = {context_.device(), pool, table.DestroyQueryPool};
}

void Recorder::fill_staging() {
    const std::vector<uint8_t> bytes = pack_();
    assert(bytes.size() == plan_->weights_bytes);
    staging_ = vk::Buffer(context_, "uploading weights", std::max<uint64_t>(bytes.size(), 16),
                          VK_BUFFER_USAGE_TRANSFER_SRC_BIT, vk::MemoryUse::Upload);
    std::ranges::copy(bytes, staging_.mapped().begin());
}

void Recorder::record_setup(VkCommandBuffer commands) {
    if (!prepared_) throw NotReady("the set-up was asked for before anything was prepared; prepare first");
    if (set_up_) throw NotReady("the set-up was recorded already; it is needed once");
    const vk::DeviceTable& table = context_.table();
    const VkBufferCopy region{0, persistent_.range().offset_bytes, staging_.size_bytes()};
    table.CmdCopyBuffer(commands, staging_.get(), persistent_.range().buffer, 1, &region);
    // Queries that were never reset must not be asked for.
    if (queries_)
        table.CmdResetQueryPool(commands, queries_.get(), 0, options_.slots * static_cast<uint32_t>(steps_.size() + 1));
    record_barrier(table, commands, transfer, VK_ACCESS_TRANSFER_WRITE_BIT, compute, shader_access);
    if (context_.facts().type == DeviceType::Cpu) {
        // CPU drivers compile when a pipeline runs first. What these dispatches compute is overwritten.
        std::vector<VkPipeline> seen;
        for (const auto& step : steps_)
            for (const Ready& ready : step) {
                if (!ready.host_sets.empty() || std::ranges::find(seen, ready.pipeline) != seen.end()) continue;
                seen.push_back(ready.pipeline);
                record_dispatch(context_, commands, *ready.dispatch, ready.pipeline, *ready.program,
                                {&ready.internal_set, 1}, ready.push, {{}, {1, 1, 1}});
                record_barrier(table, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, compute, shader_access);
            }
    }
    set_up_ = true;
}

BufferRange Recorder::kept(size_t output) const {
    const BufferRange& all = persistent_.range();
    return {all.buffer, all.offset_bytes + kept_offset_[output], plan_->outputs[output].size_bytes, 0};
}

HostPart Recorder::host_part(const Dispatch& dispatch, uint32_t binding, const RecordRequest& request) const {
    const auto host = std::ranges::find(dispatch.host, binding, &HostBinding::binding);
    assert(host != dispatch.host.end());
    const bool input = host->direction == HostBinding::Direction::Input;
    if (!input && is_kept(host->index)) {
        const BufferRange range = kept(host->index);
        return {{range.buffer, range.offset_bytes + host->offset_bytes, host->size_bytes}, {}};
    }
    const HostResource& resource = (input ? request.inputs : request.outputs)[host->index];
    if (host->sampled_image)
        return {{},
                {VK_NULL_HANDLE, resource.view, working_layout(resource, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL)}};
    return {{resource.buffer, resource.offset_bytes + host->offset_bytes, host->size_bytes}, {}};
}

void Recorder::read_timestamps(uint32_t index) {
    Slot& slot = slots_[index];
    if (slot.timed_from == slot.timed_to) return;
    const size_t count = slot.timed_to.step + (slot.timed_to.piece != 0 ? 1 : 0) - slot.timed_from.step;
    std::array<uint64_t, 65> ticks;
    // In pieces, so that a frame allocates nothing.
    for (size_t first = 0; first < count; first += ticks.size() - 1) {
        const size_t piece = std::min(count - first, ticks.size() - 1);
        const auto query = static_cast<uint32_t>(index * (steps_.size() + 1) + slot.timed_from.step + first);
        if (context_.table().GetQueryPoolResults(context_.device(), queries_.get(), query,
                                                 static_cast<uint32_t>(piece + 1), (piece + 1) * sizeof(uint64_t),
                                                 ticks.data(), sizeof(uint64_t), VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
            break;  // the host never submitted it
        for (size_t i = 0; i < piece; ++i) {
            const uint64_t passed = (ticks[i + 1] - ticks[i]) & context_.physical().timestamp_mask;
            const size_t step = slot.timed_from.step + first + i;
            const double us = static_cast<double>(passed) *
                              static_cast<double>(context_.physical().timestamp_period_ns) / 1e3 /
                              pieces(step, slot.timed_from, slot.timed_to).share();
            step_us_[step] += (us - step_us_[step]) / 2;
        }
    }
    slot.timed_from = slot.timed_to = {};
}

void Recorder::expect_free(uint32_t index) const {
    const Slot& slot = slots_[index];
    if (slot.event && slot.recorded &&
        context_.table().GetEventStatus(context_.device(), slot.event.get()) != VK_EVENT_SET)
        throw SlotInUse(
            fmt::format("frame slot {} is recorded again, but what was recorded with it last has not run to "
                        "its end; wait for that frame's fence, or use more slots",
                        index));
}

Recorder::Cursor Recorder::end_of_slice(const RecordRequest& request) const {
    Cursor end = next_;
    const double budget_us = request.budget_us > 0 ? request.budget_us : std::numeric_limits<double>::infinity();
    double left_us = budget_us;
    for (uint32_t units = 0; end.step < steps_.size(); ++units) {
        if (units > 0 && request.max_steps != 0 && units >= request.max_steps) break;
        const size_t unit_end = end.step < tail_ ? end.step + 1 : steps_.size();
        double whole_us = 0;
        for (size_t step = end.step; step < unit_end; ++step) whole_us += step_us_[step];
        const double unit_us = whole_us * Pieces{end.piece, pieces_of_step}.share();
        // Only what no slice could hold is divided: parts of a dispatch fill a GPU worse than the whole.
        if (unit_us > left_us && whole_us > budget_us && divisible_[end.step]) {
            const auto fit = static_cast<uint32_t>(left_us / whole_us * pieces_of_step);
            end.piece += std::max(fit, units == 0 ? 1u : 0u);
            if (end.piece == pieces_of_step) end = {end.step + 1, 0};
            break;
        }
        if (unit_us > left_us && units > 0) break;
        left_us = std::max(left_us - unit_us, 0.0);
        end = {unit_end, 0};
    }
    return end;
}

void Recorder::record_timestamp(VkCommandBuffer commands, uint32_t slot, size_t index) {
    if (!queries_) return;
    context_.table().CmdWriteTimestamp(commands, compute, queries_.get(),
                                       static_cast<uint32_t>(slot * (steps_.size() + 1) + index));
}

void Recorder::record_step(VkCommandBuffer commands, size_t step, Pieces pieces, const RecordRequest& request) {
    for (const Ready& ready : steps_[step]) {
        const GridPart part = part_of_grid(ready.dispatch->group_count, pieces.first, pieces.end, pieces_of_step);
        if (part.empty()) continue;
        std::array<VkDescriptorSet, 2> sets{ready.internal_set, VK_NULL_HANDLE};
        if (!ready.host_sets.empty()) {
            sets[1] = ready.host_sets[request.slot];
            const SetContents contents(*ready.program,
                                       [&](uint32_t binding) { return host_part(*ready.dispatch, binding, request); });
            contents.write(context_.table(), context_.device(), sets[1]);
        }
        record_dispatch(context_, commands, *ready.dispatch, ready.pipeline, *ready.program, sets, ready.push, part);
    }
}

RecordProgress Recorder::record(VkCommandBuffer commands, const RecordRequest& request) {
    if (!set_up_) throw NotReady("a frame was asked for before the set-up was recorded");
    assert(request.slot < options_.slots && request.inputs.size() == plan_->inputs.size() &&
           request.outputs.size() == plan_->outputs.size());
    expect_free(request.slot);
    if (const auto& event = slots_[request.slot].event)
        vk::check(context_.table().ResetEvent(context_.device(), event.get()), "reset an event");
    read_timestamps(request.slot);
    if (request.restart) next_ = {};

    RecordProgress progress;
    progress.first_step = static_cast<uint32_t>(next_.step);
    const Cursor end = end_of_slice(request);
    progress.end_step = static_cast<uint32_t>(end.step);
    progress.step_count = static_cast<uint32_t>(steps_.size());
    progress.finished = end.step == steps_.size();
    const size_t touched_end = end.step + (end.piece != 0 ? 1 : 0);
    for (size_t step = next_.step; step < touched_end; ++step)
        progress.estimated_us += step_us_[step] * pieces(step, next_, end).share();

    const vk::DeviceTable& table = context_.table();
    const uint32_t family = context_.physical().queue_family;
    const auto touched = [&](size_t output) {
        return progress.finished && options_.outputs[output] != OutputTarget::Internal;
    };
    const auto is_image = [&](size_t output) { return options_.outputs[output] == OutputTarget::Image; };
    const auto each_resource = [&](const auto& action) {
        for (const HostResource& resource : request.inputs) action(resource);
        for (size_t i = 0; i < request.outputs.size(); ++i)
            if (options_.outputs[i] != OutputTarget::Internal) action(request.outputs[i]);
    };
    const auto read_use = [&](const HostResource& resource) {
        return ResourceUse{compute, VK_ACCESS_SHADER_READ_BIT,
                           working_layout(resource, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL)};
    };
    const auto write_use = [&](size_t i) {
        if (!is_image(i)) return ResourceUse{compute, VK_ACCESS_SHADER_WRITE_BIT};
        return ResourceUse{transfer, VK_ACCESS_TRANSFER_WRITE_BIT,
                           working_layout(request.outputs[i], VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL)};
    };

    HostBarriers acquire(family), enter(family);
    each_resource([&](const HostResource& resource) { acquire.acquire(resource); });
    acquire.record(table, commands);
    // Whatever used the arena before, the last slice or a run, is over.
    enter.memory(compute | transfer, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, compute | transfer,
                 shader_access | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
    for (const HostResource& input : request.inputs) enter.enter(input, read_use(input));
    for (size_t i = 0; i < request.outputs.size(); ++i)
        if (touched(i)) enter.enter(request.outputs[i], write_use(i));
    enter.record(table, commands);

    if (queries_) {
        table.CmdResetQueryPool(commands, queries_.get(),
                                static_cast<uint32_t>(request.slot * (steps_.size() + 1) + next_.step),
                                static_cast<uint32_t>(touched_end - next_.step + 1));
        slots_[request.slot].timed_from = next_;
        slots_[request.slot].timed_to = end;
    }
    if (next_ == Cursor{} && plan_->clears_zero_texel) {
        table.CmdFillBuffer(commands, transient_.range().buffer, transient_.range().offset_bytes, zero_texel_bytes, 0);
        record_barrier(table, commands, transfer, VK_ACCESS_TRANSFER_WRITE_BIT, compute, shader_access);
    }
    record_timestamp(commands, request.slot, next_.step);
    for (size_t step = next_.step; step < touched_end; ++step) {
        if (step != next_.step)
            record_barrier(table, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, compute, shader_access);
        record_step(commands, step, pieces(step, next_, end), request);
        record_timestamp(commands, request.slot, step + 1);
    }
    if (progress.finished) copy_to_images(commands, request);

    HostBarriers leave(family), release(family);
    for (const HostResource& input : request.inputs) leave.leave(input, read_use(input));
    for (size_t i = 0; i < request.outputs.size(); ++i) {
        if (touched(i))
            leave.leave(request.outputs[i], write_use(i));
        else if (options_.outputs[i] != OutputTarget::Internal)
            leave.pass(request.outputs[i]);
    }
    leave.record(table, commands);
    each_resource([&](const HostResource& resource) { release.release(resource); });
    release.record(table, commands);
    Slot& slot = slots_[request.slot];
    if (slot.event) table.CmdSetEvent(commands, slot.event.get(), compute | transfer);
    slot.recorded = true;
    next_ = progress.finished ? Cursor{} : end;
    return progress;
}

void Recorder::abandon(uint32_t index) {
    Slot& slot = slots_[index];
    slot.recorded = false;
    slot.timed_from = slot.timed_to = {};
    next_ = {};
}

void Recorder::copy_to_images(VkCommandBuffer commands, const RecordRequest& request) {
    const vk::DeviceTable& table = context_.table();
    if (std::ranges::find(options_.outputs, OutputTarget::Image) == options_.outputs.end()) return;
    record_barrier(table, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, transfer, VK_ACCESS_TRANSFER_READ_BIT);
    for (size_t i = 0; i < request.outputs.size(); ++i) {
        if (options_.outputs[i] != OutputTarget::Image) continue;
        const TensorDesc& desc = plan_->outputs[i].desc;
        VkBufferImageCopy region{};
        region.bufferOffset = kept(i).offset_bytes;
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = {static_cast<uint32_t>(desc.width()), static_cast<uint32_t>(desc.height()), 1};
        table.CmdCopyBufferToImage(commands, kept(i).buffer, request.outputs[i].image,
                                   working_layout(request.outputs[i], VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL), 1,
                                   &region);
    }
}

}  // namespace vkseg
