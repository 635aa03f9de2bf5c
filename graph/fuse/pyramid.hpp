#pragma once

#include "graph/fuse/fuse.hpp"
#include "shaders/shared/push.h"

namespace vkseg {

/// Convolutions of one map that differ in dilation and width, concatenated; a branch may add the one before it. What
/// ESP and EESP modules have in common.
struct Pyramid {
    std::vector<const Node*> branches;
    const Node* concat = nullptr;
    /// The concatenation's only reader, where that is but an epilogue; else null.
    const Node* tail = nullptr;

    [[nodiscard]] const Node& last() const { return tail ? *tail : *concat; }
    [[nodiscard]] ValueId input() const { return branches[0]->inputs[0]; }
    [[nodiscard]] const Conv2d& conv(size_t branch) const { return std::get<Conv2d>(branches[branch]->op); }
    [[nodiscard]] Epilogue epilogue() const { return tail ? tail->epilogue : Epilogue{}; }
    /// What the epilogue adds.
    [[nodiscard]] ValueId added() const { return tail && tail->epilogue.add ? tail->inputs.back() : no_value; }
};

/// The pyramid whose concatenation is `anchor`. `is_branch` says which convolutions the pattern takes.
[[nodiscard]] std::optional<Pyramid> match_pyramid(const Node& anchor, const MatchContext& context,
                                                   bool (*is_branch)(const Conv2d&, int in_channels));
[[nodiscard]] Group group_of(const Pyramid& pyramid, const MatchContext& context);
/// The pyramid that a group was made of.
[[nodiscard]] Pyramid pyramid_of(const Group& group, const Graph& graph);

/// Output planes of branch 0, and of each other branch.
struct PyramidPlanes {
    int first = 0;
    int rest = 0;
    [[nodiscard]] int of(size_t branch) const { return branch == 0 ? first : rest; }
    /// First plane of a branch in the concatenation.
    [[nodiscard]] int start_of(size_t branch) const {
        return branch == 0 ? 0 : first + (static_cast<int>(branch) - 1) * rest;
    }
};
[[nodiscard]] PyramidPlanes planes_of(const Pyramid& pyramid, const LowerContext& context);

/// A dispatch that computes the pyramid, complete but for the weights, specialisation constants and grid.
[[nodiscard]] LoweredDispatch pyramid_dispatch(const Pyramid& pyramid, push::Pyramid& push, LowerContext& context);

}  // namespace vkseg
