#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace vkseg {

namespace {

constexpr size_t max_operands = std::size(push::ResizeConv{}.sizes);
constexpr int max_planes = 0xff;  // of an operand

/// How an operand comes to its size; the numbers are those of resize_conv.comp.
enum class Way : uint32_t { Same, Bilinear, Aligned };

/// The node that makes an operand, if it does nothing but scale it bilinearly.
template <typename Maker>
const Node* scaler_of(ValueId operand, const Maker& maker) {
    const Node* node = maker(operand);
    if (node == nullptr || !node->epilogue.empty()) return nullptr;
    const auto* resize = std::get_if<Resize>(&node->op);
    return resize != nullptr && resize->mode != Resize::Mode::Nearest ? node : nullptr;
}

int64_t pixels_of(ValueId value, const Graph& graph) {
    return int64_t{graph.desc(value).width()} * graph.desc(value).height();
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const auto* conv = std::get_if<Conv2d>(&anchor.op);
    if (conv == nullptr || context.lower.cpu_shaped || anchor.epilogue.add || conv->kernel != Axes{1, 1} ||
        conv->stride != Axes{1, 1} || conv->padding != Padding{} ||
        (conv->groups > 1 && conv->groups == conv->out_channels))
        return std::nullopt;
    const Node* concat = context.maker<Concat>(anchor.inputs[0]);
    if (concat == nullptr || context.uses_of(concat->output) != 1 || concat->inputs.size() < 2 ||
        concat->inputs.size() > max_operands ||
        std::ranges::any_of(concat->inputs, [&](ValueId operand) { return context.map(operand).planes > max_planes; }))
        return std::nullopt;
    // From the third operand on, one binding shows several.
    if (concat->inputs.size() > 2 && !context.lower.second_outputs) return std::nullopt;
    const Graph& graph = context.graph();
    Group group;
    for (ValueId operand : concat->inputs) {
        const Node* scaler = scaler_of(operand, [&](ValueId value) { return context.maker<Resize>(value); });
        // To shrink a map here would read more than the small one.
        if (scaler != nullptr && context.uses_of(operand) == 1 &&
            pixels_of(scaler->inputs[0], graph) < pixels_of(operand, graph)) {
            group.nodes.push_back(context.place_of(*scaler));
            group.inputs.push_back(scaler->inputs[0]);
        } else {
            group.inputs.push_back(operand);
        }
    }
    if (group.nodes.empty()) return std::nullopt;
    group.nodes.push_back(context.place_of(*concat));
    group.nodes.push_back(context.place_of(anchor));
    group.reads_by_texel.assign(group.inputs.size(), false);
    group.output = anchor.output;
    return group;
}

void lower_resize_load(const Group& group, LowerContext& context) {
    const Graph& graph = context.graph;
    const Node& conv = graph.nodes[static_cast<size_t>(group.nodes.back())];
    const auto maker = [&](ValueId value) -> const Node* {
        for (int place : group.nodes)
            if (const Node& node = graph.nodes[static_cast<size_t>(place)]; node.output == value) return &node;
        return nullptr;
    };
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const auto whole = [&](ValueId value) { return PlaneRange{value, 0, planar(value).map.planes}; };
    push::ResizeConv operands{};
    const std::vector<ValueId>& joined = maker(conv.inputs[0])->inputs;
    for (size_t i = 0; i < joined.size(); ++i) {
        const Node* scaler = scaler_of(joined[i], maker);
        const PlanarValue& source = planar(group.inputs[i]);
        const Way way = scaler == nullptr                                                    ? Way::Same
                        : std::get<Resize>(scaler->op).mode == Resize::Mode::BilinearAligned ? Way::Aligned
                                                                                             : Way::Bilinear;
        operands.ways |= static_cast<uint32_t>(way) << (2 * i);
        (i < 4 ? operands.planes_of : operands.planes_of_last) |= static_cast<uint32_t>(source.map.planes)
                                                                  << (8 * (i % 4));
        operands.sizes[i] = pack_halves(source.width, source.height);
    }
    // As if the concatenation were there; then its parts in its place.
    const size_t first = context.dispatches.size();
    lower_conv2d(std::get<Conv2d>(conv.op), conv, {}, context);
    for (LoweredDispatch& lowered : std::span(context.dispatches).subspan(first)) {
        push::Conv made;
        std::memcpy(&made, lowered.dispatch.push.data(), sizeof(made));
        push::ResizeConv push = operands;
        push.m = made.m;
        push.in_planes = made.in_planes;
        push.block_in = made.block_in;
        push.plane_step = made.plane_step;
        push.first_plane = static_cast<uint32_t>(lowered.in0.first_plane);
        set_push(lowered.dispatch, push);
        lowered.variant = catalog::resize_conv;
        lowered.in0 = whole(group.inputs[0]);
        lowered.in1 = whole(group.inputs[1]);
        for (ValueId value : std::span(group.inputs).subspan(2)) lowered.more_in.push_back(whole(value));
        lowered.more_in_push_offset = offsetof(push::ResizeConv, bases);
        std::vector<uint32_t>& constants = lowered.dispatch.specialization;
        constants[7] = constants[conv_pixels_constant];
        constants.resize(8);
    }
}

}  // namespace

constinit const Pattern resize_load{"resize_load", match, lower_resize_load};

}  // namespace vkseg
