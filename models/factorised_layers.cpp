#include "models/factorised_layers.hpp"

#include <string>

namespace vkseg::layers {

ValueId factorised_down(Graph& graph, const Scope& scope, ValueId x, int out_channels) {
    const int added = out_channels - channels(graph, x);
    const ValueId convolved =
        conv2d(graph, scope["conv"], x, added, {.kernel = {3, 3}, .stride = {2, 2}, .bias = true});
    Pool2d pool;
    pool.kernel = pool.stride = {2, 2};
    const ValueId pooled = graph.add(scope["pool"].path(), pool, {x});
    const ValueId both = concat(graph, scope["cat"], {convolved, pooled});
    return relu(graph, scope, batch_norm(graph, scope["bn"], both, factorised_eps));
}

ValueId factorised_up(Graph& graph, const Scope& scope, ValueId x, int out_channels) {
    x = conv_transpose2d(graph, scope["conv"], x, out_channels,
                         {.kernel = 3, .stride = 2, .padding = 1, .output_padding = 1, .bias = true});
    return relu(graph, scope, batch_norm(graph, scope["bn"], x, factorised_eps));
}

ValueId factorised_pair(Graph& graph, const Scope& scope, ValueId x, int kernel, int dilation, const char* suffix) {
    const int width = channels(graph, x);
    const Scope vertical = scope[std::string("conv3x1_").append(suffix)];
    x = conv2d(graph, vertical, x, width, {.kernel = {kernel, 1}, .dilation = {dilation, 1}, .bias = true});
    x = relu(graph, vertical, x);
    return conv2d(graph, scope[std::string("conv1x3_").append(suffix)], x, width,
                  {.kernel = {1, kernel}, .dilation = {1, dilation}, .bias = true});
}

ValueId factorised_residual(Graph& graph, const Scope& scope, ValueId x, int kernel, int dilation) {
    ValueId y = factorised_pair(graph, scope, x, kernel, 1, "1");
    y = relu(graph, scope["bn1"], batch_norm(graph, scope["bn1"], y, factorised_eps));
    y = factorised_pair(graph, scope, y, kernel, dilation, "2");
    y = batch_norm(graph, scope["bn2"], y, factorised_eps);
    return relu(graph, scope, add(graph, scope, y, x));
}

}  // namespace vkseg::layers
