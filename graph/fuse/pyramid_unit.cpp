#include "graph/fuse/patterns.hpp"
#include "graph/fuse/pyramid.hpp"
#include "graph/lower/convolution.hpp"
#include "graph/ops/rules.hpp"

#include <algorithm>
#include <array>

namespace vkseg {

namespace {

/// Slots of a workgroup: more would leave too few pixels side by side for coalesced reads.
constexpr int max_slots = 8;
constexpr int invocations = 128;
/// Accumulators of one kind that an invocation may hold for a pixel.
constexpr int max_planes_per_slot = 8;
constexpr size_t max_branches = 2 * std::size(push::PyramidUnit{}.dilations);

/// What the kernel calls MIX and RIDER.
enum class Pointwise : uint32_t { None, OfEachBranch, OfAll };

/// A pyramid and the 1x1 convolutions behind it.
struct Unit {
    Pyramid pyramid;
    const Node* mix = nullptr;
    const Node* rider = nullptr;
    /// The pyramid itself is a result; the mix is the second.
    bool stores_pyramid = false;
};

bool is_dense(const Conv2d& conv, int) {
    return conv.groups == 1;
}

const Conv2d* pointwise(const Node& node, ValueId input) {
    const auto* conv = std::get_if<Conv2d>(&node.op);
    return conv != nullptr && node.inputs[0] == input && conv->kernel == Axes{1, 1} && conv->stride == Axes{1, 1} &&
                   conv->padding == pad_all(0, 0)
               ? conv
               : nullptr;
}

/// The first 1x1 convolution that reads `value` and adds nothing: it can be computed where the value is made.
const Node* rider_of(ValueId value, const MatchContext& context) {
    for (const Node& node : context.graph().nodes)
        if (pointwise(node, value) != nullptr && !node.epilogue.add) return &node;
    return nullptr;
}

/// How a 1x1 convolution reads planes that come in `parts` equal parts: one group reads each, or all read all.
Pointwise reading(const Node& node, size_t parts, const LowerContext& context) {
    const auto map = [&](ValueId value) -> const ChannelMap& { return context.planar[static_cast<size_t>(value)].map; };
    const auto& conv = std::get<Conv2d>(node.op);
    const ChannelMap &in = map(node.inputs[0]), &out = map(node.output);
    const auto groups = static_cast<size_t>(conv.groups);
    if (groups != parts || parts < 2) return Pointwise::OfAll;
    // Each group has whole planes to itself, as many as every other.
    const auto split = [&](const ChannelMap& whole) {
        if (whole.planes % conv.groups != 0 || whole.slot_of_channel.size() % groups != 0) return false;
        const size_t channels = whole.slot_of_channel.size() / groups;
        for (size_t i = 0; i < whole.slot_of_channel.size(); ++i)
            if (whole.slot_of_channel[i] / 4 / (whole.planes / conv.groups) != static_cast<int>(i / channels))
                return false;
        return true;
    };
    return split(in) && split(out) ? Pointwise::OfEachBranch : Pointwise::OfAll;
}

/// How the work is spread over a workgroup.
struct Tiling {
    int slots = 1;
    int pixels = 1;
    int width = 1;  // invocations side by side
    int planes = 1, mix_planes = 1, rider_planes = 1;
    int mix_width = 1, rider_width = 1;
    Pointwise mix = Pointwise::None, rider = Pointwise::None;
    int staged_planes = 1;
    [[nodiscard]] uint64_t shared_texels() const {
        return static_cast<uint64_t>((staged_planes + (rider == Pointwise::None ? 0 : mix_width)) * width * pixels);
    }
};

std::optional<Tiling> tile(const Unit& unit, const LowerContext& context) {
    const auto planes_of_value = [&](const Node& node) {
        return context.planar[static_cast<size_t>(node.output)].map.planes;
    };
    const PyramidPlanes planes = planes_of(unit.pyramid, context);
    const auto branches = static_cast<int>(unit.pyramid.branches.size());
    const bool depthwise = unit.pyramid.conv(0).groups > 1;
    Tiling t;
    t.staged_planes = std::max(planes.first, planes.rest);
    const auto width_of = [&](const Node& node, Pointwise how) {
        return how == Pointwise::OfEachBranch ? planes_of_value(node) / branches : planes_of_value(node);
    };
    t.mix = reading(*unit.mix, unit.pyramid.branches.size(), context);
    t.mix_width = width_of(*unit.mix, t.mix);
    if (unit.rider) {
        t.rider = reading(*unit.rider, unit.pyramid.branches.size(), context);
        t.rider_width = width_of(*unit.rider, t.rider);
    }
    t.slots = std::min(max_slots, std::max({t.staged_planes, t.mix_width, t.rider_width}));
    const auto per_slot = [&](int count) { return (count + t.slots - 1) / t.slots; };
    t.planes = per_slot(t.staged_planes);
    t.mix_planes = per_slot(t.mix_width);
    t.rider_planes = per_slot(t.rider_width);
    if (std::max({t.planes, t.mix_planes, t.rider_planes}) > max_planes_per_slot) return std::nullopt;
    t.width = 1;
    while (t.width * 2 * t.slots <= invocations) t.width *= 2;
    // Two pixels halve the loads of weights.
    t.pixels = !depthwise && std::max(t.planes, t.mix_planes) <= 4 ? 2 : 1;
    // 16 bytes, so that both precisions have one form.
    while (t.shared_texels() * 16 > context.facts.max_shared_memory_bytes) {
        if (t.width <= 8) return std::nullopt;
        t.width /= 2;
    }
    return t;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    if (!context.lower.may_wait || !context.lower.second_outputs) return std::nullopt;
    auto pyramid = match_pyramid(anchor, context, is_dense);
    if (!pyramid) {
        pyramid = match_pyramid(anchor, context, is_depthwise);
        if (!pyramid) return std::nullopt;
        for (const Node* branch : pyramid->branches)
            if (context.map(branch->output) != context.map(pyramid->input())) return std::nullopt;
    }
    if (pyramid->branches.size() > max_branches) return std::nullopt;
    const ValueId whole = pyramid->last().output;
    Unit unit{*pyramid};
    for (const Node& node : context.graph().nodes)
        if (context.uses_of(whole) == 1 && pointwise(node, whole) != nullptr) unit.mix = &node;
    if (unit.mix != nullptr && pyramid->added() == no_value) {
        if (reading(*unit.mix, pyramid->branches.size(), context.lower) == Pointwise::OfEachBranch)
            unit.rider = rider_of(unit.mix->output, context);
    } else {
        unit.stores_pyramid = true;
        unit.mix = rider_of(whole, context);
        if (unit.mix == nullptr) return std::nullopt;
    }
    if (!tile(unit, context.lower)) {
        unit.rider = nullptr;
        if (!tile(unit, context.lower)) return std::nullopt;
    }

    Group group = group_of(*pyramid, context);
    group.nodes.push_back(context.place_of(*unit.mix));
    if (unit.stores_pyramid) {
        group.second_output = unit.mix->output;
    } else {
        if (unit.mix->epilogue.add) {
            group.inputs.push_back(unit.mix->inputs.back());
            group.reads_by_texel.push_back(true);
        }
        group.output = unit.mix->output;
        if (unit.rider) {
            group.nodes.push_back(context.place_of(*unit.rider));
            group.second_output = unit.rider->output;
        }
    }
    return group;
}

Unit unit_of(const Group& group, const Graph& graph) {
    Unit unit;
    Group own;
    bool joined = false;
    for (int place : group.nodes) {
        const Node& node = graph.nodes[static_cast<size_t>(place)];
        if (joined && std::holds_alternative<Conv2d>(node.op)) {
            (unit.mix == nullptr ? unit.mix : unit.rider) = &node;
            continue;
        }
        joined = joined || std::holds_alternative<Concat>(node.op);
        own.nodes.push_back(place);
    }
    unit.pyramid = pyramid_of(own, graph);
    unit.stores_pyramid = unit.pyramid.last().output == group.output;
    return unit;
}

class UnitLowering {
public:
    UnitLowering(const Group& group, LowerContext& context)
        : group_(group), context_(context), unit_(unit_of(group, context.graph)), tiling_(*tile(unit_, context)) {}

