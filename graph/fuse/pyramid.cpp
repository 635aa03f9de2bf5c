#include "graph/fuse/pyramid.hpp"

#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

/// What the push constants hold.
constexpr size_t max_branches = 2 * std::size(push::Pyramid{}.dilations);
constexpr int max_dilation = 0xffff;

/// Every tap row centred: an odd kernel whose padding keeps the size.
bool keeps_size(const Conv2d& conv) {
    const int h = conv.dilation.h * (conv.kernel.h / 2), w = conv.dilation.w * (conv.kernel.w / 2);
    return conv.kernel.h % 2 == 1 && conv.kernel.w % 2 == 1 && conv.padding == pad_all(h, w);
}

bool adds(const Node& branch, ValueId value) {
    return branch.epilogue.add && branch.inputs.back() == value;
}

}  // namespace

std::optional<Pyramid> match_pyramid(const Node& anchor, const MatchContext& context,
                                     bool (*is_branch)(const Conv2d&, int in_channels)) {
    if (!std::holds_alternative<Concat>(anchor.op) || anchor.inputs.size() > max_branches) return std::nullopt;
    Pyramid pyramid;
    pyramid.concat = &anchor;
    for (ValueId operand : anchor.inputs) {
        const Node* branch = context.maker<Conv2d>(operand);
        if (branch == nullptr) return std::nullopt;
        pyramid.branches.push_back(branch);
    }
    const ValueId input = pyramid.input();
    const Conv2d& model = pyramid.conv(0);
    for (size_t i = 0; i < pyramid.branches.size(); ++i) {
        const Node& branch = *pyramid.branches[i];
        const Conv2d& conv = pyramid.conv(i);
        Epilogue sum;
        sum.add = branch.epilogue.add;
        const bool plain = branch.inputs[0] == input && keeps_size(conv) && conv.kernel == model.kernel &&
                           conv.stride == model.stride && conv.dilation.h == conv.dilation.w &&
                           conv.dilation.h <= max_dilation && is_branch(conv, context.graph().desc(input).channels()) &&
                           branch.epilogue.scale == no_constant &&
                           branch.epilogue.activation == Epilogue::Activation::None;
        const bool follows = i > 0 && adds(branch, anchor.inputs[i - 1]);
        const bool is_followed = i + 1 < anchor.inputs.size() && adds(*pyramid.branches[i + 1], anchor.inputs[i]);
        if (!plain || branch.epilogue.add != follows) return std::nullopt;
        // Nothing outside reads a branch: the sums before the epilogue are never stored.
        if (context.uses_of(anchor.inputs[i]) != (is_followed ? 2 : 1)) return std::nullopt;
        const int planes = context.map(anchor.inputs[i]).planes;
        if (i > 1 && planes != context.map(anchor.inputs[1]).planes) return std::nullopt;
        if (follows && planes != context.map(anchor.inputs[i - 1]).planes) return std::nullopt;
    }
    pyramid.tail = context.sole_epilogue(anchor.output);
    return pyramid;
}

Group group_of(const Pyramid& pyramid, const MatchContext& context) {
    Group group;
    for (const Node* branch : pyramid.branches) group.nodes.push_back(context.place_of(*branch));
    group.nodes.push_back(context.place_of(*pyramid.concat));
    if (pyramid.tail) group.nodes.push_back(context.place_of(*pyramid.tail));
    group.inputs = {pyramid.input()};
    group.reads_by_texel = {false};
    if (pyramid.added() != no_value) {
        group.inputs.push_back(pyramid.added());
        group.reads_by_texel.push_back(true);
    }
    group.output = pyramid.last().output;
    return group;
}

Pyramid pyramid_of(const Group& group, const Graph& graph) {
    Pyramid pyramid;
    const auto node = [&](int place) { return &graph.nodes[static_cast<size_t>(place)]; };
    for (int place : group.nodes)
        if (std::holds_alternative<Concat>(node(place)->op)) pyramid.concat = node(place);
    for (ValueId operand : pyramid.concat->inputs)
        for (int place : group.nodes)
            if (node(place)->output == operand) pyramid.branches.push_back(node(place));
    if (node(group.nodes.back()) != pyramid.concat) pyramid.tail = node(group.nodes.back());
    return pyramid;
}

PyramidPlanes planes_of(const Pyramid& pyramid, const LowerContext& context) {
    const auto planes = [&](size_t branch) {
        return context.planar[static_cast<size_t>(pyramid.branches[branch]->output)].map.planes;
    };
    return {planes(0), planes(pyramid.branches.size() > 1 ? 1 : 0)};
}

LoweredDispatch pyramid_dispatch(const Pyramid& pyramid, push::Pyramid& push, LowerContext& context) {
    const ValueId output = pyramid.last().output;
    const PlanarValue& out = context.planar[static_cast<size_t>(output)];
    const int in_planes = context.planar[static_cast<size_t>(pyramid.input())].map.planes;
    LoweredDispatch lowered;
    lowered.in0 = {pyramid.input(), 0, in_planes};
    lowered.out = {output, 0, out.map.planes};
    if (pyramid.added() != no_value)
        lowered.in1 = {context.in_map(pyramid.added(), ChannelMap(out.map)), 0, out.map.planes};

    const PyramidPlanes planes = planes_of(pyramid, context);
    push.in_planes = static_cast<uint32_t>(in_planes);
    push.branches = static_cast<uint32_t>(pyramid.branches.size());
    push.first_planes = static_cast<uint32_t>(planes.first);
    push.planes = static_cast<uint32_t>(planes.rest);
    push.stride = pack_halves(pyramid.conv(0).stride.w, pyramid.conv(0).stride.h);
    for (size_t i = 0; i < pyramid.branches.size(); ++i) {
        if (pyramid.branches[i]->epilogue.add) push.continues |= 1u << i;
        push.dilations[i / 2] |= static_cast<uint32_t>(pyramid.conv(i).dilation.h) << (16 * (i % 2));
        lowered.dispatch.macs += count_macs(*pyramid.branches[i], context.graph);
    }
    return lowered;
}

}  // namespace vkseg
