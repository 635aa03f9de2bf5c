#pragma once

#include "graph/ir/graph.hpp"
#include "models/scope.hpp"

// Blocks that several networks are made of, named and parameterised like PyTorch's. Each takes the scope whose path is
// the module's name in the checkpoint and returns the value it makes.

namespace vkseg::layers {

struct ConvOptions {
    Axes kernel{1, 1};
    Axes stride{1, 1};
    Axes dilation{1, 1};
    int groups = 1;
    bool bias = false;
};

/// Convolution padded by dilation * (kernel - 1) / 2, so that stride 1 keeps the size.
ValueId conv2d(Graph& graph, const Scope& scope, ValueId x, int out_channels, const ConvOptions& options);
inline ValueId conv2d(Graph& graph, const Scope& scope, ValueId x, int out_channels, int kernel, int stride = 1,
                      int dilation = 1) {
    return conv2d(graph, scope, x, out_channels,
                  {.kernel = {kernel, kernel}, .stride = {stride, stride}, .dilation = {dilation, dilation}});
}

struct ConvTransposeOptions {
    int kernel = 2;
    int stride = 2;
    int padding = 0;
    int output_padding = 0;
    bool bias = false;
};
ValueId conv_transpose2d(Graph& graph, const Scope& scope, ValueId x, int out_channels,
                         const ConvTransposeOptions& options);

ValueId batch_norm(Graph& graph, const Scope& scope, ValueId x, float eps);
ValueId prelu(Graph& graph, const Scope& scope, ValueId x);
ValueId relu(Graph& graph, const Scope& scope, ValueId x);
ValueId add(Graph& graph, const Scope& scope, ValueId a, ValueId b);
ValueId concat(Graph& graph, const Scope& scope, std::vector<ValueId> parts);
/// Average pooling 3x3, stride 2, padding 1, the padding counting in the divisor: halves the size, rounded up.
ValueId average_halve(Graph& graph, const Scope& scope, ValueId x);

[[nodiscard]] inline int channels(const Graph& graph, ValueId x) {
    return graph.desc(x).channels();
}

}  // namespace vkseg::layers
