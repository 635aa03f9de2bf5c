#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"

#include <span>

namespace vkseg {

namespace {

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    if (context.lower.cpu_shaped || !std::holds_alternative<Multiply>(anchor.op) || !anchor.epilogue.empty())
        return std::nullopt;
    const Node* conv = context.maker<Conv2d>(anchor.inputs[0]);
    // The gate takes the place of what an epilogue would add.
    if (conv == nullptr || conv->epilogue.add || context.uses_of(conv->output) != 1 ||
        context.map(conv->output) != context.map(anchor.output))
        return std::nullopt;
    Group group;
    group.nodes = {context.place_of(*conv), context.place_of(anchor)};
    group.inputs = {conv->inputs[0], anchor.inputs[1]};
    group.reads_by_texel = {false, false};
    group.output = anchor.output;
    return group;
}

void lower_gated(const Group& group, LowerContext& context) {
    Node conv = context.graph.nodes[static_cast<size_t>(group.nodes.front())];
    conv.output = group.output;
    const ValueId gate =
        context.in_map(group.inputs[1], ChannelMap(context.planar[static_cast<size_t>(group.output)].map));
    const size_t first = context.dispatches.size();
    lower_conv2d(std::get<Conv2d>(conv.op), conv, {}, context);
    for (LoweredDispatch& lowered : std::span(context.dispatches).subspan(first)) {
        lowered.in1 = {gate, lowered.out.first_plane, lowered.out.plane_count};
        const bool depthwise = lowered.variant == catalog::depthwise_conv2d;
        lowered.dispatch.specialization[depthwise ? depthwise_gate_constant : conv_gate_constant] = 1;
    }
}

}  // namespace

constinit const Pattern gated_conv{"gated_conv", match, lower_gated};

}  // namespace vkseg
