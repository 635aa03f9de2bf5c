#pragma once

#include "graph/ir/graph.hpp"

#include <map>
#include <string>

namespace vkseg {

/// Factors by name for weights of variance 1 / inputs per output, as `ParameterSource` makes them up: with these every
/// convolution's result has a mean square of about 1. Without, each ReLU takes its half until only biases reach the
/// scores of a deep network, and sums grow. Estimated from the graph alone, as if all terms were independent.
[[nodiscard]] std::map<std::string, float> made_up_weight_factors(const Graph& graph);

}  // namespace vkseg
