#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

constexpr int largest_block = 8;

const Conv2d* plain_convolution(const Node& node) {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    return conv != nullptr && conv->groups == 1 && !node.epilogue.add ? conv : nullptr;
}

bool same_shape(const Node& left, const Node& right, const MatchContext& context) {
    const auto &a = std::get<Conv2d>(left.op), &b = std::get<Conv2d>(right.op);
    return a.kernel == b.kernel && a.stride == b.stride && a.dilation == b.dilation && a.padding == b.padding &&
           context.map(left.inputs[0]) == context.map(right.inputs[0]) &&
           context.map(left.output) == context.map(right.output) &&
           (left.epilogue.scale == no_constant) == (right.epilogue.scale == no_constant) &&
           left.epilogue.activation == right.epilogue.activation;
}

/// Nodes on the longest way from an input to each node. Nodes of one depth do not wait for each other, and pairs of
/// them never wait in a circle.
std::vector<int> depths(const MatchContext& context) {
    std::vector<int> depth;
    for (const Node& node : context.graph().nodes) {
        int deepest = 0;
        for (ValueId operand : node.inputs)
            if (const int maker = context.producers[static_cast<size_t>(operand)]; maker >= 0)
                deepest = std::max(deepest, depth[static_cast<size_t>(maker)] + 1);
        depth.push_back(deepest);
    }
    return depth;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    if (context.lower.cpu_shaped || plain_convolution(anchor) == nullptr) return std::nullopt;
    const std::vector<int> depth = depths(context);
    const int place = context.place_of(anchor);
    for (int other = 0; other < place; ++other) {
        const Node& twin = context.graph().nodes[static_cast<size_t>(other)];
        if (depth[static_cast<size_t>(other)] != depth[static_cast<size_t>(place)] ||
            plain_convolution(twin) == nullptr || twin.inputs[0] == anchor.inputs[0] ||
            !same_shape(twin, anchor, context))
            continue;
        Group group;
        group.nodes = {other, place};
        group.inputs = {twin.inputs[0], anchor.inputs[0]};
        group.reads_by_texel = {false, false};
        group.output = twin.output;
        group.second_output = anchor.output;
        return group;
    }
    return std::nullopt;
}

void lower_twins(const Group& group, LowerContext& context) {
    const std::array nodes{&context.graph.nodes[static_cast<size_t>(group.nodes[0])],
                           &context.graph.nodes[static_cast<size_t>(group.nodes[1])]};
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const auto& conv = std::get<Conv2d>(nodes[0]->op);
    const ChannelMap &in = planar(group.inputs[0]).map, &out = planar(group.output).map;
    const LoweredEpilogue epilogue = epilogue_constants(nodes[0]->epilogue);
    const auto local = workgroup_size(context);
    const auto size = [&](ValueId value) { return pack_halves(planar(value).width, planar(value).height); };

    for (const PlaneBlocks& part : split_planes(out.planes, largest_block, false)) {
        LoweredDispatch lowered;
        lowered.variant = catalog::twin_conv;
        lowered.arithmetic = context.arithmetic();
        lowered.in0 = {group.inputs[0], 0, in.planes};
        lowered.in1 = {group.inputs[1], 0, in.planes};
        lowered.out = {group.output, part.first, part.planes * part.blocks};
        lowered.out2 = {group.second_output, part.first, part.planes * part.blocks};
        lowered.out2_push_offset = offsetof(push::Twin, out2);
        push::Twin push{};
        for (const Node* node : nodes) {
            const auto& own = std::get<Conv2d>(node->op);
            for (int block = 0; block < part.blocks; ++block) {
                const uint64_t start = context.packed_bytes;
                const auto slots = out.channel_of_slot(part.first + block * part.planes, part.planes);
                const int first = pack_convolution(own, in, slots, lowered.arithmetic, context);
                pack_epilogue(node->epilogue, slots, context);
                if (lowered.first_packed < 0) lowered.first_packed = first;
                push.m.block_weights = static_cast<uint32_t>((context.packed_bytes - start) / 16);
            }
            const auto channels = static_cast<uint64_t>(std::ranges::count_if(
                out.channel_of_slot(part.first, part.planes * part.blocks), [](int channel) { return channel >= 0; }));
            lowered.dispatch.macs +=
                count_macs(*node, context.graph) / static_cast<uint64_t>(own.out_channels) * channels;
        }
        push.in_planes = static_cast<uint32_t>(in.planes);
        push.stride = pack_halves(conv.stride.w, conv.stride.h);
        push.dilation = pack_halves(conv.dilation.w, conv.dilation.h);
        push.origin = pack_halves(-conv.padding.left, -conv.padding.top);
        push.blocks = static_cast<uint32_t>(part.blocks);
        push.in_size2 = size(group.inputs[1]);
        push.out_size2 = size(group.second_output);
        const uint32_t pixels = part.planes > 4 ? 1 : 2;
        lowered.dispatch.specialization = {local[0],
                                           local[1],
                                           local[2],
                                           0,
                                           epilogue.scale_shift,
                                           epilogue.activation,
                                           static_cast<uint32_t>(part.planes),
                                           static_cast<uint32_t>(conv.kernel.h),
                                           static_cast<uint32_t>(conv.kernel.w),
                                           pixels};
        set_push(lowered.dispatch, push);
        const auto larger = [&](int PlanarValue::*side) {
            return static_cast<uint32_t>(std::max(planar(group.output).*side, planar(group.second_output).*side));
        };
        lowered.dispatch.group_count = {ceil_div(larger(&PlanarValue::width), local[0] * pixels),
                                        ceil_div(larger(&PlanarValue::height), local[1]),
                                        2 * static_cast<uint32_t>(part.blocks)};
        context.dispatches.push_back(std::move(lowered));
    }
}

}  // namespace

constinit const Pattern twin_conv{"twin_conv", match, lower_twins};

}  // namespace vkseg
