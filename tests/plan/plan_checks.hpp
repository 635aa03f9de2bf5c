#pragma once

#include "graph/plan/plan.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

// What every plan must keep, checked from the plan alone and without the code that made it.

namespace vkseg::test {

[[nodiscard]] Choices at(Precision precision, Arithmetic arithmetic = Arithmetic::FP32);

/// All dispatches in their order.
[[nodiscard]] std::vector<const Dispatch*> dispatches_of(const Plan& plan);

/// What a session compiles.
using Pipelines = std::set<std::pair<ShaderId, std::vector<uint32_t>>>;
[[nodiscard]] Pipelines pipelines_of(const Plan& plan);

/// Kernel families by access, e.g. {"ssbo"}; host-only kernels have none.
[[nodiscard]] std::set<std::string> accesses_of(const Plan& plan);

/// Whether the order of the two decides what memory holds.
[[nodiscard]] bool conflict(const Dispatch& a, const Dispatch& b);

/// Everything that the device promises in `facts` is enough.
void expect_within_limits(const Plan& plan, const DeviceFacts& facts);
/// Written before read, and no dispatch of a step touches what another of it writes.
void expect_ordered(const Plan& plan);
/// A dispatch writes over an operand only where each invocation has read the texel that it writes and no other.
void expect_in_place_by_texel(const Plan& plan);
/// No barrier less would do, as long as dispatches keep their order.
void expect_fewest_barriers(const Plan& plan);
/// All of the above.
void expect_sound(const Plan& plan, const DeviceFacts& facts);

}  // namespace vkseg::test
