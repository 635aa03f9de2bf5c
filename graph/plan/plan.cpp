#include "graph/plan/plan.hpp"

#include <fmt/format.h>

#include <cassert>

namespace vkseg {

uint64_t Dispatch::thread_count() const {
    assert(specialization.size() >= 3);
    uint64_t count = 1;
    for (size_t axis = 0; axis < 3; ++axis) count *= uint64_t{group_count[axis]} * specialization[axis];
    return count;
}

size_t Plan::dispatch_count() const {
    size_t count = 0;
    for (const Step& step : steps) count += step.dispatches.size();
    return count;
}

uint64_t Plan::bytes_moved() const {
    uint64_t bytes = 0;
    for (const Step& step : steps)
        for (const Dispatch& dispatch : step.dispatches) bytes += dispatch.bytes_moved();
    return bytes;
}

uint64_t Plan::macs() const {
    uint64_t macs = 0;
    for (const Step& step : steps)
        for (const Dispatch& dispatch : step.dispatches) macs += dispatch.macs;
    return macs;
}

std::string to_string(const Plan& plan) {
    std::string text = fmt::format("arena {} bytes, weights {} bytes, {} dispatches, {} barriers\n", plan.arena_bytes,
                                   plan.weights_bytes, plan.dispatch_count(), plan.barrier_count());
    for (size_t i = 0; i < plan.steps.size(); ++i)
        for (const Dispatch& dispatch : plan.steps[i].dispatches) {
            text += fmt::format("{:4} {:28} groups {}x{}x{} threads {} spec", i, to_string(dispatch.shader),
                                dispatch.group_count[0], dispatch.group_count[1], dispatch.group_count[2],
                                dispatch.thread_count());
            for (uint32_t value : dispatch.specialization) text += fmt::format(" {}", value);
            for (const ArenaSlice& part : dispatch.reads)
                text += fmt::format(" reads {}+{}", part.offset_bytes, part.size_bytes);
            for (const ArenaSlice& part : dispatch.writes)
                text += fmt::format(" writes {}+{}", part.offset_bytes, part.size_bytes);
            text += fmt::format("  \"{}\"\n", dispatch.label);
        }
    return text;
}

}  // namespace vkseg
