#include "graph/lower/convolution.hpp"

#include "graph/lower/conv_tiling.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace vkseg {

namespace {

using Activation = Epilogue::Activation;
using Taps = std::vector<std::array<int, 2>>;

/// Below this a pipeline compiles so fast that additions of zeros would cost more.
constexpr int min_unrolled_macs_to_share = 1000;

/// Of `steps` steps of `macs` unrolled multiply-adds, how many lie between two meetings of a workgroup's subgroups; 0
/// where they need not meet, or where meeting was measured to cost what it saves: kernels of many taps.
uint32_t round_steps(int tap_count, int planes, int macs, const LowerContext& context) {
    const int steps = tap_count * planes;
    const bool several = workgroup_size(context)[0] > context.facts.subgroup_size;
    const int rounds = (steps * macs + macs_of_a_round - 1) / macs_of_a_round;
    if (!context.cpu_shaped || !several || rounds == 1 || tap_count >= 9) return 0;
    return ceil_div(static_cast<uint32_t>(steps), static_cast<uint32_t>(rounds));
}

/// Of the workgroups that cover the grid pixel after pixel, rows of as many as one row of pixels needs (CPU-shaped).
/// Two axes, because one may be too short.
uint32_t rows_of_whole_groups(Axes grid, uint32_t group) {
    const auto width = static_cast<uint32_t>(grid.w);
    return ceil_div(ceil_div(width * static_cast<uint32_t>(grid.h), group), ceil_div(width, group));
}

uint64_t real_channels(const std::vector<int>& slots) {
    return static_cast<uint64_t>(std::ranges::count_if(slots, [](int channel) { return channel >= 0; }));
}

/// One dispatch of conv2d.comp or winograd_conv2d.comp for each part of a convolution.
class ConvDispatches {
public:
    ConvDispatches(const ConvWeights& weights, const ConvGeometry& geometry, const Node& node, LowerContext& context)
        : weights_(weights),
          geometry_(geometry),
          node_(node),
          context_(context),
          in_(context.planar[static_cast<size_t>(node.inputs[0])]),
          out_(context.planar[static_cast<size_t>(node.output)]),
          form_(conv_form(weights, geometry, node, context)),
          phased_(!geometry.phase_taps.empty()) {
        assert(static_cast<int>(taps_of(0).size()) == tap_count_);
        assert(weights.prologue.empty() || !context.cpu_shaped);
    }

    void lower() {
        for (const ConvPart& part : form_.parts) context_.dispatches.push_back(lower(part));
    }

private:
    [[nodiscard]] size_t phase_count() const { return phased_ ? geometry_.phase_taps.size() : 1; }
    [[nodiscard]] const Taps& taps_of(size_t phase) const {
        return phased_ ? geometry_.phase_taps[phase] : geometry_.taps;
    }
    /// One pipeline with or without operand and activation: it adds texel 0, zeros, and slopes of 1 or 0 make PReLU the
    /// identity or ReLU.
    [[nodiscard]] bool shares_pipeline(const ConvPart& part) const {
        return context_.cpu_shaped && 16 * part.out.planes * tap_count_ * part.in.count >= min_unrolled_macs_to_share;
    }
    [[nodiscard]] Activation activation(const ConvPart& part) const {
        return part.last ? node_.epilogue.activation : Activation::None;
    }
    [[nodiscard]] bool as_prelu(const ConvPart& part) const {
        return shares_pipeline(part) && (activation(part) == Activation::None || activation(part) == Activation::Relu);
    }
    [[nodiscard]] uint32_t pixels(const ConvPart& part) const {
        const int tuned = context_.choices.layer(node_.name).pixels;
        if (context_.cpu_shaped) return 1;
        if (tuned > 0) return static_cast<uint32_t>(tuned);
        if (context_.gpu_code_on_cpu) return pixels_on_cpu;
        return part.out.planes > 4 ? 1 : 2;
    }

