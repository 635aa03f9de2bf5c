#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

constexpr int largest_block = 8;

/// The members, and the planes of the result that each operand takes.
struct Unit {
    const Node* conv = nullptr;
    const Node* pool = nullptr;
    const Node* concat = nullptr;
    const Node* tail = nullptr;
};

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    if (context.lower.cpu_shaped || !std::holds_alternative<Concat>(anchor.op) || anchor.inputs.size() != 2)
        return std::nullopt;
    Unit unit;
    for (ValueId operand : anchor.inputs) {
        if (const Node* conv = context.maker<Conv2d>(operand)) unit.conv = conv;
        if (const Node* pool = context.maker<Pool2d>(operand)) unit.pool = pool;
    }
    if (unit.conv == nullptr || unit.pool == nullptr || unit.conv->inputs[0] != unit.pool->inputs[0] ||
        std::get<Conv2d>(unit.conv->op).groups != 1)
        return std::nullopt;
    for (const Node* node : {unit.conv, unit.pool})
        if (!node->epilogue.empty() || context.uses_of(node->output) != 1) return std::nullopt;
    unit.tail = context.sole_epilogue(anchor.output);
    if (unit.tail != nullptr && unit.tail->epilogue.add) unit.tail = nullptr;
    Group group;
    group.nodes = {context.place_of(*unit.conv), context.place_of(*unit.pool), context.place_of(anchor)};
    if (unit.tail) group.nodes.push_back(context.place_of(*unit.tail));
    group.inputs = {unit.conv->inputs[0]};
    group.reads_by_texel = {false};
    group.output = unit.tail ? unit.tail->output : anchor.output;
    return group;
}

Unit unit_of(const Group& group, const Graph& graph) {
    Unit unit;
    for (int place : group.nodes) {
        const Node& node = graph.nodes[static_cast<size_t>(place)];
        if (std::holds_alternative<Conv2d>(node.op)) unit.conv = &node;
        if (std::holds_alternative<Pool2d>(node.op)) unit.pool = &node;
        if (std::holds_alternative<Concat>(node.op)) unit.concat = &node;
        if (std::holds_alternative<Identity>(node.op)) unit.tail = &node;
    }
    return unit;
}

void lower_unit(const Group& group, LowerContext& context) {
    const Unit unit = unit_of(group, context.graph);
    const auto& conv = std::get<Conv2d>(unit.conv->op);
    const auto& pool = std::get<Pool2d>(unit.pool->op);
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const Epilogue epilogue = unit.tail ? unit.tail->epilogue : Epilogue{};
    const ChannelMap &in = planar(group.inputs[0]).map, &joined = planar(unit.concat->output).map;
    const PlanarValue& out = planar(group.output);
    const int conv_planes = planar(unit.conv->output).map.planes, pool_planes = planar(unit.pool->output).map.planes;
    const bool conv_leads = unit.concat->inputs[0] == unit.conv->output;
    const int conv_first = conv_leads ? 0 : pool_planes, pool_first = conv_leads ? conv_planes : 0;
    // Equal blocks, filled up with zeros.
    const int blocks = (conv_planes + largest_block - 1) / largest_block, planes = (conv_planes + blocks - 1) / blocks;

    LoweredDispatch lowered;
    lowered.variant = catalog::down_unit;
    lowered.arithmetic = context.arithmetic();
    lowered.in0 = {group.inputs[0], 0, in.planes};
    lowered.out = {group.output, 0, out.map.planes};
    lowered.first_packed = static_cast<int>(context.packed.size());
    const uint64_t start = context.packed_bytes;
    for (int block = 0; block < blocks; ++block) {
        const auto slots = [&](const ChannelMap& map, int from) {
            return slots_of(map, from, conv_planes, block * planes, planes);
        };
        pack_convolution(conv, in, slots(planar(unit.conv->output).map, 0), lowered.arithmetic, context);
        pack_epilogue(epilogue, slots(joined, conv_first), context);
    }
    push::Down push{};
    const auto vectors = static_cast<uint32_t>((context.packed_bytes - start) / 16);
    push.m.block_weights = vectors / static_cast<uint32_t>(blocks);
    push.pool_weights = vectors;
    for (int plane = 0; plane < pool_planes; ++plane)
        pack_epilogue(epilogue, joined.channel_of_slot(pool_first + plane, 1), context);

    push.in_planes = static_cast<uint32_t>(in.planes);
    push.stride = pack_halves(conv.stride.w, conv.stride.h);
    push.dilation = pack_halves(conv.dilation.w, conv.dilation.h);
    push.origin = pack_halves(-conv.padding.left, -conv.padding.top);
    push.conv_blocks = static_cast<uint32_t>(blocks);
    push.conv_planes = static_cast<uint32_t>(conv_planes);
    push.conv_first = static_cast<uint32_t>(conv_first);
    push.pool_first = static_cast<uint32_t>(pool_first);
    push.pool_kernel = pack_halves(pool.kernel.w, pool.kernel.h);
    push.pool_stride = pack_halves(pool.stride.w, pool.stride.h);
    push.pool_padding = pack_halves(pool.padding.w, pool.padding.h);
    const LoweredEpilogue flags = epilogue_constants(epilogue);
    const auto local = workgroup_size(context);
    const uint32_t pixels = planes > 4 ? 1 : 2;
    const uint32_t mode = pool.kind == Pool2d::Kind::Max ? 0 : pool.count_include_pad ? 1 : 2;
    lowered.dispatch.specialization = {local[0],
                                       local[1],
                                       local[2],
                                       0,
                                       flags.scale_shift,
                                       flags.activation,
                                       static_cast<uint32_t>(planes),
                                       static_cast<uint32_t>(conv.kernel.h),
                                       static_cast<uint32_t>(conv.kernel.w),
                                       pixels,
                                       mode};
    lowered.dispatch.macs = count_macs(*unit.conv, context.graph);
    set_push(lowered.dispatch, push);
    lowered.dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0] * pixels),
                                    ceil_div(static_cast<uint32_t>(out.height), local[1]),
                                    static_cast<uint32_t>(blocks + pool_planes)};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace

constinit const Pattern down_unit{"down_unit", match, lower_unit};

}  // namespace vkseg