    void run() {
        push::PyramidUnit push{};
        push::Pyramid plain{};
        LoweredDispatch lowered = pyramid_dispatch(unit_.pyramid, plain, context_);
        push.in_planes = plain.in_planes;
        push.branches = plain.branches;
        push.first_planes = plain.first_planes;
        push.planes = plain.planes;
        push.stride = plain.stride;
        push.continues = plain.continues;
        std::copy_n(plain.dilations, std::size(push.dilations), push.dilations);

        lowered.variant = catalog::pyramid_unit;
        lowered.arithmetic = context_.arithmetic();
        const auto whole = [&](ValueId value) {
            return value == no_value ? PlaneRange{} : PlaneRange{value, 0, planar(value).map.planes};
        };
        lowered.out = whole(group_.output);
        lowered.out2 = whole(group_.second_output);
        lowered.out2_push_offset = offsetof(push::PyramidUnit, out2);
        if (!unit_.stores_pyramid && unit_.mix->epilogue.add)
            lowered.in1 = whole(context_.in_map(unit_.mix->inputs.back(), ChannelMap(planar(group_.output).map)));

        const uint64_t start = context_.packed_bytes;
        const auto vectors = [&] { return static_cast<uint32_t>((context_.packed_bytes - start) / 16); };
        lowered.first_packed = static_cast<int>(context_.packed.size());
        for (int slot = 0; slot < tiling_.slots; ++slot) pack_pyramid(slot);
        push.m.block_weights = vectors() / static_cast<uint32_t>(tiling_.slots);
        push.mix_weights = vectors();
        for (int slot = 0; slot < tiling_.slots; ++slot)
            pack_pointwise(*unit_.mix, tiling_.mix, slot, tiling_.mix_width, tiling_.mix_planes,
                           [&](size_t branch) { return staged_channels(branch); });
        push.mix_block = (vectors() - push.mix_weights) / static_cast<uint32_t>(tiling_.slots);
        push.rider_weights = vectors();
        if (unit_.rider) {
            for (int slot = 0; slot < tiling_.slots; ++slot)
                pack_pointwise(
                    *unit_.rider, tiling_.rider, slot, tiling_.rider_width, tiling_.rider_planes, [&](size_t branch) {
                        return planar(unit_.mix->output)
                            .map.channel_of_slot(static_cast<int>(branch) * tiling_.mix_width, tiling_.mix_width);
                    });
            push.rider_block = (vectors() - push.rider_weights) / static_cast<uint32_t>(tiling_.slots);
        }

        specialise(lowered.dispatch);
        lowered.dispatch.macs += count_macs(*unit_.mix, context_.graph);
        if (unit_.rider) lowered.dispatch.macs += count_macs(*unit_.rider, context_.graph);
        set_push(lowered.dispatch, push);
        const PlanarValue& out = planar(group_.output);
        lowered.dispatch.group_count = {
            ceil_div(static_cast<uint32_t>(out.width), static_cast<uint32_t>(tiling_.width * tiling_.pixels)),
            static_cast<uint32_t>(out.height), 1};
        context_.dispatches.push_back(std::move(lowered));
    }

private:
    [[nodiscard]] const PlanarValue& planar(ValueId value) const { return context_.planar[static_cast<size_t>(value)]; }
    [[nodiscard]] const ChannelMap& joined_map() const { return planar(unit_.pyramid.last().output).map; }