    [[nodiscard]] LoweredDispatch lower(const ConvPart& part) {
        LoweredDispatch lowered;
        lowered.variant = form_.winograd.used() ? catalog::winograd_conv2d : catalog::conv2d;
        lowered.arithmetic = context_.arithmetic();
        const int out_planes = part.out.planes * part.out.blocks;
        lowered.in0 = {node_.inputs[0], part.in.first, part.in.extent() + part.in_step * (part.out.blocks - 1)};
        lowered.out = {node_.output, part.out.first, out_planes};
        // The added operand enters the sum first: the result may take its memory, and later parts add to that.
        if (node_.epilogue.add || !part.first)
            lowered.in1 = {part.first ? added_value(node_) : node_.output, part.out.first, out_planes};

        uint64_t block_bytes = 0;
        for (int block = 0; block < part.out.blocks; ++block)
            for (size_t phase = 0; phase < phase_count(); ++phase) {
                const uint64_t start = context_.packed_bytes;
                const int first = pack(part, block, phase);
                if (lowered.first_packed < 0) lowered.first_packed = first;
                block_bytes = context_.packed_bytes - start;
            }

        Dispatch& dispatch = lowered.dispatch;
        dispatch.specialization = specialization(part, lowered.in1.used());
        push::Conv push = push_constants(part);
        push.m.block_weights = static_cast<uint32_t>(block_bytes / 16);
        set_push(dispatch, push);
        const auto local = workgroup_size(context_);
        dispatch.group_count = {ceil_div(static_cast<uint32_t>(form_.grid.w), local[0] * pixels(part)),
                                context_.cpu_shaped ? rows_of_whole_groups(form_.grid, local[0])
                                                    : ceil_div(static_cast<uint32_t>(form_.grid.h), local[1]),
                                static_cast<uint32_t>(part.out.blocks) * static_cast<uint32_t>(phase_count())};
        dispatch.macs = macs(part);
        return lowered;
    }

    /// Weights and vectors of one z block; gives the weights' index.
    int pack(const ConvPart& part, int block, size_t phase) {
        PackConv recipe;
        recipe.weight = weights_.weight;
        recipe.transposed = weights_.transposed;
        recipe.groups = weights_.groups;
        recipe.in_channels = weights_.in_channels;
        recipe.out_channels = weights_.out_channels;
        for (int i = 0; i < part.in.count; ++i)
            for (int channel : in_.map.channel_of_slot(part.in.first + block * part.in_step + i * part.in.step, 1))
                recipe.in_channel_of_slot.push_back(i < part.in.repeated ? -1 : channel);
        recipe.out_channel_of_slot =
            out_.map.channel_of_slot(part.out.first + block * part.out.planes, part.out.planes);
        recipe.taps = form_.winograd.used() ? winograd_taps(form_.winograd) : taps_of(phase);
        recipe.winograd = form_.winograd.used();
        recipe.winograd_rows = form_.winograd.both_axes;
        recipe.half = context_.arithmetic() == catalog::Arithmetic::f16;
        const auto slots = recipe.out_channel_of_slot, in_slots = recipe.in_channel_of_slot;
        const int first = context_.pack(std::move(recipe));
        context_.pack(PackVector{part.first ? weights_.bias : no_constant, 0.0f, slots});
        if (part.last) pack_epilogue(node_.epilogue, slots, context_);
        if (as_prelu(part))
            context_.pack(PackVector{no_constant, activation(part) == Activation::None ? 1.0f : 0.0f, slots});
        pack_epilogue(weights_.prologue, in_slots, context_);
        return first;
    }

    [[nodiscard]] push::Conv push_constants(const ConvPart& part) const {
        push::Conv push{};
        push.grid_size = pack_halves(form_.grid.w, form_.grid.h);
        if (context_.cpu_shaped)
            push.m.row_groups = ceil_div(static_cast<uint32_t>(form_.grid.w), workgroup_size(context_)[0]);
        push.in_planes = static_cast<uint32_t>(part.in.count);
        push.block_in = static_cast<uint32_t>(part.in_step);
        push.plane_step = static_cast<uint32_t>(part.in.step);
        push.stride = pack_halves(geometry_.stride.w, geometry_.stride.h);
        push.dilation = pack_halves(row_of_taps() || geometry_.kernel.w > 1 ? geometry_.dilation.w : 0,
                                    row_of_taps() ? 0 : geometry_.dilation.h);
        push.origin = pack_halves(geometry_.origin.w, geometry_.origin.h);
        push.out_step = pack_halves(geometry_.out_step.w, geometry_.out_step.h);
        push.out_offset = pack_halves(geometry_.out_offset.w, geometry_.out_offset.h);
        push.phases = pack_halves(geometry_.phases.w, geometry_.phases.h);
        push.phase_origin = pack_halves(geometry_.phase_origin.w, geometry_.phase_origin.h);
        push.phase_taps = geometry_.phase_tap_counts;
        return push;
    }
    /// A column of taps may lie along a row: one pipeline for both.
    [[nodiscard]] bool row_of_taps() const { return context_.cpu_shaped && geometry_.kernel.h == 1; }

