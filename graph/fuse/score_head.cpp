#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

/// What makes the scores, when the classes are asked for at the scores' own size: every sampling takes each pixel as
/// it is.
const Node* maker_of_scores(const Node& argmax, const MatchContext& context) {
    if (!std::holds_alternative<Argmax>(argmax.op)) return nullptr;
    const ValueId scores = argmax.inputs[0];
    const TensorDesc &from = context.graph().desc(scores), &to = context.graph().desc(argmax.output);
    const int place = context.producers[static_cast<size_t>(scores)];
    if (place < 0 || from.width() != to.width() || from.height() != to.height() || context.uses_of(scores) != 1)
        return nullptr;
    const Node& maker = context.graph().nodes[static_cast<size_t>(place)];
    return maker.epilogue.empty() ? &maker : nullptr;
}

bool is_last_convolution(const Node& node, const LowerContext& context) {
    // Four neighbours of a row take different taps, and a CPU loads weights fast only where all lanes take the same.
    if (context.cpu_shaped) return false;
    if (const auto* conv = std::get_if<Conv2d>(&node.op))
        return conv->groups == 1 && conv->padding.left >= 0 && conv->padding.top >= 0;
    const auto* transposed = std::get_if<ConvTranspose2d>(&node.op);
    return transposed != nullptr && transposed->groups == 1;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const Node* scores = maker_of_scores(anchor, context);
    if (scores == nullptr) return std::nullopt;
    if (!std::holds_alternative<Resize>(scores->op) && !is_last_convolution(*scores, context.lower))
        return std::nullopt;
    Group group;
    group.nodes = {context.place_of(*scores), context.place_of(anchor)};
    // A resize may have a further operand, of which only the size counts.
    group.inputs = {scores->inputs[0]};
    group.reads_by_texel = {false};
    group.output = anchor.output;
    return group;
}

/// The weights of a convolution, normal or transposed, as one kernel takes both.
struct Head {
    ConstId weight, bias;
    Axes kernel, stride, dilation;
    Padding padding;
    int out_channels;
    bool transposed;
};

Head head_of(const Node& node) {
    const auto head = [](const auto& op, bool transposed) {
        return Head{op.weight, op.bias, op.kernel, op.stride, op.dilation, op.padding, op.out_channels, transposed};
    };
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) return head(*conv, false);
    return head(std::get<ConvTranspose2d>(node.op), true);
}

void lower_convolution_head(const Node& node, ValueId labels, LowerContext& context) {
    const Head head = head_of(node);
    const PlanarValue& in = context.planar[static_cast<size_t>(node.inputs[0])];
    const ChannelMap classes = ChannelMap::dense(head.out_channels);
    // Equal chunks of at most 8 planes, filled up with zeros.
    const int chunks = (classes.planes + 7) / 8, planes = (classes.planes + chunks - 1) / chunks;

    LoweredDispatch lowered = labels_dispatch(labels, context);
    lowered.variant = catalog::score_head;
    lowered.in0 = {node.inputs[0], 0, in.map.planes};
    push::Head push{};
    push.m.out_size = labels_size(labels, context);
    for (int chunk = 0; chunk < chunks; ++chunk) {
        const uint64_t start = context.packed_bytes;
        const int real = std::min(planes, classes.planes - chunk * planes);
        auto slots = classes.channel_of_slot(chunk * planes, real);
        slots.resize(static_cast<size_t>(planes) * 4, -1);
        PackConv recipe;
        recipe.weight = head.weight;
        recipe.transposed = head.transposed;
        recipe.in_channels = static_cast<int>(in.map.slot_of_channel.size());
        recipe.out_channels = head.out_channels;
        recipe.in_channel_of_slot = in.map.channel_of_slot();
        recipe.out_channel_of_slot = slots;
        recipe.taps = all_taps(head.kernel);
        const int first = context.pack(std::move(recipe));
        context.pack(PackVector{head.bias, 0.0f, slots});
        if (chunk == 0) lowered.first_packed = first;
        push.m.block_weights = static_cast<uint32_t>((context.packed_bytes - start) / 16);
    }
    push.in_planes = static_cast<uint32_t>(in.map.planes);
    push.channels = static_cast<uint32_t>(head.out_channels);
    push.chunks = static_cast<uint32_t>(chunks);
    push.stride = pack_halves(head.stride.w, head.stride.h);
    push.dilation = pack_halves(head.dilation.w, head.dilation.h);
    push.padding = pack_halves(head.padding.left, head.padding.top);
    Dispatch& dispatch = lowered.dispatch;
    for (const int value : {planes, head.kernel.h, head.kernel.w, head.transposed ? 1 : 0})
        dispatch.specialization.push_back(static_cast<uint32_t>(value));
    dispatch.macs = count_macs(node, context.graph);
    set_push(dispatch, push);
    context.dispatches.push_back(std::move(lowered));
}

void lower_head(const Group& group, LowerContext& context) {
    const Node& scores = context.graph.nodes[static_cast<size_t>(group.nodes.front())];
    const auto* resize = std::get_if<Resize>(&scores.op);
    if (resize == nullptr) {
        lower_convolution_head(scores, group.output, context);
        return;
    }
    const ValueId small = scores.inputs[0];
    const ValueId dense = context.in_map(small, ChannelMap::dense(context.graph.desc(small).channels()));
    const ScoreSampling sampling = resize->mode == Resize::Mode::Bilinear          ? ScoreSampling::Bilinear
                                   : resize->mode == Resize::Mode::BilinearAligned ? ScoreSampling::BilinearAligned
                                                                                   : ScoreSampling::Floor;
    lower_argmax(dense, group.output, sampling, false, context);
}

}  // namespace

constinit const Pattern score_head{"score_head", match, lower_head};

}  // namespace vkseg
