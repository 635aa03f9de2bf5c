#pragma once

#include "graph/plan/plan.hpp"

#include <span>
#include <vector>

namespace vkseg::test {

/// Carries out a plan on the CPU, dispatch by dispatch, from the same push constants, packed weights and offsets that
/// a device gets. Slow and simple: it proves layout, placement, memory planning and packing without any Vulkan.
/// Every dispatch of a step sees the memory as it was before the step, so a missing barrier gives wrong results.
/// `inputs` are the host buffers' bytes in the order of `plan.inputs`; the result is that of `plan.outputs`.
[[nodiscard]] std::vector<std::vector<uint8_t>> interpret(const Plan& plan, std::span<const uint8_t> weights,
                                                          const std::vector<std::vector<uint8_t>>& inputs);

}  // namespace vkseg::test
