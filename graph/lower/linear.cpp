#include "graph/lower/convolution.hpp"

namespace vkseg {

// A 1x1 convolution of one pixel.
void lower(const Linear& op, const Node& node, LowerContext& context) {
    ConvGeometry geometry;
    geometry.taps = all_taps({1, 1});
    geometry.grid = {1, 1};
    const int in_features = context.graph.desc(node.inputs[0]).channels();
    lower_convolution({op.weight, op.bias, false, 1, in_features, op.out_features}, geometry, node, context);
}

}  // namespace vkseg
