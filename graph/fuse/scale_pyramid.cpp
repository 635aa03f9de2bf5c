#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

constexpr std::array<uint32_t, 3> tile{16, 4, 1};
constexpr size_t max_branches = std::size(push::ScalePyramid{}.sizes);

/// How a map comes to another size; the numbers are those of scale_pyramid.comp.
enum class Way : uint32_t { Same, Bilinear, Aligned, Mean };

/// What scales, if the node does no more than that.
std::optional<Way> way_of(const Node* node) {
    if (node == nullptr || !node->epilogue.empty()) return std::nullopt;
    if (std::holds_alternative<AdaptiveAvgPool2d>(node->op)) return Way::Mean;
    const auto* resize = std::get_if<Resize>(&node->op);
    if (resize == nullptr || resize->mode == Resize::Mode::Nearest) return std::nullopt;
    return resize->mode == Resize::Mode::Bilinear ? Way::Bilinear : Way::Aligned;
}

/// A map through a convolution of its planes, at a size of its own.
struct Branch {
    const Node* there = nullptr;
    const Node* conv = nullptr;
    const Node* back = nullptr;
    [[nodiscard]] ValueId input() const { return (there ? there : conv)->inputs[0]; }
    [[nodiscard]] Way way_there() const { return there ? *way_of(there) : Way::Same; }
    [[nodiscard]] Way way_back() const { return back ? *way_of(back) : Way::Same; }
    [[nodiscard]] const Conv2d& op() const { return std::get<Conv2d>(conv->op); }
};

bool is_plain_depthwise(const Node& node, int channels) {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    return conv != nullptr && node.epilogue.empty() && conv->groups > 1 && conv->groups == channels &&
           conv->out_channels == channels && conv->kernel == Axes{3, 3} && conv->stride == Axes{1, 1} &&
           conv->dilation == Axes{1, 1} && conv->padding == pad_all(1, 1);
}

/// `maker(value)` gives the node that makes a value, or null.
template <typename Maker>
std::optional<Branch> branch_of(ValueId result, const Graph& graph, const Maker& maker) {
    Branch branch;
    const Node* node = maker(result);
    if (way_of(node)) {
        branch.back = node;
        node = maker(node->inputs[0]);
    }
    if (node == nullptr || !is_plain_depthwise(*node, graph.desc(result).channels())) return std::nullopt;
    branch.conv = node;
    if (const Node* there = maker(node->inputs[0]); way_of(there)) branch.there = there;
    return branch;
}

/// Whether shared memory holds what a tile needs of the convolution.
bool fits(const Branch& branch, const Graph& graph) {
    const TensorDesc &mid = graph.desc(branch.conv->output),
                     &out = graph.desc((branch.back ? branch.back : branch.conv)->output);
    // A tile may begin and end inside a pixel, and bilinear sampling reads one more.
    const auto reach = [](uint32_t side, int from, int to) {
        return uint64_t{side} * static_cast<uint64_t>(from) / static_cast<uint64_t>(to) + 3;
    };
    const uint64_t width = reach(tile[0], mid.width(), out.width()),
                   height = reach(tile[1], mid.height(), out.height());
    return width * height <= SCALE_PYRAMID_CONVOLVED_TEXELS &&
           (width + 2) * (height + 2) <= SCALE_PYRAMID_SCALED_TEXELS;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const Graph& graph = context.graph();
    if (!context.lower.may_wait || !std::holds_alternative<Concat>(anchor.op) || anchor.inputs.size() > max_branches)
        return std::nullopt;
    const auto maker = [&](ValueId value) {
        const int place = context.producers[static_cast<size_t>(value)];
        return place < 0 ? nullptr : &graph.nodes[static_cast<size_t>(place)];
    };
    Group group;
    ValueId input = no_value;
    bool scales = false;
    for (ValueId operand : anchor.inputs) {
        const auto branch = branch_of(operand, graph, maker);
        if (!branch || !fits(*branch, graph)) return std::nullopt;
        if (input == no_value) input = branch->input();
        if (branch->input() != input || context.map(operand) != context.map(input)) return std::nullopt;
        for (const Node* node : {branch->there, branch->conv, branch->back}) {
            if (node == nullptr) continue;
            if (context.uses_of(node->output) != 1) return std::nullopt;
            group.nodes.push_back(context.place_of(*node));
        }
        scales = scales || branch->there || branch->back;
    }
    if (!scales) return std::nullopt;
    group.nodes.push_back(context.place_of(anchor));
    const Node* tail = context.sole_epilogue(anchor.output);
    if (tail != nullptr && tail->epilogue.add) tail = nullptr;
    if (tail) group.nodes.push_back(context.place_of(*tail));
    group.inputs = {input};
    group.reads_by_texel = {false};
    group.output = tail ? tail->output : anchor.output;
    return group;
}

