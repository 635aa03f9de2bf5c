#pragma once

#include "graph/plan/plan.hpp"

#include <vector>

// What a plan costs at least, worked out without running it.

namespace vkseg {

/// How many invocations keep a device busy.
struct DeviceFill {
    uint32_t compute_units = 0;
    /// Nobody tells the number of units; this is what devices of the type have at the least.
    bool assumed = false;
    /// A rule of thumb in either case: enough to hide some latency, or one of our workgroups on a CPU's core.
    uint32_t threads_per_unit = 0;

    [[nodiscard]] uint64_t threads() const { return uint64_t{compute_units} * threads_per_unit; }
};
[[nodiscard]] DeviceFill device_fill(const DeviceFacts& facts);
/// "fewer than 14336 threads: 28 compute units, 512 each"
[[nodiscard]] std::string to_string(const DeviceFill& fill);

/// Dispatches with fewer invocations than fill the device, in the order of the plan.
[[nodiscard]] std::vector<const Dispatch*> too_small(const Plan& plan, const DeviceFill& fill);
/// The same for people, one line a dispatch, behind a listing of the plan.
[[nodiscard]] std::string list_too_small(const Plan& plan, const DeviceFill& fill);

/// The least time for a dispatch: its bytes (tensors and weights, each once, through memory) or its arithmetic,
/// whichever takes longer, and the launch.
struct DispatchFloor {
    double memory_us = 0;
    double arithmetic_us = 0;
    double launch_us = 0;
    [[nodiscard]] bool memory_bound() const { return memory_us >= arithmetic_us; }
    [[nodiscard]] double us() const { return (memory_bound() ? memory_us : arithmetic_us) + launch_us; }
};
/// At rates that are known: products in 16 bits at that of fp16, where it is, all others at that of fp32.
[[nodiscard]] DispatchFloor floor_of(const Dispatch& dispatch, const DevicePeaks& peaks);

/// The roofline of a plan: dispatches one after another, each at its floor. No cache is thought of, so a device whose
/// cache holds the activations may be faster.
struct PlanFloor {
    double us = 0;
    /// Parts of it: what dispatches wait for, and launches.
    double memory_us = 0;
    double arithmetic_us = 0;
    double launch_us = 0;
    size_t memory_bound = 0;
    size_t dispatches = 0;
};
[[nodiscard]] PlanFloor floor_of(const Plan& plan, const DevicePeaks& peaks);

}  // namespace vkseg