    [[nodiscard]] std::vector<uint32_t> specialization(const ConvPart& part, bool adds) const {
        const LoweredEpilogue epilogue = epilogue_constants(node_.epilogue);
        const LoweredEpilogue prologue = epilogue_constants(weights_.prologue);
        const auto local = workgroup_size(context_);
        std::vector<uint32_t> constants{local[0],
                                        local[1],
                                        local[2],
                                        adds || shares_pipeline(part) ? 1u : 0u,
                                        part.last ? epilogue.scale_shift : 0u,
                                        static_cast<uint32_t>(as_prelu(part) ? Activation::PRelu : activation(part)),
                                        static_cast<uint32_t>(part.out.planes)};
        const auto add = [&](auto... values) { (constants.push_back(static_cast<uint32_t>(values)), ...); };
        if (form_.winograd.used()) {
            add(form_.winograd.lines, form_.winograd.taps, part.in.count, form_.winograd.both_axes);
            return constants;
        }
        const Axes kernel = row_of_taps() ? Axes{geometry_.kernel.w, 1} : geometry_.kernel;
        // A loop has its bound in the push constants; one pipeline for all lengths.
        add(kernel.h, kernel.w, pixels(part), context_.cpu_shaped ? part.in.count : 0, phased_, prologue.scale_shift,
            prologue.activation, /* split */ 0, /* gated */ 0,
            round_steps(tap_count_, part.in.count, 16 * part.out.planes, context_));
        return constants;
    }

    /// Of the convolution as it is defined, whatever the kernel.
    [[nodiscard]] uint64_t macs(const ConvPart& part) const {
        const uint64_t out_channels =
            real_channels(out_.map.channel_of_slot(part.out.first, part.out.planes * part.out.blocks));
        const uint64_t in_channels = weights_.groups == 1
                                         ? real_channels(in_.map.channel_of_slot(part.in.first + part.in.repeated,
                                                                                 part.in.count - part.in.repeated))
                                     : part.first ? static_cast<uint64_t>(weights_.in_channels / weights_.groups)
                                                  : 0;
        uint64_t taps = 0;  // over all computed outputs
        for (size_t phase = 0; phase < phase_count(); ++phase) {
            const auto steps = [&](int extent, int at, int step) { return (extent - at + step - 1) / step; };
            const int phase_x = static_cast<int>(phase) % geometry_.phases.w;
            const int phase_y = static_cast<int>(phase) / geometry_.phases.w;
            const Axes grid = phased_ ? Axes{steps(out_.height, phase_y, geometry_.phases.h),
                                             steps(out_.width, phase_x, geometry_.phases.w)}
                                      : geometry_.grid;
            const auto real_taps = static_cast<uint64_t>(
                std::ranges::count_if(taps_of(phase), [](const auto& tap) { return tap[0] >= 0 && tap[1] >= 0; }));
            taps += static_cast<uint64_t>(grid.w) * static_cast<uint64_t>(grid.h) * real_taps;
        }
        return taps * out_channels * in_channels;
    }

    const ConvWeights& weights_;
    const ConvGeometry& geometry_;
    const Node& node_;
    LowerContext& context_;
    const PlanarValue& in_;
    const PlanarValue& out_;
    const ConvForm form_;
    const bool phased_;
    const int tap_count_ = geometry_.kernel.h * geometry_.kernel.w;
};

}  // namespace

std::vector<std::array<int, 2>> all_taps(Axes kernel) {
    std::vector<std::array<int, 2>> taps;
    for (int kh = 0; kh < kernel.h; ++kh)
        for (int kw = 0; kw < kernel.w; ++kw) taps.push_back({kh, kw});
    return taps;
}

int pack_convolution(const Conv2d& op, const ChannelMap& in, const std::vector<int>& slots,
                     catalog::Arithmetic arithmetic, LowerContext& context) {
    PackConv recipe;
    recipe.weight = op.weight;
    recipe.in_channels = static_cast<int>(in.slot_of_channel.size());
    recipe.out_channels = op.out_channels;
    recipe.in_channel_of_slot = in.channel_of_slot();
    recipe.out_channel_of_slot = slots;
    recipe.taps = all_taps(op.kernel);
    recipe.half = arithmetic == catalog::Arithmetic::f16;
    const int first = context.pack(std::move(recipe));
    context.pack(PackVector{op.bias, 0.0f, slots});
    return first;
}

void lower_convolution(const ConvWeights& weights, const ConvGeometry& geometry, const Node& node,
                       LowerContext& context) {
    ConvDispatches(weights, geometry, node, context).lower();
}

}  // namespace vkseg
