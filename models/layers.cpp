#include "models/layers.hpp"

namespace vkseg::layers {

ValueId conv2d(Graph& graph, const Scope& scope, ValueId x, int out_channels, const ConvOptions& options) {
    Conv2d op;
    op.out_channels = out_channels;
    op.kernel = options.kernel;
    op.stride = options.stride;
    op.dilation = options.dilation;
    op.padding =
        pad_all(options.dilation.h * (options.kernel.h - 1) / 2, options.dilation.w * (options.kernel.w - 1) / 2);
    op.groups = options.groups;
    op.weight = scope.parameter(
        graph, "weight", {out_channels, channels(graph, x) / options.groups, options.kernel.h, options.kernel.w});
    if (options.bias) op.bias = scope.parameter(graph, "bias", {out_channels});
    return graph.add(scope.path(), op, {x});
}

ValueId conv_transpose2d(Graph& graph, const Scope& scope, ValueId x, int out_channels,
                         const ConvTransposeOptions& options) {
    ConvTranspose2d op;
    op.out_channels = out_channels;
    op.kernel = {options.kernel, options.kernel};
    op.stride = {options.stride, options.stride};
    op.padding = pad_all(options.padding, options.padding);
    op.output_padding = {options.output_padding, options.output_padding};
    op.weight = scope.parameter(graph, "weight", {channels(graph, x), out_channels, options.kernel, options.kernel});
    if (options.bias) op.bias = scope.parameter(graph, "bias", {out_channels});
    return graph.add(scope.path(), op, {x});
}

ValueId batch_norm(Graph& graph, const Scope& scope, ValueId x, float eps) {
    const Shape length{channels(graph, x)};
    BatchNorm op;
    op.gamma = scope.parameter(graph, "weight", length);
    op.beta = scope.parameter(graph, "bias", length);
    op.mean = scope.buffer(graph, "running_mean", length);
    op.variance = scope.buffer(graph, "running_var", length);
    op.eps = eps;
    return graph.add(scope.path(), op, {x});
}

ValueId prelu(Graph& graph, const Scope& scope, ValueId x) {
    return graph.add(scope.path(), PRelu{scope.parameter(graph, "weight", {channels(graph, x)})}, {x});
}

ValueId relu(Graph& graph, const Scope& scope, ValueId x) {
    return graph.add(scope.path(), Relu{}, {x});
}

ValueId add(Graph& graph, const Scope& scope, ValueId a, ValueId b) {
    return graph.add(scope.path(), Add{}, {a, b});
}

ValueId concat(Graph& graph, const Scope& scope, std::vector<ValueId> parts) {
    return graph.add(scope.path(), Concat{}, std::move(parts));
}

ValueId average_halve(Graph& graph, const Scope& scope, ValueId x) {
    Pool2d op;
    op.kind = Pool2d::Kind::Average;
    op.kernel = {3, 3};
    op.stride = {2, 2};
    op.padding = {1, 1};
    return graph.add(scope.path(), op, {x});
}

}  // namespace vkseg::layers
