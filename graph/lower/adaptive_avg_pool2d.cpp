#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

void lower(const AdaptiveAvgPool2d&, const Node& node, LowerContext& context) {
    const PlanarValue in = context.planar[static_cast<size_t>(node.inputs[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const auto lower_pool = [&](const Node& part, const Epilogue& epilogue) {
        lower_plane_kernel(catalog::adaptive_avg_pool2d, push::Copy{}, {}, part, epilogue, context);
    };
    if (out.width > 1 || out.height > 1 || in.width == 1) {
        lower_pool(node, node.epilogue);
        return;
    }
    // One output pixel is one invocation; first a column of row means, so that the rows run side by side. The mean of
    // equal parts' means is the mean.
    PlanarValue column = in;
    column.width = 1;
    Node rows = node;
    rows.inputs.resize(1);
    rows.output = context.add_temporary(column);
    lower_pool(rows, {});
    Node rest = node;
    rest.inputs[0] = rows.output;
    lower_pool(rest, node.epilogue);
}

}  // namespace vkseg
