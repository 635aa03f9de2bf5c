#include "graph/lower/plane_kernel.hpp"

namespace vkseg {

// Operands that were placed inside the result have nothing to do: compile() calls lower_relayout for the others.
void lower(const Concat&, const Node&, LowerContext&) {}

}  // namespace vkseg
