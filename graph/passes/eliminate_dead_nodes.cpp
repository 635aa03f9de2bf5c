#include "graph/passes/passes.hpp"

#include <algorithm>

namespace vkseg {

bool eliminate_dead_nodes(Graph& graph) {
    std::vector<bool> live(graph.values.size(), false);
    for (ValueId id : graph.outputs) live[static_cast<size_t>(id)] = true;
    // Backwards, so that every reader of a value is judged before its maker.
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        if (!live[static_cast<size_t>(node->output)]) continue;
        for (ValueId id : node->inputs) live[static_cast<size_t>(id)] = true;
    }
    return std::erase_if(graph.nodes, [&live](const Node& node) { return !live[static_cast<size_t>(node.output)]; }) >
           0;
}

}  // namespace vkseg
