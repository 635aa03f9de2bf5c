#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace vkseg {

namespace {

/// A value can lie in one concatenation only; for the other it would be copied.
bool lies_in_another(ValueId operand, const Node& concat, const MatchContext& context) {
    return std::ranges::any_of(context.graph().nodes, [&](const Node& node) {
        return &node != &concat && std::holds_alternative<Concat>(node.op) &&
               std::ranges::find(node.inputs, operand) != node.inputs.end();
    });
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const auto* conv = std::get_if<Conv2d>(&anchor.op);
    // The second operand takes the place of what an epilogue would add.
    if (conv == nullptr || conv->groups != 1 || anchor.epilogue.add || context.lower.cpu_shaped) return std::nullopt;
    const Node* concat = context.maker<Concat>(anchor.inputs[0]);
    if (concat == nullptr || concat->inputs.size() != 2 || context.uses_of(concat->output) != 1) return std::nullopt;
    if (std::ranges::none_of(concat->inputs,
                             [&](ValueId operand) { return lies_in_another(operand, *concat, context); }))
        return std::nullopt;
    Group group;
    group.nodes = {context.place_of(*concat), context.place_of(anchor)};
    group.inputs = concat->inputs;
    group.reads_by_texel = {false, false};
    group.output = anchor.output;
    return group;
}

void lower_concat_load(const Group& group, LowerContext& context) {
    const Node& conv = context.graph.nodes[static_cast<size_t>(group.nodes.back())];
    const size_t first = context.dispatches.size();
    lower_conv2d(std::get<Conv2d>(conv.op), conv, {}, context);
    // As if the concatenation were there; then its two parts in its place.
    const auto whole = [&](ValueId operand) {
        return PlaneRange{operand, 0, context.planar[static_cast<size_t>(operand)].map.planes};
    };
    for (LoweredDispatch& lowered : std::span(context.dispatches).subspan(first)) {
        lowered.in0 = whole(group.inputs[0]);
        lowered.in1 = whole(group.inputs[1]);
        lowered.dispatch.specialization[conv_split_constant] = 1;
        const auto split = static_cast<uint32_t>(lowered.in0.plane_count);
        std::memcpy(lowered.dispatch.push.data() + offsetof(push::Conv, split), &split, sizeof(split));
    }
}

}  // namespace

constinit const Pattern concat_load{"concat_load", match, lower_concat_load};

}  // namespace vkseg
