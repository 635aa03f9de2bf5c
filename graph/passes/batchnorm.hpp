#pragma once

#include "graph/ir/graph.hpp"

// Private to graph/passes.

namespace vkseg {

/// Every batch norm becomes ScaleShift: what stays to be done when nobody may fold it into a convolution.
bool lower_batchnorm(Graph& graph);

}  // namespace vkseg
