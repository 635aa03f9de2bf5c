#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

void lower(const Pool2d& op, const Node& node, LowerContext& context) {
    push::Pool push{};
    push.kernel = pack_halves(op.kernel.w, op.kernel.h);
    push.stride = pack_halves(op.stride.w, op.stride.h);
    push.padding = pack_halves(op.padding.w, op.padding.h);
    const uint32_t mode = op.kind == Pool2d::Kind::Max ? 0 : op.count_include_pad ? 1 : 2;
    lower_plane_kernel(catalog::pool2d, push, {mode}, node, node.epilogue, context);
}

}  // namespace vkseg
