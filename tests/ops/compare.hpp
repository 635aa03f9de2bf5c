#pragma once

#include "graph/ops/rules.hpp"
#include "graph/plan/plan.hpp"

#include <gtest/gtest.h>

#include <span>

namespace vkseg::test {

/// Inputs of a graph: random, fixed, and exact in 16 bits, so that importing them rounds nothing. With `ties`, features
/// are whole numbers from 0 to 3.
[[nodiscard]] std::vector<HostValue> random_inputs(const Graph& graph, bool ties);

/// Runs the reference and keeps every value, inputs included, by ValueId.
[[nodiscard]] std::vector<HostValue> reference_values(const Graph& graph, std::span<const HostValue> inputs);

/// Whether a device's bytes are what the reference makes of `values` at `output`; tells the first difference.
[[nodiscard]] ::testing::AssertionResult agrees(const Graph& graph, const std::vector<HostValue>& values,
                                                ValueId output, std::span<const uint8_t> found, Precision precision,
                                                Arithmetic arithmetic = Arithmetic::FP32);

}  // namespace vkseg::test