    [[nodiscard]] std::vector<int> staged_channels(size_t branch) const {
        const PyramidPlanes planes = planes_of(unit_.pyramid, context_);
        return joined_map().channel_of_slot(planes.start_of(branch), planes.of(branch));
    }

    void pack_pyramid(int slot) {
        const PyramidPlanes planes = planes_of(unit_.pyramid, context_);
        const ChannelMap& in = planar(unit_.pyramid.input()).map;
        const int first = slot * tiling_.planes;
        for (size_t i = 0; i < unit_.pyramid.branches.size(); ++i) {
            const Conv2d& conv = unit_.pyramid.conv(i);
            const auto own =
                slots_of(planar(unit_.pyramid.branches[i]->output).map, 0, planes.of(i), first, tiling_.planes);
            if (conv.groups > 1) {
                context_.pack(PackDepthwise{conv.weight, own, all_taps(conv.kernel)});
                context_.pack(PackVector{conv.bias, 0.0f, own});
            } else {
                pack_convolution(conv, in, own, context_.arithmetic(), context_);
            }
            pack_epilogue(unit_.pyramid.epilogue(),
                          slots_of(joined_map(), planes.start_of(i), planes.of(i), first, tiling_.planes), context_);
        }
    }

    /// `read(branch)`: channels of the slots that the branch adds to the sum.
    template <typename Read>
    void pack_pointwise(const Node& node, Pointwise how, int slot, int width, int planes, const Read& read) {
        const auto& conv = std::get<Conv2d>(node.op);
        const ChannelMap& out = planar(node.output).map;
        const size_t branches = unit_.pyramid.branches.size();
        for (size_t i = 0; i < branches; ++i) {
            const int start = how == Pointwise::OfEachBranch ? static_cast<int>(i) * width : 0;
            const auto own = slots_of(out, start, width, slot * planes, planes);
            PackConv recipe;
            recipe.weight = conv.weight;
            recipe.groups = conv.groups;
            recipe.in_channels = static_cast<int>(planar(node.inputs[0]).map.slot_of_channel.size());
            recipe.out_channels = conv.out_channels;
            recipe.in_channel_of_slot = read(i);
            recipe.out_channel_of_slot = own;
            recipe.taps = all_taps({1, 1});
            recipe.half = context_.arithmetic() == catalog::Arithmetic::f16;
            context_.pack(std::move(recipe));
            if (how == Pointwise::OfAll && i + 1 < branches) continue;
            context_.pack(PackVector{conv.bias, 0.0f, own});
            pack_epilogue(node.epilogue, own, context_);
        }
    }

