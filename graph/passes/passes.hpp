#pragma once

#include "graph/ir/graph.hpp"

#include <functional>
#include <set>
#include <string>

// Simplifications that need no device. One function and one file each; each returns whether it changed anything and
// never changes what the graph computes beyond rounding. `pipeline.cpp` alone knows the order.

namespace vkseg {

/// Batch norms after a convolution (normal or transposed) with no other use of the convolution's result go into its
/// weights and bias; every other batch norm becomes ScaleShift. Afterwards no BatchNorm is left.
bool fold_batchnorm(Graph& graph);

/// Add, ScaleShift, Relu and PRelu move into the epilogue of the operation before them, in the epilogue's order,
/// where that operation has no other use; what is left over becomes an Identity with an epilogue. An Add goes to
/// the operand that is made last, if that is an operation that can carry one.
bool fuse_epilogue(Graph& graph);

/// Drops nodes whose values nothing uses, and constants that no node refers to stay (they are shared).
bool eliminate_dead_nodes(Graph& graph);

struct PassOptions {
    /// Names of passes to leave out.
    std::set<std::string, std::less<>> disabled;
    /// Called after each pass that ran: name, whether it changed the graph, the graph.
    std::function<void(std::string_view, bool, const Graph&)> observer;
};

/// Names of all passes, in the order they run.
[[nodiscard]] const std::vector<std::string>& pass_names();

/// Runs all passes and verifies the graph after each. Throws `Error` on an unknown name in `disabled`.
/// Planning needs graphs without BatchNorm, so a disabled fold_batchnorm still leaves ScaleShift behind.
void simplify(Graph& graph, const PassOptions& options = {});

}  // namespace vkseg
