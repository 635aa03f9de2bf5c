#include "graph/lower/conv_tiling.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace vkseg {

namespace {

constexpr int widest_block = 8;

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

/// Dispatches that sum all input planes. Grouped convolutions run in one dispatch when the blocks' inputs lie evenly
/// spaced, else block by block.
std::vector<ConvPart> tile(const ConvWeights& weights, const ChannelMap& in, const ChannelMap& out, int largest,
                           bool cpu_shaped) {
    std::vector<ConvPart> tiles;
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

/// Output planes of a block of products of both axes; 0 where they do not pay. Blocks of six by twelve planes were a
/// tenth faster in LPS-Net-S and took it two seconds more to compile.
int block_of_both_axes(int in_planes, int out_planes) {
    if (in_planes < 6) return 0;
    for (const int planes : {4, 3})
        if (out_planes % planes == 0 && out_planes > planes) return planes;
    return 0;
}

WinogradForm winograd_form(const ConvWeights& weights, const ConvGeometry& geometry, const ChannelMap& in,
                           const ChannelMap& out, const LowerContext& context) {
    const auto [kernel_h, kernel_w] = geometry.kernel;
    const bool square = kernel_h == 3 && kernel_w == 3;
    const int line = kernel_h == 1 ? kernel_w : kernel_w == 1 ? kernel_h : 0;
    if (!context.cpu_shaped || weights.transposed || weights.groups > 1 || geometry.stride != Axes{1, 1} ||
        !(square || line == 3 || line == 5) ||
        16 * kernel_h * kernel_w * in.planes * out.planes < min_macs_for_winograd)
        return {};
    if (!square) return {1, line, false};
    return {3, 3, block_of_both_axes(in.planes, out.planes) > 0};
}

/// Pairs of pixels along the lines of taps, as far apart as the dilation; of both axes pairs of pairs.
Axes winograd_grid(const WinogradForm& form, const ConvGeometry& geometry) {
    const auto pairs = [](int pixels, int apart) { return (pixels + 2 * apart - 1) / (2 * apart) * apart; };
    const bool along_rows = form.lines > 1 || geometry.kernel.w > 1;
    const auto [height, width] = geometry.grid;
    return {form.both_axes || !along_rows ? pairs(height, geometry.dilation.h) : height,
            along_rows ? pairs(width, geometry.dilation.w) : width};
}

/// Input planes that a dispatch of `out_planes` output planes may sum.
int inputs_of_part(int out_planes, int tap_count, const WinogradForm& winograd, int unrolled_macs) {
    const int steps = winograd.used() ? winograd.product_lines() * winograd.products() : tap_count;
    const int inputs = std::max(unrolled_macs / (16 * out_planes * steps), 1);
    if (!winograd.used()) return inputs;
    return std::min(inputs, winograd.both_axes ? max_inputs_of_both_axes : max_winograd_inputs / winograd.lines);
}

/// Output planes of a dispatch of grouped weights at most. Few planes read few planes, where many would multiply the
/// zeros between their groups.
int largest_block_of_groups(const ConvWeights& weights, const ChannelMap& in, const ChannelMap& out) {
    const auto cost = [&](int largest) {
        constexpr int load = 35;  // in multiply-adds
        int sum = 0;
        for (const ConvPart& tile : tile(weights, in, out, largest, true))
            sum += tile.in.count * (load + 16 * tile.out.planes);
        return sum;
    };
    int best = widest_block;
    for (int largest = widest_block / 2; largest > 0; largest /= 2)
        if (cost(largest) < cost(best)) best = largest;
    return best;
}

int ruled_unrolled_macs(const ConvGeometry& geometry, const WinogradForm& winograd) {
    if (winograd.both_axes) return max_unrolled_macs_of_both_axes;
    if (winograd.used()) return max_unrolled_macs_of_winograd;
    if (geometry.out_step.h * geometry.out_step.w > 1) return max_unrolled_macs_of_a_phase;
    if (geometry.taps.size() < 3) return max_unrolled_macs_of_a_point;
    if (has_strides(geometry)) return max_unrolled_macs_of_strides;
    return geometry.taps.size() < 9 ? max_unrolled_macs_of_few_taps : max_unrolled_macs;
}

/// Parts of the input planes, each its own dispatch that continues the sum. All have one size, and so one pipeline,
/// which layers of other depths share; the last one begins early when they do not come out even.
std::vector<InputSpan> split_inputs(const InputSpan& in, int largest) {
    int parts = (in.count + largest - 1) / largest;
    // One part more costs less than planes that count for nothing.
    if (in.count % parts != 0 && in.count % (parts + 1) == 0) ++parts;
    const int size = (in.count + parts - 1) / parts;
    std::vector<InputSpan> spans;
    for (int part = 0; part < parts; ++part) {
        const int start = std::min(part * size, in.count - size);
        spans.push_back({in.first + start * in.step, size, in.step, part * size - start});
    }
    return spans;
}

/// Output planes of a CPU-shaped dispatch at most.
int ruled_block(const ConvWeights& weights, const ConvGeometry& geometry, const WinogradForm& winograd,
                const ChannelMap& in, const ChannelMap& out) {
    if (winograd.both_axes) return block_of_both_axes(in.planes, out.planes);
    if (weights.groups > 1) return largest_block_of_groups(weights, in, out);
    return has_strides(geometry) ? max_planes_of_strides : widest_block;
}

}  // namespace

ConvForm conv_form(const ConvWeights& weights, const ConvGeometry& geometry, const Node& node,
                   const LowerContext& context) {
    const ChannelMap& in = context.planar[static_cast<size_t>(node.inputs[0])].map;
    const ChannelMap& out = context.planar[static_cast<size_t>(node.output)].map;
    const LayerChoice tuned = context.choices.layer(node.name);
    const int tap_count = geometry.kernel.h * geometry.kernel.w;
    ConvForm form;
    if (!tuned.direct) form.winograd = winograd_form(weights, geometry, in, out, context);
    form.grid = form.winograd.used() ? winograd_grid(form.winograd, geometry) : geometry.grid;
    const int unrolled_macs =
        tuned.unrolled_macs > 0 ? tuned.unrolled_macs : ruled_unrolled_macs(geometry, form.winograd);
    const int largest = tuned.planes > 0      ? tuned.planes
                        : !context.cpu_shaped ? widest_block
                                              : ruled_block(weights, geometry, form.winograd, in, out);
    for (const ConvPart& tile : tile(weights, in, out, largest, context.cpu_shaped)) {
        const int inputs = context.cpu_shaped ? inputs_of_part(tile.out.planes, tap_count, form.winograd, unrolled_macs)
                                              : tile.in.count;
        const auto spans = split_inputs(tile.in, inputs);
        for (size_t i = 0; i < spans.size(); ++i)
            form.parts.push_back({tile.out, spans[i], tile.in_step, i == 0, i + 1 == spans.size()});
    }
    return form;
}

std::vector<std::array<int, 2>> winograd_taps(const WinogradForm& form) {
    std::vector<std::array<int, 2>> taps;
    for (int line = 0; form.both_axes && line < form.product_lines(); ++line)
        for (int product = 0; product < form.products(); ++product) taps.push_back({line, product});
    for (int product = 0; !form.both_axes && product < form.products(); ++product)
        for (int line = 0; line < form.lines; ++line) taps.push_back({line, product});
    return taps;
}

}  // namespace vkseg