    void specialise(Dispatch& dispatch) const {
        const Axes kernel = unit_.pyramid.conv(0).kernel;
        const LoweredEpilogue own = epilogue_constants(unit_.pyramid.epilogue());
        const LoweredEpilogue mix = epilogue_constants(unit_.mix->epilogue);
        const LoweredEpilogue rider = unit_.rider ? epilogue_constants(unit_.rider->epilogue) : LoweredEpilogue{};
        const auto number = [](auto value) { return static_cast<uint32_t>(value); };
        const int run = tiling_.width * tiling_.pixels;
        dispatch.specialization = {number(tiling_.width),
                                   1,
                                   number(tiling_.slots),
                                   own.add,
                                   own.scale_shift,
                                   own.activation,
                                   number(tiling_.planes),
                                   number(kernel.h),
                                   number(kernel.w),
                                   number(tiling_.pixels),
                                   unit_.pyramid.conv(0).groups > 1 ? 1u : 0u,
                                   unit_.stores_pyramid ? 1u : 0u,
                                   number(tiling_.mix),
                                   number(tiling_.mix_planes),
                                   number(tiling_.mix_width),
                                   mix.add,
                                   mix.scale_shift,
                                   mix.activation,
                                   number(tiling_.rider),
                                   number(tiling_.rider_planes),
                                   number(tiling_.rider_width),
                                   rider.scale_shift,
                                   rider.activation,
                                   number(tiling_.staged_planes * run),
                                   number(unit_.rider ? tiling_.mix_width * run : 1)};
    }

    const Group& group_;
    LowerContext& context_;
    const Unit unit_;
    const Tiling tiling_;
};

void lower_unit(const Group& group, LowerContext& context) {
    UnitLowering(group, context).run();
}

}  // namespace

constinit const Pattern pyramid_unit{"pyramid_unit", match, lower_unit};

}  // namespace vkseg
