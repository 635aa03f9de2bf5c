#include "graph/plan/plan_cost.hpp"

#include <fmt/format.h>

#include <cassert>

namespace vkseg {

namespace {

uint32_t assumed_units(DeviceType type) {
    switch (type) {
        case DeviceType::Discrete:
        case DeviceType::Virtual:
            return 20;
        case DeviceType::Cpu:
            return 2;
        case DeviceType::Integrated:
        case DeviceType::Other:
            break;
    }
    return 4;
}

}  // namespace

DeviceFill device_fill(const DeviceFacts& facts) {
    DeviceFill fill;
    fill.assumed = facts.compute_units == 0;
    fill.compute_units = fill.assumed ? assumed_units(facts.type) : facts.compute_units;
    fill.threads_per_unit = facts.type == DeviceType::Cpu ? 64 : 512;
    return fill;
}

std::string to_string(const DeviceFill& fill) {
    return fmt::format("fewer than {} threads: {} compute units{}, {} each", fill.threads(), fill.compute_units,
                       fill.assumed ? " assumed" : "", fill.threads_per_unit);
}

std::vector<const Dispatch*> too_small(const Plan& plan, const DeviceFill& fill) {
    std::vector<const Dispatch*> small;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches)
            if (dispatch.thread_count() < fill.threads()) small.push_back(&dispatch);
    return small;
}

std::string list_too_small(const Plan& plan, const DeviceFill& fill) {
    const auto small = too_small(plan, fill);
    std::string text = fmt::format("{} of {} dispatches are too small to fill the device ({})\n", small.size(),
                                   plan.dispatch_count(), to_string(fill));
    for (const Dispatch* dispatch : small)
        text += fmt::format("  threads {:8}  {:28} \"{}\"\n", dispatch->thread_count(), to_string(dispatch->shader),
                            dispatch->label);
    return text;
}

DispatchFloor floor_of(const Dispatch& dispatch, const DevicePeaks& peaks) {
    assert(peaks.known());
    const double bytes = static_cast<double>(dispatch.bytes_moved() + dispatch.weights_bytes);
    const bool half = dispatch.fp16_arithmetic && peaks.fp16_gflops > 0;
    const double gflops = half ? peaks.fp16_gflops : peaks.fp32_gflops;
    // A GB/s is 1e3 bytes in a microsecond.
    return {bytes / (peaks.memory_gb_per_s * 1e3), 2.0 * static_cast<double>(dispatch.macs) / (gflops * 1e3),
            peaks.launch_us};
}

PlanFloor floor_of(const Plan& plan, const DevicePeaks& peaks) {
    PlanFloor total;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) {
            const DispatchFloor floor = floor_of(dispatch, peaks);
            total.us += floor.us();
            (floor.memory_bound() ? total.memory_us : total.arithmetic_us) += floor.us() - floor.launch_us;
            total.launch_us += floor.launch_us;
            total.memory_bound += floor.memory_bound() ? 1 : 0;
            ++total.dispatches;
        }
    return total;
}

}  // namespace vkseg
