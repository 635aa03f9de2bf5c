#include "graph/plan/plan.hpp"

#include <fmt/format.h>

namespace vkseg {

size_t Plan::dispatch_count() const {
    size_t count = 0;
    for (const Step& step : steps) count += step.dispatches.size();
    return count;
}

uint64_t Plan::bytes_moved() const {
    uint64_t bytes = 0;
    for (const Step& step : steps)
        for (const Dispatch& dispatch : step.dispatches) bytes += dispatch.bytes_read + dispatch.bytes_written;
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
            text += fmt::format("{:4} {:28} groups {}x{}x{} spec", i, to_string(dispatch.shader),
                                dispatch.group_count[0], dispatch.group_count[1], dispatch.group_count[2]);
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
