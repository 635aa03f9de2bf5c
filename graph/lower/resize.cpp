#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

void lower(const Resize& op, const Node& node, LowerContext& context) {
    const PlanarValue& in = context.planar[static_cast<size_t>(node.inputs[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const bool aligned = op.mode == Resize::Mode::BilinearAligned;
    push::Resize push{};
    push.scale_x = sampling_scale(in.width, out.width, aligned);
    push.scale_y = sampling_scale(in.height, out.height, aligned);
    lower_plane_kernel(catalog::resize, push, {static_cast<uint32_t>(op.mode)}, node, node.epilogue, context);
}

}  // namespace vkseg
