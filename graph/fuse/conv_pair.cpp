#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>

namespace vkseg {

namespace {

constexpr size_t max_branches = std::size(push::ConvPair{}.dilations);
constexpr int max_dilation = 0xff;
/// Accumulators that an invocation may hold for a pixel.
constexpr int max_out_planes_per_slot = 11;
constexpr int max_mid_planes_per_slot = 2;
constexpr int pixels_per_invocation = 2;
constexpr int max_grouped_planes = 8;

/// A convolution, and the one of a single row that is all that reads it.
struct Pair {
    const Node* first = nullptr;
    const Node* second = nullptr;
    [[nodiscard]] const Conv2d& one() const { return std::get<Conv2d>(first->op); }
    [[nodiscard]] const Conv2d& two() const { return std::get<Conv2d>(second->op); }
    [[nodiscard]] ValueId input() const { return first->inputs[0]; }
};

/// Taps centred, as many zeros around as they reach.
bool is_centred(const Conv2d& conv) {
    return conv.kernel.h % 2 == 1 && conv.kernel.w % 2 == 1 &&
           std::max(conv.dilation.h, conv.dilation.w) <= max_dilation &&
           conv.padding == pad_all(conv.dilation.h * (conv.kernel.h / 2), conv.dilation.w * (conv.kernel.w / 2));
}

bool is_depthwise(const Node& node, const MatchContext& context) {
    return std::get<Conv2d>(node.op).groups == context.graph().desc(node.inputs[0]).channels();
}

std::optional<Pair> pair_of(const Node& second, const MatchContext& context) {
    const auto* two = std::get_if<Conv2d>(&second.op);
    if (two == nullptr || two->groups != 1 || !is_centred(*two) || two->kernel.h != 1 || two->stride != Axes{1, 1})
        return std::nullopt;
    const Node* first = context.maker<Conv2d>(second.inputs[0]);
    if (first == nullptr || first->epilogue.add || context.uses_of(first->output) != 1) return std::nullopt;
    const auto& one = std::get<Conv2d>(first->op);
    // Groups cost zeros: no more than by itself, where one block of planes makes all of them and reads everything.
    if (!is_centred(one) ||
        (one.groups > 1 && (is_depthwise(*first, context) || context.map(first->output).planes > max_grouped_planes)))
        return std::nullopt;
    return Pair{first, &second};
}

/// Whether `after` goes on from the sum that `before` ends with: pairs side by side, which read one map.
bool continues(const Pair& after, const Pair& before, const MatchContext& context) {
    const Epilogue& end = before.second->epilogue;
    const Epilogue &mid = after.first->epilogue, &other_mid = before.first->epilogue;
    return after.second->epilogue.add && after.second->inputs.back() == before.second->output &&
           context.uses_of(before.second->output) == 1 && end.scale == no_constant &&
           end.activation == Epilogue::Activation::None && after.input() == before.input() && after.one().groups == 1 &&
           before.one().groups == 1 && after.one().kernel == before.one().kernel &&
           after.one().stride == before.one().stride && after.two().kernel == before.two().kernel &&
           mid.activation == other_mid.activation && (mid.scale == no_constant) == (other_mid.scale == no_constant) &&
           context.map(after.first->output) == context.map(before.first->output) &&
           context.map(after.second->output) == context.map(before.second->output);
}

/// How the work is spread over a workgroup.
struct Tiling {
    int slots = 0;
    int width = 1;  // invocations side by side
    int mid_planes = 1, out_planes = 1;
    int chunks = 1;
    int halo = 0;
    [[nodiscard]] int run() const { return width * pixels_per_invocation; }
    [[nodiscard]] int staged_texels() const { return slots * mid_planes * run(); }
};

std::optional<Tiling> tile(const std::vector<Pair>& pairs, const LowerContext& context) {
    const auto planes = [&](const Node& node) { return context.planar[static_cast<size_t>(node.output)].map.planes; };
    const int mid = planes(*pairs[0].first), out = planes(*pairs[0].second);
    const auto up = [](int count, int of) { return (count + of - 1) / of; };
    Tiling best;
    int best_cost = 0;
    for (const int slots : {4, 3, 2, 8}) {
        Tiling t;
        t.slots = slots;
        t.width = slots > 4 ? 16 : 32;
        t.mid_planes = std::min(max_mid_planes_per_slot, up(mid, slots));
        t.out_planes = up(out, slots);
        t.chunks = up(mid, slots * t.mid_planes);
        for (const Pair& pair : pairs) t.halo = std::max(t.halo, pair.two().dilation.w * (pair.two().kernel.w / 2));
        // Three fifths of what is computed between the two must be of use.
        if (t.out_planes > max_out_planes_per_slot || 5 * 2 * t.halo > 2 * t.run()) continue;
        const int cost = t.out_planes * slots + t.chunks * t.mid_planes * slots;
        if (best.slots != 0 && cost * 10 > best_cost * 9) continue;
        best = t;
        best_cost = cost;
    }
    if (best.slots == 0) return std::nullopt;
    return best;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    if (!context.lower.may_wait) return std::nullopt;
    const auto pair = pair_of(anchor, context);
    if (!pair) return std::nullopt;
    // A norm that only this reads can be applied by its load: that saves as much, and nothing is computed twice.
    const Node* norm = context.maker<Identity>(pair->input());
    if (norm != nullptr && context.uses_of(pair->input()) == 1) return std::nullopt;
    // The last pair of a sum is the anchor of all.
    for (const Node& node : context.graph().nodes)
        if (const auto later = pair_of(node, context); later && continues(*later, *pair, context)) return std::nullopt;
    std::vector<Pair> pairs{*pair};
    while (pairs.back().second->epilogue.add && pairs.size() < max_branches) {
        const Node* before = context.maker<Conv2d>(pairs.back().second->inputs.back());
        const auto earlier = before ? pair_of(*before, context) : std::nullopt;
        if (!earlier || !continues(pairs.back(), *earlier, context)) break;
        pairs.push_back(*earlier);
    }
    if (!tile(pairs, context.lower)) return std::nullopt;
    Group group;
    for (const Pair& each : pairs) {
        group.nodes.push_back(context.place_of(*each.first));
        group.nodes.push_back(context.place_of(*each.second));
    }
    group.inputs = {pair->input()};
    group.reads_by_texel = {false};
    if (pairs.back().second->epilogue.add) {
        group.inputs.push_back(pairs.back().second->inputs.back());
        group.reads_by_texel.push_back(true);
    }
    group.output = anchor.output;
    return group;
}

/// The pairs of a group, in the order of their sum.
std::vector<Pair> pairs_of(const Group& group, const Graph& graph) {
    std::vector<Pair> pairs;
    for (int second : group.nodes)
        for (int first : group.nodes) {
            const Node &a = graph.nodes[static_cast<size_t>(first)], &b = graph.nodes[static_cast<size_t>(second)];
            if (b.inputs[0] == a.output) pairs.push_back({&a, &b});
        }
    return pairs;
}

/// Channels of planes [first, first + count), pad lanes beyond the last.
std::vector<int> slots_of(const ChannelMap& map, int first, int count) {
    return slots_of(map, 0, map.planes, first, count);
}

PackConv recipe_of(const Conv2d& conv, const ChannelMap& in, std::vector<int> in_slots, std::vector<int> out_slots,
                   catalog::Arithmetic arithmetic) {
    PackConv recipe;
    recipe.weight = conv.weight;
    recipe.groups = conv.groups;
    recipe.in_channels = static_cast<int>(in.slot_of_channel.size());
    recipe.out_channels = conv.out_channels;
    recipe.in_channel_of_slot = std::move(in_slots);
    recipe.out_channel_of_slot = std::move(out_slots);
    recipe.taps = all_taps(conv.kernel);
    recipe.half = arithmetic == catalog::Arithmetic::f16;
    return recipe;
}

void lower_pairs(const Group& group, LowerContext& context) {
    const std::vector<Pair> pairs = pairs_of(group, context.graph);
    const Tiling tiling = *tile(pairs, context);
    const Node& end = *pairs.back().second;
    const auto planar = [&](ValueId value) -> const PlanarValue& { return context.planar[static_cast<size_t>(value)]; };
    const ChannelMap in = planar(group.inputs[0]).map, mid = planar(pairs[0].first->output).map;
    const PlanarValue out = planar(group.output);

    LoweredDispatch lowered;
    lowered.variant = catalog::conv_pair;
    lowered.arithmetic = context.arithmetic();
    lowered.in0 = {group.inputs[0], 0, in.planes};
    lowered.out = {group.output, 0, out.map.planes};
    if (group.inputs.size() > 1) lowered.in1 = {context.in_map(group.inputs[1], out.map), 0, out.map.planes};

    const uint64_t start = context.packed_bytes;
    const auto vectors = [&] { return static_cast<uint32_t>((context.packed_bytes - start) / 16); };
    lowered.first_packed = static_cast<int>(context.packed.size());
    const auto sections = static_cast<uint32_t>(static_cast<int>(pairs.size()) * tiling.chunks * tiling.slots);
    const int chunk_planes = tiling.slots * tiling.mid_planes;
    push::ConvPair push{};
    for (const Pair& pair : pairs)
        for (int part = 0; part < tiling.chunks * tiling.slots; ++part) {
            const auto slots = slots_of(mid, part * tiling.mid_planes, tiling.mid_planes);
            context.pack(recipe_of(pair.one(), in, in.channel_of_slot(), slots, lowered.arithmetic));
            context.pack(PackVector{pair.one().bias, 0.0f, slots});
            pack_epilogue(pair.first->epilogue, slots, context);
        }
    push.m.block_weights = vectors() / sections;
    push.second_weights = vectors();
    for (const Pair& pair : pairs)
        for (int chunk = 0; chunk < tiling.chunks; ++chunk)
            for (int slot = 0; slot < tiling.slots; ++slot)
                context.pack(recipe_of(pair.two(), mid, slots_of(mid, chunk * chunk_planes, chunk_planes),
                                       slots_of(out.map, slot * tiling.out_planes, tiling.out_planes),
                                       lowered.arithmetic));
    push.second_block = (vectors() - push.second_weights) / sections;
    push.final_weights = vectors();
    for (int slot = 0; slot < tiling.slots; ++slot) {
        const auto slots = slots_of(out.map, slot * tiling.out_planes, tiling.out_planes);
        for (const Pair& pair : pairs) context.pack(PackVector{pair.two().bias, 0.0f, slots});
        pack_epilogue(end.epilogue, slots, context);
    }
    push.final_block = (vectors() - push.final_weights) / static_cast<uint32_t>(tiling.slots);

    const Conv2d &one = pairs[0].one(), &two = pairs[0].two();
    push.in_planes = static_cast<uint32_t>(in.planes);
    push.out_planes = static_cast<uint32_t>(out.map.planes);
    push.mid_planes = static_cast<uint32_t>(mid.planes);
    push.branches = static_cast<uint32_t>(pairs.size());
    push.chunks = static_cast<uint32_t>(tiling.chunks);
    push.stride = pack_halves(one.stride.w, one.stride.h);
    push.halo = static_cast<uint32_t>(tiling.halo);
    for (size_t i = 0; i < pairs.size(); ++i) {
        push.dilations[i] = static_cast<uint32_t>(pairs[i].one().dilation.h | pairs[i].one().dilation.w << 8 |
                                                  pairs[i].two().dilation.w << 16);
        lowered.dispatch.macs +=
            count_macs(*pairs[i].first, context.graph) + count_macs(*pairs[i].second, context.graph);
    }
    const LoweredEpilogue between = epilogue_constants(pairs[0].first->epilogue);
    LoweredEpilogue epilogue = epilogue_constants(end.epilogue);
    epilogue.add = group.inputs.size() > 1 ? 1 : 0;
    const auto number = [](int value) { return static_cast<uint32_t>(value); };
    lowered.dispatch.specialization = {number(tiling.width),          1,
                                       number(tiling.slots),          epilogue.add,
                                       epilogue.scale_shift,          epilogue.activation,
                                       number(tiling.mid_planes),     number(one.kernel.h),
                                       number(one.kernel.w),          number(pixels_per_invocation),
                                       number(two.kernel.w),          number(tiling.out_planes),
                                       between.scale_shift,           between.activation,
                                       number(tiling.staged_texels())};
    set_push(lowered.dispatch, push);
    lowered.dispatch.group_count = {ceil_div(number(out.width), number(tiling.run() - 2 * tiling.halo)),
                                    number(out.height), 1};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace

constinit const Pattern conv_pair{"conv_pair", match, lower_pairs};

}  // namespace vkseg
