#pragma once

#include "graph/lower/convolution.hpp"

namespace vkseg {

/// Unrolled multiply-adds that one CPU-shaped pipeline may hold: 0.2 ms of compilation each. Kernels of few taps come
/// in more shapes; with too few planes in one they store sums and load them again more often than they should.
constexpr int max_unrolled_macs = 7200, max_unrolled_macs_of_few_taps = 6144, max_unrolled_macs_of_a_point = 2240;
/// Of winograd_conv2d.comp, which holds as many products for two pixels as it has places in this code; and the most
/// input planes of all lines of taps together: they wait in memory for their products.
constexpr int max_unrolled_macs_of_winograd = 9408, max_winograd_inputs = 24;
/// The same of 3x3 layers by products of both axes, whose code is a third longer and does a third less.
constexpr int max_unrolled_macs_of_both_axes = 12288, max_inputs_of_both_axes = 12;
/// Below this many multiply-adds of direct convolution its code is not worth the compilation.
constexpr int min_macs_for_winograd = 700;
/// Strided convolutions are few in a network: they make do with small pipelines.
constexpr int max_unrolled_macs_of_strides = 1728, max_planes_of_strides = 4;
/// Each phase of a transposed convolution is a pipeline or more, and few networks have more than three.
constexpr int max_unrolled_macs_of_a_phase = 1024;
/// Between two meetings of a workgroup's subgroups: 16 kB of code.
constexpr int macs_of_a_round = 1024;

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

/// What one dispatch computes: z blocks of output planes from evenly spaced input planes.
struct ConvPart {
    PlaneBlocks out;
    InputSpan in;
    /// Input planes between two z blocks (groups).
    int in_step = 0;
    /// The sum begins here.
    bool first = true;
    /// The sum is whole here, and the epilogue follows.
    bool last = true;
};

/// Lines of 3 or 5 taps that winograd_conv2d.comp computes, and how many.
struct WinogradForm {
    int lines = 0;
    int taps = 0;
    bool both_axes = false;
    [[nodiscard]] bool used() const { return lines > 0; }
    /// Of a line; and lines of products.
    [[nodiscard]] int products() const { return taps + 1; }
    [[nodiscard]] int product_lines() const { return both_axes ? lines + 1 : lines; }
};

/// How a convolution is computed: by which kernel, over what, and in which dispatches.
struct ConvForm {
    WinogradForm winograd;
    /// Pixels of a phase, or of winograd_conv2d.comp pairs of pixels.
    Axes grid{};
    std::vector<ConvPart> parts;
};

[[nodiscard]] ConvForm conv_form(const ConvWeights& weights, const ConvGeometry& geometry, const Node& node,
                                 const LowerContext& context);

/// Products of each line of taps.
[[nodiscard]] std::vector<std::array<int, 2>> winograd_taps(const WinogradForm& form);

}  // namespace vkseg
