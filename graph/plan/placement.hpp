#pragma once

#include "graph/fuse/group.hpp"
#include "graph/lower/lower.hpp"

#include <vector>

namespace vkseg {

/// Which values share a buffer. Operands of a concatenation lie inside its result, and elementwise operations run in
/// place where nothing reads their operand any more.
class Placement {
public:
    struct Place {
        ValueId root = no_value;
        int first_plane = 0;
    };

    explicit Placement(size_t value_count) : parent_(value_count) {}

    /// A further value (temporaries of the lowering); its id.
    ValueId add_value();
    void put_inside(ValueId value, ValueId parent, int first_plane);
    [[nodiscard]] bool is_inside(ValueId value) const { return parent_[static_cast<size_t>(value)].root != no_value; }
    /// The buffer of a value, named by its root value, and the value's first plane in it.
    [[nodiscard]] Place resolve(ValueId value) const;

private:
    std::vector<Place> parent_;
};

/// Channel maps of all values: dense unless a concatenation or an added operand says otherwise. `closes_gaps`: the pass
/// over a concatenation of poolings and others (norm, activation) leaves out the planes that only its pad lanes make,
/// where they are at least a sixth; what follows then computes none for them.
[[nodiscard]] std::vector<PlanarValue> choose_maps(const Graph& graph, bool closes_gaps);

/// Whether a node reads an operand only at the texel it writes: its result may take that operand's memory. Asked by
/// position, because one value may be read twice, once of them with its neighbours.
[[nodiscard]] bool reads_by_texel(const Node& node, size_t operand);

/// Whether a node reads an operand's numbers: of some it wants only the size.
[[nodiscard]] bool reads_numbers(const Node& node, size_t operand);

/// Decides sharing. What only passes between the members of a fused group has no memory. Operands that cannot lie
/// inside their concatenation (used in two, or twice) are left out: they are copied. Without `in_place` every result
/// has memory of its own.
[[nodiscard]] Placement place_values(const Graph& graph, const std::vector<Group>& groups,
                                     const std::vector<PlanarValue>& planar, bool in_place);

}  // namespace vkseg