void lower_pyramid(const Group& group, LowerContext& context) {
    const Graph& graph = context.graph;
    const Node* concat = nullptr;
    const Node* tail = nullptr;
    for (int place : group.nodes) {
        const Node& node = graph.nodes[static_cast<size_t>(place)];
        if (std::holds_alternative<Concat>(node.op)) concat = &node;
        if (std::holds_alternative<Identity>(node.op)) tail = &node;
    }
    const auto maker = [&](ValueId value) -> const Node* {
        for (int place : group.nodes)
            if (const Node& node = graph.nodes[static_cast<size_t>(place)]; node.output == value) return &node;
        return nullptr;
    };
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const Epilogue epilogue = tail ? tail->epilogue : Epilogue{};
    const LoweredEpilogue flags = epilogue_constants(epilogue);
    const ChannelMap &in = planar(group.inputs[0]).map, &joined = planar(concat->output).map;
    const PlanarValue& out = planar(group.output);

    LoweredDispatch lowered;
    lowered.variant = catalog::scale_pyramid;
    lowered.in0 = {group.inputs[0], 0, in.planes};
    lowered.out = {group.output, 0, out.map.planes};
    lowered.first_packed = static_cast<int>(context.packed.size());
    push::ScalePyramid push{};
    push.planes = static_cast<uint32_t>(in.planes);
    const uint64_t start = context.packed_bytes;
    for (size_t i = 0; i < concat->inputs.size(); ++i) {
        const Branch branch = *branch_of(concat->inputs[i], graph, maker);
        const PlanarValue& mid = planar(branch.conv->output);
        push.sizes[i] = pack_halves(mid.width, mid.height);
        push.ways |= (static_cast<uint32_t>(branch.way_there()) | static_cast<uint32_t>(branch.way_back()) << 2)
                     << (4 * i);
        for (int plane = 0; plane < in.planes; ++plane) {
            const auto own = in.channel_of_slot(plane, 1);
            context.pack(PackDepthwise{branch.op().weight, own, all_taps({3, 3})});
            context.pack(PackVector{branch.op().bias, 0.0f, own});
            pack_epilogue(epilogue, joined.channel_of_slot(static_cast<int>(i) * in.planes + plane, 1), context);
        }
        lowered.dispatch.macs += count_macs(*branch.conv, graph);
    }
    const auto blocks = static_cast<uint32_t>(out.map.planes);
    push.m.block_weights = static_cast<uint32_t>((context.packed_bytes - start) / 16) / blocks;
    lowered.dispatch.specialization = {tile[0], tile[1], tile[2], 0, flags.scale_shift, flags.activation, 1};
    set_push(lowered.dispatch, push);
    lowered.dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), tile[0]),
                                    ceil_div(static_cast<uint32_t>(out.height), tile[1]), blocks};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace

constinit const Pattern scale_pyramid{"scale_pyramid", match, lower_pyramid};

}  // namespace vkseg
