#pragma once

#include "graph/fuse/group.hpp"
#include "graph/lower/lower.hpp"

#include <optional>

// Fusions: groups of nodes with a lowering of their own. One file for each pattern; groups.cpp lists them. To switch
// one off is not to form the group.

namespace vkseg {

/// What a matcher may look at.
struct MatchContext {
    /// The graph, the device, the choices and the channel maps.
    const LowerContext& lower;
    /// Place of the node that makes each value, -1 for inputs; and how often each value is used.
    std::vector<int> producers, uses;

    [[nodiscard]] const Graph& graph() const { return lower.graph; }
    [[nodiscard]] const ChannelMap& map(ValueId value) const { return lower.planar[static_cast<size_t>(value)].map; }
    [[nodiscard]] int uses_of(ValueId value) const { return uses[static_cast<size_t>(value)]; }
    /// The node that makes a value and its place, if it is an `Op`.
    template <typename Op>
    [[nodiscard]] const Node* maker(ValueId value) const {
        const int place = producers[static_cast<size_t>(value)];
        if (place < 0) return nullptr;
        const Node& node = graph().nodes[static_cast<size_t>(place)];
        return std::holds_alternative<Op>(node.op) ? &node : nullptr;
    }
    /// The only reader of a value that has no other use, if it is an Identity that carries an epilogue for it.
    [[nodiscard]] const Node* sole_epilogue(ValueId value) const;
    [[nodiscard]] int place_of(const Node& node) const { return static_cast<int>(&node - graph().nodes.data()); }
};

/// One fusion. `match` says which group the node is the anchor of (each pattern has its own idea of an anchor), when
/// the group is worth forming on this device.
struct Pattern {
    const char* name;
    std::optional<Group> (*match)(const Node& anchor, const MatchContext&);
    void (*lower)(const Group&, LowerContext&);
};

/// Names of all fusions.
[[nodiscard]] const std::vector<std::string>& fusion_names();

/// Every node in exactly one group, groups in an order in which they can run. Throws `Error` on an unknown name among
/// the disabled fusions.
[[nodiscard]] std::vector<Group> form_groups(const LowerContext& context);

/// Each node on its own.
[[nodiscard]] std::vector<Group> single_groups(const Graph& graph);

/// What a person calls the group: what its members' names begin with in common, and the pattern.
[[nodiscard]] std::string label_of(const Group& group, const Graph& graph);

/// Dispatches of a fused group.
void lower(const Group& group, LowerContext& context);

/// One line per fused group, for tests.
[[nodiscard]] std::string to_string(const std::vector<Group>& groups, const Graph& graph);

}  // namespace vkseg
