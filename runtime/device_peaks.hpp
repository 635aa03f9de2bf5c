#pragma once

#include "graph/plan/device_facts.hpp"

#include <cstdint>

namespace vkseg {

class Context;
class Session;
struct Plan;

/// What this device reaches at most, measured in some tenths of a second: a copy that is larger than caches and one
/// that is not, chains of multiply-adds in fp32, and dispatches that do next to nothing. fp16 arithmetic is not
/// measured, since no kernel uses it. Throws what sessions throw.
[[nodiscard]] DevicePeaks measure_peaks(Context& context);

/// The plans behind it, for tests. The copy moves `bytes` from one half of the arena to the other, `steps` times.
enum class PeakAccess : uint8_t { Ssbo, Bda, Texel };
[[nodiscard]] Plan peak_copy_plan(uint64_t bytes, PeakAccess access, int steps = 1);
/// Each invocation writes the sum of twelve chains of `x = x * multiplier + addend`, 16 links an iteration, that start
/// at its index in the workgroup and up.
[[nodiscard]] Plan peak_fma_plan(uint32_t workgroups, uint32_t iterations, float multiplier, float addend);

/// Shortest of `runs` runs, or of fewer long ones, of the session's plan in nanoseconds: by timestamps, else on the
/// wall.
[[nodiscard]] uint64_t fastest_run_ns(Session& session, const Context& context, int runs);

}  // namespace vkseg
