#include "graph/lower/conv_tiling.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <set>
#include <utility>

namespace vkseg {

namespace {

/// Input planes that a block of output planes needs: `count` of them, `step` apart.
struct InputSpan {
    int first = 0;
    int count = 0;
    int step = 1;
    /// The first of them count for nothing: an earlier part of the sum has them.
    int repeated = 0;
    /// Planes from the first to the last.
    [[nodiscard]] int extent() const { return (count - 1) * step + 1; }
};

InputSpan needed_inputs(const ConvWeights& weights, const ChannelMap& in, const std::vector<int>& out_channels) {
    if (weights.groups == 1) return {0, in.planes};
    const int in_per_group = weights.in_channels / weights.groups;
    const int out_per_group = weights.out_channels / weights.groups;
    std::set<int> planes;
    for (int channel : out_channels) {
        if (channel < 0) continue;
        const int first = channel / out_per_group * in_per_group;
        for (int i = first; i < first + in_per_group; ++i)
            planes.insert(in.slot_of_channel[static_cast<size_t>(i)] / 4);
    }
    if (planes.empty()) return {0, 1};
    // Shuffled groups read every n-th plane.
    const int first = *planes.begin(), last = *planes.rbegin(), count = static_cast<int>(planes.size());
    const int step = count > 1 ? *std::next(planes.begin()) - first : 1;
    int expected = first;
    const bool even =
        std::ranges::all_of(planes, [&](int plane) { return plane == std::exchange(expected, expected + step); });
    return even ? InputSpan{first, count, step} : InputSpan{first, last - first + 1, 1};
}

/// Below this a pipeline compiles so fast that additions of zeros would cost more.
constexpr int min_unrolled_macs_to_share = 1000;

/// A dispatch: z blocks of output planes and, evenly spaced, the input planes that each reads.
struct Tile {
    PlaneBlocks out;
    InputSpan in;
    int in_step = 0;
};

/// Grouped convolutions run in one dispatch when the blocks' inputs lie evenly spaced, else block by block.
std::vector<Tile> tile(const ConvWeights& weights, const ChannelMap& in, const ChannelMap& out, int largest,
                       bool cpu_shaped) {
    std::vector<Tile> tiles;
    for (const PlaneBlocks& part : split_planes(out.planes, largest, cpu_shaped)) {
        std::vector<InputSpan> spans;
        for (int block = 0; block < part.blocks; ++block)
            spans.push_back(
                needed_inputs(weights, in, out.channel_of_slot(part.first + block * part.planes, part.planes)));
        const int step = part.blocks > 1 ? spans[1].first - spans[0].first : 0;
        int count = 0;
        bool even = step >= 0;
        for (int block = 0; block < part.blocks; ++block) {
            const int start = spans[0].first + block * step;
            const InputSpan& span = spans[static_cast<size_t>(block)];
            even = even && start <= span.first && span.step == spans[0].step && (span.first - start) % span.step == 0;
            count = std::max(count, (span.first - start) / span.step + span.count);
        }
        const InputSpan shared{spans[0].first, count, spans[0].step};
        even = even && shared.first + (part.blocks - 1) * step + shared.extent() <= in.planes;
        if (even) {
            tiles.push_back({part, shared, step});
            continue;
        }
        for (int block = 0; block < part.blocks; ++block)
            tiles.push_back({{part.first + block * part.planes, part.planes, 1}, spans[static_cast<size_t>(block)], 0});
    }
    return tiles;
}

bool has_strides(const ConvGeometry& geometry) {
    return geometry.taps.size() >= 9 && geometry.stride != Axes{1, 1};
}

/// Lines of 3 or 5 taps that winograd_conv2d.comp computes, and how many.
struct WinogradForm {
    int lines = 0;
    int taps = 0;
    [[nodiscard]] bool used() const { return lines > 0; }
    [[nodiscard]] int products() const { return taps + 1; }
};

WinogradForm winograd_form(const ConvWeights& weights, const ConvGeometry& geometry, const ChannelMap& in,
                           const ChannelMap& out, const LowerContext& context) {
    const auto [kernel_h, kernel_w] = geometry.kernel;
    const bool square = kernel_h == 3 && kernel_w == 3;
    const int line = kernel_h == 1 ? kernel_w : kernel_w == 1 ? kernel_h : 0;
    if (!context.cpu_shaped || weights.transposed || weights.groups > 1 || geometry.stride != Axes{1, 1} ||
        !(square || line == 3 || line == 5) ||
        16 * kernel_h * kernel_w * in.planes * out.planes < min_macs_for_winograd)
        return {};
    return square ? WinogradForm{3, 3} : WinogradForm{1, line};
}

/// Products of each line of taps.
std::vector<std::array<int, 2>> winograd_taps(const WinogradForm& form) {
    std::vector<std::array<int, 2>> taps;
    for (int product = 0; product < form.products(); ++product)
        for (int line = 0; line < form.lines; ++line) taps.push_back({line, product});
    return taps;
}

/// Pairs of pixels, as far apart as the dilation along the lines of taps.
Axes winograd_grid(const WinogradForm& form, const ConvGeometry& geometry) {
    const auto pairs = [](int pixels, int apart) { return (pixels + 2 * apart - 1) / (2 * apart) * apart; };
    if (form.lines > 1 || geometry.kernel.w > 1) return {geometry.grid.h, pairs(geometry.grid.w, geometry.dilation.w)};
    return {pairs(geometry.grid.h, geometry.dilation.h), geometry.grid.w};
}

/// Output planes of a CPU-shaped dispatch at most. Few planes of a grouped convolution read few planes, where many
/// would multiply the zeros between their groups.
int largest_block(const ConvWeights& weights, const ConvGeometry& geometry, const ChannelMap& in,
                  const ChannelMap& out) {
    constexpr int widest = 8;
    if (weights.groups == 1) return has_strides(geometry) ? max_planes_of_strides : widest;
    const auto cost = [&](int largest) {
        constexpr int load = 35;  // in multiply-adds
        int sum = 0;
        for (const Tile& tile : tile(weights, in, out, largest, true))
            sum += tile.in.count * (load + 16 * tile.out.planes);
        return sum;
    };
    int best = widest;
    for (int largest = widest / 2; largest > 0; largest /= 2)
        if (cost(largest) < cost(best)) best = largest;
    return best;
}

int ruled_unrolled_macs(const ConvGeometry& geometry) {
    if (geometry.out_step.h * geometry.out_step.w > 1) return max_unrolled_macs_of_a_phase;
    if (geometry.taps.size() < 3) return max_unrolled_macs_of_a_point;
    if (has_strides(geometry)) return max_unrolled_macs_of_strides;
    return geometry.taps.size() < 9 ? max_unrolled_macs_of_few_taps : max_unrolled_macs;
}

/// Of `steps` steps of `macs` unrolled multiply-adds, how many lie between two meetings of a workgroup's subgroups; 0
/// where they need not meet, or where meeting was measured to cost what it saves: kernels of many taps.
uint32_t round_steps(int tap_count, int planes, int macs, const LowerContext& context) {
    const int steps = tap_count * planes;
    const bool several = workgroup_size(context)[0] > context.facts.subgroup_size;
    const int rounds = (steps * macs + macs_of_a_round - 1) / macs_of_a_round;
    if (!context.cpu_shaped || !several || rounds == 1 || tap_count >= 9) return 0;
    return ceil_div(static_cast<uint32_t>(steps), static_cast<uint32_t>(rounds));
}

/// Parts of the input planes, each its own dispatch that continues the sum. All have one size, and so one pipeline,
/// which layers of other depths share; the last one begins early when they do not come out even.
std::vector<InputSpan> split_inputs(const Tile& tile, int tap_count, int unrolled_macs, const WinogradForm& winograd,
                                    bool cpu_shaped) {
    if (!cpu_shaped) return {tile.in};
    const int per_plane = 16 * tile.out.planes * (winograd.used() ? winograd.lines * winograd.products() : tap_count);
    const int most = winograd.used() ? max_winograd_inputs / winograd.lines : tile.in.count;
    const int largest = std::clamp(unrolled_macs / per_plane, 1, most);
    int parts = (tile.in.count + largest - 1) / largest;
    // One part more costs less than planes that count for nothing.
    if (tile.in.count % parts != 0 && tile.in.count % (parts + 1) == 0) ++parts;
    const int size = (tile.in.count + parts - 1) / parts;
    std::vector<InputSpan> spans;
    for (int part = 0; part < parts; ++part) {
        const int start = std::min(part * size, tile.in.count - size);
        spans.push_back({tile.in.first + start * tile.in.step, size, tile.in.step, part * size - start});
    }
    return spans;
}

/// Of the workgroups that cover the grid pixel after pixel, rows of as many as one row of pixels needs (CPU-shaped).
/// Two axes, because one may be too short.
uint32_t rows_of_whole_groups(Axes grid, uint32_t group) {
    const auto width = static_cast<uint32_t>(grid.w);
    return ceil_div(ceil_div(width * static_cast<uint32_t>(grid.h), group), ceil_div(width, group));
}

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
    const PlanarValue& in = context.planar[static_cast<size_t>(node.inputs[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const bool phased = !geometry.phase_taps.empty();
    const size_t phase_count = phased ? geometry.phase_taps.size() : 1;
    const auto taps_of = [&](size_t phase) -> const auto& {
        return phased ? geometry.phase_taps[phase] : geometry.taps;
    };
    assert(static_cast<int>(taps_of(0).size()) == geometry.kernel.h * geometry.kernel.w);
    const auto local = workgroup_size(context);
    const LoweredEpilogue epilogue = epilogue_constants(node.epilogue);
    const LoweredEpilogue prologue = epilogue_constants(weights.prologue);
    assert(weights.prologue.empty() || !context.cpu_shaped);
    const int tap_count = static_cast<int>(taps_of(0).size());

    const LayerChoice tuned = context.choices.layer(node.name);
    const int largest = tuned.planes > 0     ? tuned.planes
                        : context.cpu_shaped ? largest_block(weights, geometry, in.map, out.map)
                                             : 8;
    const WinogradForm winograd =
        tuned.direct ? WinogradForm{} : winograd_form(weights, geometry, in.map, out.map, context);
    const Axes grid = winograd.used() ? winograd_grid(winograd, geometry) : geometry.grid;
    const int unrolled_macs = tuned.unrolled_macs > 0 ? tuned.unrolled_macs
                              : winograd.used()       ? max_unrolled_macs_of_winograd
                                                      : ruled_unrolled_macs(geometry);
    for (const Tile& tile : tile(weights, in.map, out.map, largest, context.cpu_shaped)) {
        const auto parts = split_inputs(tile, tap_count, unrolled_macs, winograd, context.cpu_shaped);
        for (size_t part = 0; part < parts.size(); ++part) {
            const bool first_part = part == 0, last_part = part + 1 == parts.size();
            const InputSpan& span = parts[part];
            const uint32_t pixels = context.cpu_shaped        ? 1
                                    : tuned.pixels > 0        ? static_cast<uint32_t>(tuned.pixels)
                                    : context.gpu_code_on_cpu ? pixels_on_cpu
                                    : tile.out.planes > 4     ? 1
                                                              : 2;

            LoweredDispatch lowered;
            lowered.variant = winograd.used() ? catalog::winograd_conv2d : catalog::conv2d;
            lowered.arithmetic = context.arithmetic();
            lowered.in0 = {node.inputs[0], span.first, span.extent() + tile.in_step * (tile.out.blocks - 1)};
            lowered.out = {node.output, tile.out.first, tile.out.planes * tile.out.blocks};
            // The added operand enters the sum first: the result may take its memory, and later parts add to that.
            if (node.epilogue.add || !first_part)
                lowered.in1 = {first_part ? added_value(node) : node.output, tile.out.first,
                               tile.out.planes * tile.out.blocks};
            // One pipeline with or without operand and activation: it adds texel 0, zeros, and slopes of 1 or 0 make
            // PReLU the identity or ReLU.
            const bool shares =
                context.cpu_shaped && 16 * tile.out.planes * tap_count * span.count >= min_unrolled_macs_to_share;
            using Activation = Epilogue::Activation;
            const Activation activation = last_part ? node.epilogue.activation : Activation::None;
            const bool as_prelu = shares && (activation == Activation::None || activation == Activation::Relu);

            uint64_t block_bytes = 0;
            for (size_t part = 0; part < static_cast<size_t>(tile.out.blocks) * phase_count; ++part) {
                const int block = static_cast<int>(part / phase_count);
                const uint64_t start = context.packed_bytes;
                PackConv recipe;
                recipe.weight = weights.weight;
                recipe.transposed = weights.transposed;
                recipe.groups = weights.groups;
                recipe.in_channels = weights.in_channels;
                recipe.out_channels = weights.out_channels;
                for (int i = 0; i < span.count; ++i)
                    for (int channel : in.map.channel_of_slot(span.first + block * tile.in_step + i * span.step, 1))
                        recipe.in_channel_of_slot.push_back(i < span.repeated ? -1 : channel);
                recipe.out_channel_of_slot =
                    out.map.channel_of_slot(tile.out.first + block * tile.out.planes, tile.out.planes);
                recipe.taps = winograd.used() ? winograd_taps(winograd) : taps_of(part % phase_count);
                recipe.winograd = winograd.used();
                recipe.half = lowered.arithmetic == catalog::Arithmetic::f16;
                const auto slots = recipe.out_channel_of_slot, in_slots = recipe.in_channel_of_slot;
                const int first = context.pack(std::move(recipe));
                context.pack(PackVector{first_part ? weights.bias : no_constant, 0.0f, slots});
                if (last_part) pack_epilogue(node.epilogue, slots, context);
                if (as_prelu)
                    context.pack(PackVector{no_constant, activation == Activation::None ? 1.0f : 0.0f, slots});
                pack_epilogue(weights.prologue, in_slots, context);
                if (part == 0) lowered.first_packed = first;
                block_bytes = context.packed_bytes - start;
            }

            push::Conv push{};
            push.m.block_weights = static_cast<uint32_t>(block_bytes / 16);
            push.grid_size = pack_halves(grid.w, grid.h);
            push.m.row_groups = context.cpu_shaped ? ceil_div(static_cast<uint32_t>(grid.w), local[0]) : 0u;
            push.in_planes = static_cast<uint32_t>(span.count);
            push.block_in = static_cast<uint32_t>(tile.in_step);
            push.plane_step = static_cast<uint32_t>(span.step);
            push.stride = pack_halves(geometry.stride.w, geometry.stride.h);
            // A column of taps may lie along a row: one pipeline for both.
            const bool row = context.cpu_shaped && geometry.kernel.h == 1;
            const Axes kernel = row ? Axes{geometry.kernel.w, 1} : geometry.kernel;
            push.dilation = pack_halves(row || kernel.w > 1 ? geometry.dilation.w : 0, row ? 0 : geometry.dilation.h);
            push.origin = pack_halves(geometry.origin.w, geometry.origin.h);
            push.out_step = pack_halves(geometry.out_step.w, geometry.out_step.h);
            push.out_offset = pack_halves(geometry.out_offset.w, geometry.out_offset.h);
            push.phases = pack_halves(geometry.phases.w, geometry.phases.h);
            push.phase_origin = pack_halves(geometry.phase_origin.w, geometry.phase_origin.h);
            push.phase_taps = geometry.phase_tap_counts;

            Dispatch& dispatch = lowered.dispatch;
            dispatch.specialization = {local[0], local[1], local[2], lowered.in1.used() || shares ? 1u : 0u,
                                       last_part ? epilogue.scale_shift : 0u,
                                       static_cast<uint32_t>(as_prelu ? Activation::PRelu : activation),
                                       static_cast<uint32_t>(tile.out.planes), static_cast<uint32_t>(kernel.h),
                                       static_cast<uint32_t>(kernel.w), pixels,
                                       // A loop has its bound in the push constants; one pipeline for all lengths.
                                       context.cpu_shaped ? static_cast<uint32_t>(span.count) : 0u, phased ? 1u : 0u,
                                       prologue.scale_shift, prologue.activation, /* split */ 0u, /* gated */ 0u,
                                       round_steps(tap_count, span.count, 16 * tile.out.planes, context)};
            if (winograd.used()) {
                dispatch.specialization.resize(7);
                for (const int constant : {winograd.lines, winograd.taps, span.count})
                    dispatch.specialization.push_back(static_cast<uint32_t>(constant));
            }
            set_push(dispatch, push);
            dispatch.group_count = {ceil_div(static_cast<uint32_t>(grid.w), local[0] * pixels),
                                    ceil_div(static_cast<uint32_t>(grid.h), local[1]),
                                    static_cast<uint32_t>(tile.out.blocks) * static_cast<uint32_t>(phase_count)};
            if (context.cpu_shaped) dispatch.group_count[1] = rows_of_whole_groups(grid, local[0]);
            const auto real = [](const std::vector<int>& slots) {
                return static_cast<uint64_t>(std::ranges::count_if(slots, [](int channel) { return channel >= 0; }));
            };
            const uint64_t out_channels =
                real(out.map.channel_of_slot(tile.out.first, tile.out.planes * tile.out.blocks));
            const uint64_t in_channels =
                weights.groups == 1
                    ? real(in.map.channel_of_slot(span.first + span.repeated, span.count - span.repeated))
                    : static_cast<uint64_t>(first_part ? weights.in_channels / weights.groups : 0);
            uint64_t taps = 0;  // over all computed outputs
            for (size_t phase = 0; phase < phase_count; ++phase) {
                const auto steps = [&](int extent, int at, int step) { return (extent - at + step - 1) / step; };
                const int phase_x = static_cast<int>(phase) % geometry.phases.w;
                const int phase_y = static_cast<int>(phase) / geometry.phases.w;
                const Axes grid = phased ? Axes{steps(out.height, phase_y, geometry.phases.h),
                                                steps(out.width, phase_x, geometry.phases.w)}
                                         : geometry.grid;
                const auto real_taps = static_cast<uint64_t>(std::ranges::count_if(
                    taps_of(phase), [](const std::array<int, 2>& t) { return t[0] >= 0 && t[1] >= 0; }));
                taps += static_cast<uint64_t>(grid.w) * static_cast<uint64_t>(grid.h) * real_taps;
            }
            dispatch.macs = taps * out_channels * in_channels;
            context.dispatches.push_back(std::move(lowered));
        }
    }
}

}  // namespace vkseg
