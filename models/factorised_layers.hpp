#pragma once

#include "models/layers.hpp"

// Blocks of the networks that factorise their convolutions (ERFNet and its heirs), named like their checkpoints.

namespace vkseg::layers {

constexpr float factorised_eps = 1e-3f;

/// concat[conv 3x3 stride 2 (out - in channels), max pooling 2x2], batch norm, ReLU.
ValueId factorised_down(Graph& graph, const Scope& scope, ValueId x, int out_channels);

/// Transposed convolution 3x3 stride 2 that doubles the size, batch norm, ReLU.
ValueId factorised_up(Graph& graph, const Scope& scope, ValueId x, int out_channels);

/// k x 1, ReLU, 1 x k with dilation along their own axis; names conv3x1_<suffix> and conv1x3_<suffix> whatever k is.
ValueId factorised_pair(Graph& graph, const Scope& scope, ValueId x, int kernel, int dilation, const char* suffix);

/// Pair, batch norm, ReLU, dilated pair, batch norm, + x, ReLU: ERFNet's non-bottleneck-1D, ESNet's FCU.
ValueId factorised_residual(Graph& graph, const Scope& scope, ValueId x, int kernel, int dilation);

}  // namespace vkseg::layers
