#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

void lower(const Multiply&, const Node& node, LowerContext& context) {
    lower_plane_kernel(catalog::multiply, push::Copy{}, {}, node, node.epilogue, context);
}

}  // namespace vkseg
