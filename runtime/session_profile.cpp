#include "runtime/session.hpp"

#include <cassert>
#include <chrono>

// How a session measures itself.

namespace vkseg {

vk::Owned<VkQueryPool> Session::make_timestamps(uint32_t count) const {
    const vk::DeviceTable& table = context_.table();
    VkQueryPoolCreateInfo info{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = count;
    VkQueryPool pool = VK_NULL_HANDLE;
    vk::check(table.CreateQueryPool(context_.device(), &info, nullptr, &pool), "make a query pool");
    return {context_.device(), pool, table.DestroyQueryPool};
}

std::vector<uint64_t> Session::read_timestamps(VkQueryPool pool, uint32_t count) const {
    std::vector<uint64_t> ticks(count);
    vk::check(context_.table().GetQueryPoolResults(context_.device(), pool, 0, count, ticks.size() * sizeof(uint64_t),
                                                   ticks.data(), sizeof(uint64_t), VK_QUERY_RESULT_64_BIT),
              "read timestamps");
    const uint64_t first = ticks.front();
    const auto period = static_cast<double>(context_.physical().timestamp_period_ns);
    // Counters may wrap around between two of them.
    for (uint64_t& tick : ticks)
        tick = static_cast<uint64_t>(static_cast<double>((tick - first) & context_.physical().timestamp_mask) * period);
    return ticks;
}

void Session::time_runs(bool on) {
    run_nanoseconds_ = 0;
    if (!context_.facts().timestamps || on == static_cast<bool>(run_ends_)) return;
    run_ends_ = on ? make_timestamps(2) : vk::Owned<VkQueryPool>();
    if (plan_ != nullptr) record_again();
}

std::vector<DispatchTime> Session::profile() {
    assert(plan_ != nullptr);
    if (!context_.facts().timestamps) return {};
    const auto count = static_cast<uint32_t>(plan_->dispatch_count() * 2);
    const vk::Owned<VkQueryPool> pool = make_timestamps(count);
    record(side_commands_, {pool.get(), true});
    replay(side_commands_);
    const std::vector<uint64_t> at = read_timestamps(pool.get(), count);
    std::vector<DispatchTime> times;
    for (const Step& step : plan_->steps)
        for (const Dispatch& dispatch : step.dispatches) {
            const uint64_t begin = at[times.size() * 2], end = at[times.size() * 2 + 1];
            times.push_back({dispatch.label, dispatch.shader, end - begin, begin});
        }
    return times;
}

std::vector<uint64_t> Session::profile_steps() {
    assert(plan_ != nullptr);
    const vk::DeviceTable& table = context_.table();
    std::vector<uint64_t> times;
    uint32_t index = 0;
    for (const Step& step : plan_->steps) {
        const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
        vk::check(table.BeginCommandBuffer(side_commands_, &begin), "record a step");
        if (times.empty())
            record_start(side_commands_);
        else
            record_step_barrier(side_commands_);
        for (const Dispatch& dispatch : step.dispatches) record_dispatch(side_commands_, dispatch, index++);
        record_end(side_commands_);
        vk::check(table.EndCommandBuffer(side_commands_), "record a step");
        const auto start = std::chrono::steady_clock::now();
        replay(side_commands_);
        times.push_back(static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count()));
    }
    return times;
}

SessionMemory Session::memory_use() const {
    SessionMemory use{arena_.size_bytes(), weights_.size_bytes(), 0};
    for (const auto* buffers : {&inputs_, &outputs_})
        for (const vk::Buffer& buffer : *buffers) use.host_bytes += buffer.size_bytes();
    return use;
}

}  // namespace vkseg
