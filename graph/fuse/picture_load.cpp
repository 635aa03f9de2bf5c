#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>
#include <bit>

namespace vkseg {

namespace {

constexpr int largest_block = 8;
constexpr std::array<uint32_t, 3> tile{16, 8, 1};

/// What a network begins with: the picture at its size, perhaps scaled once more, and what reads that. Without `image`
/// the host gives floats.
struct Unit {
    const Node* image = nullptr;
    const Node* resize = nullptr;
    const Node* conv = nullptr;
    const Node* pool = nullptr;
    const Node* concat = nullptr;
    const Node* tail = nullptr;
};

Unit unit_of(const Group& group, const Graph& graph) {
    Unit unit;
    for (int place : group.nodes) {
        const Node& node = graph.nodes[static_cast<size_t>(place)];
        if (std::holds_alternative<ImageToTensor>(node.op)) unit.image = &node;
        if (std::holds_alternative<Resize>(node.op)) unit.resize = &node;
        if (std::holds_alternative<Conv2d>(node.op)) unit.conv = &node;
        if (std::holds_alternative<Pool2d>(node.op)) unit.pool = &node;
        if (std::holds_alternative<Concat>(node.op)) unit.concat = &node;
        if (std::holds_alternative<Identity>(node.op)) unit.tail = &node;
    }
    return unit;
}

/// Whether shared memory holds what a workgroup reads of the map.
bool fits(Axes kernel, Axes stride) {
    const int width = (static_cast<int>(tile[0]) - 1) * stride.w + kernel.w;
    const int height = (static_cast<int>(tile[1]) - 1) * stride.h + kernel.h;
    return width * height <= PICTURE_UNIT_TEXELS;
}

bool may_read_bytes(const Unit& unit) {
    const auto* conv = unit.conv ? &std::get<Conv2d>(unit.conv->op) : nullptr;
    const auto* pool = unit.pool ? &std::get<Pool2d>(unit.pool->op) : nullptr;
    if (conv != nullptr && (conv->groups != 1 || conv->dilation != Axes{1, 1} || unit.conv->epilogue.add ||
                            !fits(conv->kernel, conv->stride)))
        return false;
    if (pool != nullptr && (unit.pool->epilogue.add || !fits(pool->kernel, pool->stride))) return false;
    return conv == nullptr || pool == nullptr || conv->stride == pool->stride;
}

/// A convolution and a pooling that make one value are one unit.
bool is_of_down_unit(const Node& node, const MatchContext& context) {
    return std::ranges::any_of(context.graph().nodes, [&](const Node& reader) {
        if (!std::holds_alternative<Concat>(reader.op)) return false;
        const auto group = down_unit.match(reader, context);
        return group && std::ranges::find(group->nodes, context.place_of(node)) != group->nodes.end();
    });
}

/// The picture whose map this is, or the map itself where the host gives its floats.
std::optional<ValueId> host_value_of(ValueId map, bool floats, Group& group, const MatchContext& context) {
    const Graph& graph = context.graph();
    if (floats) {
        const bool is_input = context.producers[static_cast<size_t>(map)] < 0;
        if (!is_input || graph.desc(map).host_size_bytes() > context.lower.facts.max_storage_buffer_range)
            return std::nullopt;
        group.from_host = true;
        return map;
    }
    const Node* image = context.maker<ImageToTensor>(map);
    if (image == nullptr || std::get<ImageToTensor>(image->op).format == PixelFormat::Image) return std::nullopt;
    group.nodes.push_back(context.place_of(*image));
    group.recomputed = {context.place_of(*image)};
    return image->inputs[0];
}

std::optional<Group> match(const Node& anchor, const MatchContext& context, bool floats) {
    if (!context.lower.may_wait) return std::nullopt;
    const Graph& graph = context.graph();
    Group group;
    if (std::holds_alternative<Concat>(anchor.op)) {
        const auto down = down_unit.match(anchor, context);
        if (!down) return std::nullopt;
        group = *down;
    } else if (std::holds_alternative<Conv2d>(anchor.op) || std::holds_alternative<Pool2d>(anchor.op)) {
        if (graph.desc(anchor.inputs[0]).channels() != 3) return std::nullopt;
        group.nodes = {context.place_of(anchor)};
        group.inputs = {anchor.inputs[0]};
        group.output = anchor.output;
    } else {
        return std::nullopt;
    }
    ValueId map = group.inputs[0];
    const Node* resize = context.maker<Resize>(map);
    if (resize != nullptr) {
        if (!resize->epilogue.empty() || context.uses_of(map) != 1 ||
            std::get<Resize>(resize->op).mode == Resize::Mode::Nearest)
            return std::nullopt;
        group.nodes.push_back(context.place_of(*resize));
        map = resize->inputs[0];
    }
    const auto host = host_value_of(map, floats, group, context);
    if (!host || graph.desc(map).channels() != 3) return std::nullopt;
    const TensorDesc &picture = graph.desc(*host), &tensor = graph.desc(map);
    // One interpolation takes the place of two only where the first does nothing.
    if (resize != nullptr && (picture.width() != tensor.width() || picture.height() != tensor.height()))
        return std::nullopt;
    group.inputs = {*host};
    group.reads_by_texel = {false};
    if (!may_read_bytes(unit_of(group, graph)) ||
        (!std::holds_alternative<Concat>(anchor.op) && is_of_down_unit(anchor, context)))
        return std::nullopt;
    return group;
}

/// Bits 0 to 23: bytes of red, green, blue in the network's order; 24 to 26: bytes of a pixel, 0 for planes of floats;
/// 31: aligned corners.
uint32_t format_of(const ImageToTensor* image, bool aligned) {
    const uint32_t bytes =
        image ? colour_order(*image) | static_cast<uint32_t>(bytes_per_pixel(image->format)) << 24 : 0u;
    return bytes | (aligned ? 1u << 31 : 0u);
}

/// The numbers that normalise, as two vectors.
PackWords normalisation(const ImageToTensor& image) {
    PackWords recipe;
    for (const auto& numbers : {image.subtract, image.multiply}) {
        for (float number : numbers) recipe.words.push_back(std::bit_cast<uint32_t>(number));
        recipe.words.push_back(0);
    }
    return recipe;
}

void lower_unit(const Group& group, LowerContext& context) {
    const Graph& graph = context.graph;
    const Unit unit = unit_of(group, graph);
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const PlanarValue& out = planar(group.output);
    const auto* image = unit.image ? &std::get<ImageToTensor>(unit.image->op) : nullptr;
    const ValueId map = (unit.conv ? unit.conv : unit.pool)->inputs[0];
    const int conv_planes = unit.conv ? planar(unit.conv->output).map.planes : 0;
    const bool pool_leads = unit.concat && unit.concat->inputs[0] == unit.pool->output;
    const int conv_first = pool_leads ? 1 : 0, pool_first = unit.concat && !pool_leads ? conv_planes : 0;
    const Epilogue epilogue =
        unit.concat ? (unit.tail ? unit.tail->epilogue : Epilogue{}) : (unit.conv ? unit.conv : unit.pool)->epilogue;
    // Where each member's planes lie: in the concatenation, or in the member's own result.
    const ChannelMap& joined = unit.concat ? planar(unit.concat->output).map : out.map;
    // Equal blocks, filled up with zeros.
    const int blocks = (conv_planes + largest_block - 1) / largest_block;
    const int planes = blocks > 0 ? (conv_planes + blocks - 1) / blocks : 1;

    LoweredDispatch lowered;
    lowered.variant = catalog::picture_unit;
    lowered.out = {group.output, 0, out.map.planes};
    lowered.first_packed = static_cast<int>(context.packed.size());
    const uint64_t start = context.packed_bytes;
    const auto packed_vectors = [&] { return static_cast<uint32_t>((context.packed_bytes - start) / 16); };
    push::PictureUnit push{};
    Axes kernel{1, 1}, stride{1, 1};
    uint32_t pool_mode = 0;
    if (unit.conv) {
        const auto& conv = std::get<Conv2d>(unit.conv->op);
        const ChannelMap& own = planar(unit.conv->output).map;
        for (int block = 0; block < blocks; ++block) {
            const auto slots = [&](const ChannelMap& of, int from) {
                return slots_of(of, from, conv_planes, block * planes, planes);
            };
            pack_convolution(conv, ChannelMap::dense(3), slots(own, 0), lowered.arithmetic, context);
            pack_epilogue(epilogue, slots(joined, conv_first), context);
        }
        push.m.block_weights = packed_vectors() / static_cast<uint32_t>(blocks);
        push.origin = pack_halves(-conv.padding.left, -conv.padding.top);
        kernel = conv.kernel;
        stride = conv.stride;
        lowered.dispatch.macs = count_macs(*unit.conv, graph);
    }
    if (unit.pool) {
        const auto& pool = std::get<Pool2d>(unit.pool->op);
        push.pool_weights = packed_vectors();
        pack_epilogue(epilogue, joined.channel_of_slot(pool_first, 1), context);
        push.pool_kernel = pack_halves(pool.kernel.w, pool.kernel.h);
        push.pool_padding = pack_halves(pool.padding.w, pool.padding.h);
        pool_mode = pool.kind == Pool2d::Kind::Max ? 0 : pool.count_include_pad ? 1 : 2;
        stride = pool.stride;
    }
    push.normalise = packed_vectors();
    context.pack(normalisation(image ? *image : ImageToTensor{}));

    const TensorDesc &picture = graph.desc(group.inputs[0]), &size = graph.desc(map);
    const bool aligned = unit.resize && std::get<Resize>(unit.resize->op).mode == Resize::Mode::BilinearAligned;
    push.m.in_size = pack_halves(picture.width(), picture.height());
    push.format = format_of(image, aligned);
    push.scale_x = sampling_scale(picture.width(), size.width(), aligned);
    push.scale_y = sampling_scale(picture.height(), size.height(), aligned);
    push.map_size = pack_halves(size.width(), size.height());
    push.stride = pack_halves(stride.w, stride.h);
    push.conv_blocks = static_cast<uint32_t>(blocks);
    push.conv_planes = static_cast<uint32_t>(conv_planes);
    push.conv_first = static_cast<uint32_t>(conv_first);
    push.pool_first = static_cast<uint32_t>(pool_first);
    const LoweredEpilogue flags = epilogue_constants(epilogue);
    Dispatch& dispatch = lowered.dispatch;
    dispatch.specialization = {tile[0],
                               tile[1],
                               tile[2],
                               0,
                               flags.scale_shift,
                               flags.activation,
                               static_cast<uint32_t>(planes),
                               static_cast<uint32_t>(kernel.h),
                               static_cast<uint32_t>(kernel.w),
                               pool_mode};
    dispatch.host = {context.host_binding(0, group.inputs[0], false)};
    dispatch.bytes_read = dispatch.host[0].size_bytes;
    set_push(dispatch, push);
    dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), tile[0]),
                            ceil_div(static_cast<uint32_t>(out.height), tile[1]),
                            static_cast<uint32_t>(blocks + (unit.pool ? 1 : 0))};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace

constinit const Pattern picture_load{
    "picture_load", [](const Node& anchor, const MatchContext& context) { return match(anchor, context, false); },
    lower_unit};
constinit const Pattern host_load{
    "host_load", [](const Node& anchor, const MatchContext& context) { return match(anchor, context, true); },
    lower_unit};

}  // namespace vkseg
