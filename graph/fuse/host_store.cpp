#include "graph/fuse/patterns.hpp"
#include "graph/lower/conv_tiling.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace vkseg {

namespace {

/// Whether a CPU-shaped dispatch has the whole sum of a pixel: parts of it add up in the arena.
bool sums_at_once(const ConvTranspose2d& conv, const Node& node, const MatchContext& context) {
    const int taps =
        ((conv.kernel.h + conv.stride.h - 1) / conv.stride.h) * ((conv.kernel.w + conv.stride.w - 1) / conv.stride.w);
    return 16 * taps * context.map(node.inputs[0]).planes * context.map(node.output).planes <=
           max_unrolled_macs_of_a_phase;
}

bool may_store(const Node& node, const MatchContext& context) {
    if (context.lower.cpu_shaped) {
        const auto* conv = std::get_if<ConvTranspose2d>(&node.op);
        return conv != nullptr ? sums_at_once(*conv, node, context) : std::holds_alternative<Resize>(node.op);
    }
    if (const auto* conv = std::get_if<Conv2d>(&node.op))
        return !is_depthwise(*conv, context.graph().desc(node.inputs[0]).channels());
    return std::holds_alternative<ConvTranspose2d>(node.op) || std::holds_alternative<Resize>(node.op);
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const Graph& graph = context.graph();
    if (!may_store(anchor, context) || anchor.epilogue.add || context.uses_of(anchor.output) != 1 ||
        std::ranges::find(graph.outputs, anchor.output) == graph.outputs.end())
        return std::nullopt;
    const TensorDesc& desc = graph.desc(anchor.output);
    if (context.map(anchor.output) != ChannelMap::dense(desc.channels()) ||
        desc.host_size_bytes() > context.lower.facts.max_storage_buffer_range)
        return std::nullopt;
    Group group;
    group.nodes = {context.place_of(anchor)};
    group.inputs = anchor.inputs;
    group.reads_by_texel.assign(anchor.inputs.size(), false);
    group.output = anchor.output;
    group.to_host = true;
    return group;
}

void lower_host_store(const Group& group, LowerContext& context) {
    const Node& node = context.graph.nodes[static_cast<size_t>(group.nodes[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(group.output)];
    const size_t first = context.dispatches.size();
    lower(node, context);
    const uint64_t pixels = static_cast<uint64_t>(out.width) * static_cast<uint64_t>(out.height);
    for (LoweredDispatch& lowered : std::span(context.dispatches).subspan(first)) {
        lowered.dispatch.label = label_of(group, context.graph);
        lowered.variant = std::holds_alternative<Resize>(node.op) ? catalog::resize_to_host : catalog::conv2d_to_host;
        push::Memory memory;
        std::memcpy(&memory, lowered.dispatch.push.data(), sizeof(memory));
        memory.out_base = static_cast<uint32_t>(static_cast<uint64_t>(lowered.out.first_plane) * pixels);
        memory.out_stride = static_cast<uint32_t>(pixels);
        memory.out_size = pack_halves(out.width, out.height);
        memory.host_channels = static_cast<uint32_t>(context.graph.desc(group.output).channels());
        std::memcpy(lowered.dispatch.push.data(), &memory, sizeof(memory));
        lowered.dispatch.host = {context.host_binding(0, group.output, true)};
        const auto slots = out.map.channel_of_slot(lowered.out.first_plane, lowered.out.plane_count);
        lowered.dispatch.bytes_written =
            static_cast<uint64_t>(std::ranges::count_if(slots, [](int channel) { return channel >= 0; })) * pixels *
            sizeof(float);
        lowered.out = {};
    }
}

}  // namespace

constinit const Pattern host_store{"host_store", match, lower_host_store};

}  // namespace vkseg
