#include "runtime/session.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

namespace vkseg {

namespace {

/// Sets of some 50 plans; they go at once, between two recordings.
constexpr size_t max_sets = 8192;

/// Wall clock in laps.
class LapClock {
public:
    double lap_ms() {
        const auto now = std::chrono::steady_clock::now();
        return std::chrono::duration<double, std::milli>(now - std::exchange(last_, now)).count();
    }

private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

BufferRange range_of(const vk::Buffer& buffer) {
    return {buffer.get(), 0, buffer.size_bytes(), buffer.address()};
}

}  // namespace

Session::Session(Context& context) : context_(context), breadcrumbs_(context), sets_(context) {
    const vk::DeviceTable& table = context.table();
    VkCommandPoolCreateInfo pool_info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool_info.queueFamilyIndex = context.physical().queue_family;
    VkCommandPool pool = VK_NULL_HANDLE;
    vk::check(table.CreateCommandPool(context.device(), &pool_info, nullptr, &pool), "make a command pool");
    command_pool_ = {context.device(), pool, table.DestroyCommandPool};

    VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = pool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 2;
    VkCommandBuffer buffers[2] = {};
    vk::check(table.AllocateCommandBuffers(context.device(), &info, buffers), "make command buffers");
    commands_ = buffers[0];
    side_commands_ = buffers[1];

    VkFenceCreateInfo fence_info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    vk::check(table.CreateFence(context.device(), &fence_info, nullptr, &fence), "make a fence");
    fence_ = {context.device(), fence, table.DestroyFence};
}

Session::~Session() = default;  // run() has waited for everything that was submitted

void Session::set_plan(std::shared_ptr<const Plan> plan, const std::function<std::vector<uint8_t>()>& pack) {
    if (plan == plan_) return;
    plan_.reset();  // a plan that fails half-way must not be replayed
    LapClock clock;
    context_.pipelines().prepare(*plan);
    set_up_times_.pipelines_ms = clock.lap_ms();
    upload_weights(*plan, pack);
    set_up_times_.weights_ms = clock.lap_ms();
    reserve_memory(*plan);
    set_up_times_.memory_ms = clock.lap_ms();
    if (sets_.size() >= max_sets) sets_.clear();  // sizes without end
    plan_ = std::move(plan);
    record_again();
    set_up_times_.record_ms = clock.lap_ms();
}

void Session::record_again() {
    assert(plan_ != nullptr);
    try {
        record(commands_, {run_ends_.get(), false});
    } catch (...) {
        plan_.reset();
        throw;
    }
}

void Session::upload_weights(const Plan& plan, const std::function<std::vector<uint8_t>()>& pack) {
    if (weights_.get() != VK_NULL_HANDLE && uploaded_ == plan.packed_weights) return;
    const std::vector<uint8_t> bytes = pack();
    assert(bytes.size() == plan.weights_bytes);
    const uint64_t size = std::max<uint64_t>(bytes.size(), 16);
    sets_.clear();
    weights_ = {};
    uploaded_.clear();  // the upload may fail half-way
    weights_ = vk::Buffer(context_, "weights", size,
                          VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                              VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
                          vk::MemoryUse::Device);
    if (!weights_.mapped().empty()) {
        std::ranges::copy(bytes, weights_.mapped().begin());
    } else {
        const vk::Buffer staging(context_, "uploading weights", size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                                 vk::MemoryUse::Upload);
        std::ranges::copy(bytes, staging.mapped().begin());
        const vk::DeviceTable& table = context_.table();
        VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        vk::check(table.BeginCommandBuffer(side_commands_, &begin), "record the upload of the weights");
        const VkBufferCopy region{0, 0, size};
        table.CmdCopyBuffer(side_commands_, staging.get(), weights_.get(), 1, &region);
        // A fence makes them available; only a barrier makes them visible to what is submitted later.
        record_barrier(table, side_commands_, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                       VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT);
        vk::check(table.EndCommandBuffer(side_commands_), "record the upload of the weights");
        submit_and_wait(side_commands_);
    }
    uploaded_ = plan.packed_weights;
}

void Session::reserve_memory(const Plan& plan) {
    if (arena_.size_bytes() < plan.arena_bytes) {
        sets_.clear();
        view_fp32_ = {};
        view_fp16_ = {};
        arena_ = {};
        arena_ = vk::Buffer(context_, "activations", plan.arena_bytes,
                            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT |
                                VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
                            vk::MemoryUse::Device);
    }
    vk::Owned<VkBufferView>& view = plan.fp16 ? view_fp16_ : view_fp32_;
    if (plan.uses_texel_view && !view) view = make_texel_view(context_, range_of(arena_), plan.fp16);
    reserve_host_buffers(inputs_, plan.inputs, false);
    reserve_host_buffers(outputs_, plan.outputs, true);
    breadcrumbs_.reserve(plan.dispatch_count());
}

void Session::reserve_host_buffers(std::vector<vk::Buffer>& buffers, const std::vector<HostBuffer>& wanted,
                                   bool output) {
    if (buffers.size() < wanted.size()) buffers.resize(wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
        if (buffers[i].size_bytes() >= wanted[i].size_bytes) continue;
        sets_.clear();
        buffers[i] = {};
        buffers[i] = vk::Buffer(context_, wanted[i].name, wanted[i].size_bytes, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                                output ? vk::MemoryUse::Download : vk::MemoryUse::Upload);
    }
}

PlanMemory Session::memory() const {
    const vk::Owned<VkBufferView>& view = plan_->fp16 ? view_fp16_ : view_fp32_;
    return {range_of(arena_), range_of(weights_), view.get()};
}

HostPart Session::host_part(const Dispatch& dispatch, uint32_t binding) const {
    const auto host = std::ranges::find(dispatch.host, binding, &HostBinding::binding);
    assert(host != dispatch.host.end() && !host->sampled_image);
    const auto& buffers = host->direction == HostBinding::Direction::Input ? inputs_ : outputs_;
    const vk::Buffer& buffer = buffers[host->index];
    // One set serves every size as long as a binding may show the whole buffer.
    if (host->offset_bytes == 0 && buffer.size_bytes() <= context_.facts().max_storage_buffer_range)
        return {{buffer.get(), 0, buffer.size_bytes()}, {}};
    return {{buffer.get(), host->offset_bytes, host->size_bytes}, {}};
}

void Session::record_dispatch(VkCommandBuffer commands, const Dispatch& dispatch, uint32_t index) {
    PipelineStore& store = context_.pipelines();
    const ShaderProgram& program = store.request_program(dispatch.shader);
    breadcrumbs_.record(commands, index);
    std::array<VkDescriptorSet, 2> sets{};
    if (program.uses_set(0))
        sets[0] = sets_.request(program.set_layouts[0].get(),
                                {program, dispatch, memory(), context_.facts().max_storage_buffer_range});
    if (program.uses_set(1))
        sets[1] = sets_.request(program.set_layouts[1].get(),
                                {program, [&](uint32_t binding) { return host_part(dispatch, binding); }});
    vkseg::record_dispatch(context_, commands, dispatch,
                           store.request_pipeline(dispatch.shader, dispatch.specialization), program, sets,
                           resolve_push(dispatch, memory()), {{}, dispatch.group_count});
}

void Session::record(VkCommandBuffer commands, const Timestamps& timestamps) {
    try {
        record_plan(commands, timestamps);
    } catch (...) {
        // A buffer that is being recorded must not be begun again.
        static_cast<void>(context_.table().ResetCommandBuffer(commands, 0));
        throw;
    }
}

void Session::record_plan(VkCommandBuffer commands, const Timestamps& timestamps) {
    const vk::DeviceTable& table = context_.table();
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    vk::check(table.BeginCommandBuffer(commands, &begin), "record the network");
    const bool around_run = timestamps.pool != VK_NULL_HANDLE && !timestamps.around_dispatches;
    const auto stamp = [&](bool wanted, uint32_t query) {
        if (wanted) table.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, timestamps.pool, query);
    };
    if (timestamps.pool != VK_NULL_HANDLE)
        table.CmdResetQueryPool(commands, timestamps.pool, 0,
                                around_run ? 2 : static_cast<uint32_t>(plan_->dispatch_count() * 2));
    stamp(around_run, 0);
    record_start(commands);
    uint32_t index = 0;
    for (const Step& step : plan_->steps) {
        if (&step != &plan_->steps.front()) record_step_barrier(commands);
        for (const Dispatch& dispatch : step.dispatches) {
            stamp(timestamps.around_dispatches, index * 2);
            record_dispatch(commands, dispatch, index);
            stamp(timestamps.around_dispatches, index * 2 + 1);
            ++index;
        }
    }
    stamp(around_run, 1);
    record_end(commands);
    vk::check(table.EndCommandBuffer(commands), "record the network");
}

void Session::record_start(VkCommandBuffer commands) {
    if (!plan_->clears_zero_texel) return;
    // The arena may be the host's, with anything in it.
    context_.table().CmdFillBuffer(commands, arena_.get(), 0, zero_texel_bytes, 0);
    record_barrier(context_.table(), commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                   VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, shader_access);
}

void Session::record_step_barrier(VkCommandBuffer commands) {
    record_barrier(context_.table(), commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
                   VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, shader_access);
}

void Session::record_end(VkCommandBuffer commands) {
    record_barrier(context_.table(), commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                   VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                   VK_ACCESS_HOST_READ_BIT);
}

void Session::submit_and_wait(VkCommandBuffer commands) {
    const vk::DeviceTable& table = context_.table();
    const VkFence fence = fence_.get();
    VkSubmitInfo submit{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    // First, so that whatever fails afterwards the next submission finds it reset.
    vk::check(table.ResetFences(context_.device(), 1, &fence), "reset a fence");
    vk::check(context_.submit(submit, fence), "submit work to the device");
    vk::check(table.WaitForFences(context_.device(), 1, &fence, VK_TRUE, UINT64_MAX), "wait for the device");
}

std::string Session::last_dispatch_begun() const {
    if (!breadcrumbs_.enabled()) return "is unknown; VKSEG_BREADCRUMBS=1 makes it known";
    const std::optional<uint32_t> last = breadcrumbs_.last();
    uint32_t index = 0;
    for (const Step& step : plan_->steps)
        for (const Dispatch& dispatch : step.dispatches)
            if (index++ == last) return fmt::format("was '{}' ({})", dispatch.label, to_string(dispatch.shader));
    return "was none";
}

void Session::replay(VkCommandBuffer commands) {
    assert(plan_ != nullptr);
    breadcrumbs_.clear();
    try {
        submit_and_wait(commands);
    } catch (const DeviceLost& lost) {
        throw DeviceLost(fmt::format("the device '{}' was lost; the last layer begun {}. {}", context_.facts().name,
                                     last_dispatch_begun(), lost.what()));
    }
}

void Session::run() {
    replay(commands_);
    for (const vk::Buffer& output : outputs_) output.invalidate(context_);
    if (run_ends_) run_nanoseconds_ = read_timestamps(run_ends_.get(), 2)[1];
}

std::span<uint8_t> Session::input(size_t index) const {
    return inputs_[index].mapped().first(plan_->inputs[index].size_bytes);
}

std::span<const uint8_t> Session::output(size_t index) const {
    return outputs_[index].mapped().first(plan_->outputs[index].size_bytes);
}

}  // namespace vkseg
