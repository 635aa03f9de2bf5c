#pragma once

#include "graph/ir/graph.hpp"

#include <string>
#include <vector>

namespace vkseg {

/// Nodes that are carried out together. Its meaning is that of its members one after another; nothing but what is an
/// output is stored.
struct Group {
    /// Name of the fusion; empty for a node on its own.
    std::string pattern;
    /// Places in Graph::nodes, ascending.
    std::vector<int> nodes;
    /// Members that other groups may contain too: cheap enough to be computed anew in each.
    std::vector<int> recomputed;
    /// What is read from outside.
    std::vector<ValueId> inputs;
    /// Whether that operand is read only at the texel that is written: the result may then take its memory.
    std::vector<bool> reads_by_texel;
    ValueId output = no_value;
    /// A second result that is stored, if any.
    ValueId second_output = no_value;
    /// The result goes to the host's buffer and never lies in the arena.
    bool to_host = false;
    /// The operand is read from the host's buffer.
    bool from_host = false;

    [[nodiscard]] bool is_fused() const { return !pattern.empty(); }
};

}  // namespace vkseg
