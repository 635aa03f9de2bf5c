#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

void lower(const Resize& op, const Node& node, LowerContext& context) {
    const PlanarValue& in = context.planar[static_cast<size_t>(node.inputs[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const auto scale = [&](int from, int to) {
        if (op.mode != Resize::Mode::BilinearAligned) return static_cast<float>(from) / static_cast<float>(to);
        return to > 1 ? static_cast<float>(from - 1) / static_cast<float>(to - 1) : 0.0f;
    };
    push::Resize push{};
    push.scale_x = scale(in.width, out.width);
    push.scale_y = scale(in.height, out.height);
    lower_plane_kernel(catalog::resize, push, {static_cast<uint32_t>(op.mode)}, node, node.epilogue, context);
}

}  // namespace vkseg
