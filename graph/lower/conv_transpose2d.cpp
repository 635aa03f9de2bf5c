#include "graph/lower/convolution.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace vkseg {

namespace {

/// Along one axis, the kernel elements that reach outputs phase, phase + stride, ...: a convolution of the input.
struct PhaseTaps {
    std::vector<int> elements;
    int origin = 0;
    int dilation = 1;
};

PhaseTaps phase_taps(int phase, int kernel, int stride, int dilation, int padding) {
    PhaseTaps result;
    result.dilation = dilation / std::gcd(stride, dilation);
    // Output o takes input i through element k where o + padding = i * stride + k * dilation. Higher elements reach
    // lower inputs, so they come first.
    for (int k = kernel - 1; k >= 0; --k) {
        const int distance = phase + padding - k * dilation;
        if (distance % stride != 0) continue;
        if (result.elements.empty()) result.origin = distance / stride;
        result.elements.push_back(k);
    }
    // Outputs that no element reaches still get their bias.
    if (result.elements.empty()) result.elements.push_back(-1);
    return result;
}

/// The phases along one axis as one regular loop nest; nothing where they are not regular.
struct PhaseAxis {
    std::vector<PhaseTaps> phases;
    int kernel = 0;
    int origin_step = 0;
};

std::optional<PhaseAxis> regular_phases(int kernel, int stride, int dilation, int padding) {
    constexpr int max_phases = 4, max_taps = 15;  // what the push constants hold
    if (stride > max_phases) return std::nullopt;
    PhaseAxis axis;
    for (int phase = 0; phase < stride; ++phase) {
        axis.phases.push_back(phase_taps(phase, kernel, stride, dilation, padding));
        axis.kernel = std::max(axis.kernel, static_cast<int>(axis.phases.back().elements.size()));
    }
    if (stride > 1) axis.origin_step = axis.phases[1].origin - axis.phases[0].origin;
    for (int phase = 0; phase < stride; ++phase)
        if (axis.phases[static_cast<size_t>(phase)].origin != axis.phases[0].origin + phase * axis.origin_step)
            return std::nullopt;
    if (axis.kernel > max_taps) return std::nullopt;
    return axis;
}

/// All phases in one dispatch: loops may have other bounds in each, and fetch other weights.
bool lower_phases_together(const ConvTranspose2d& op, const Node& node, LowerContext& context) {
    const auto y = regular_phases(op.kernel.h, op.stride.h, op.dilation.h, op.padding.top);
    const auto x = regular_phases(op.kernel.w, op.stride.w, op.dilation.w, op.padding.left);
    if (context.cpu_shaped || !y || !x) return false;
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    ConvGeometry geometry;
    geometry.kernel = {y->kernel, x->kernel};
    geometry.stride = {1, 1};
    geometry.dilation = {y->phases[0].dilation, x->phases[0].dilation};
    geometry.origin = {y->phases[0].origin, x->phases[0].origin};
    geometry.grid = {(out.height + op.stride.h - 1) / op.stride.h, (out.width + op.stride.w - 1) / op.stride.w};
    geometry.out_step = geometry.phases = op.stride;
    geometry.phase_origin = {y->origin_step, x->origin_step};
    for (const PhaseTaps& rows : y->phases)
        for (const PhaseTaps& columns : x->phases) {
            auto& taps = geometry.phase_taps.emplace_back();
            const auto element = [](const PhaseTaps& of, int i) {
                return i < static_cast<int>(of.elements.size()) ? of.elements[static_cast<size_t>(i)] : -1;
            };
            for (int i = 0; i < y->kernel; ++i)
                for (int j = 0; j < x->kernel; ++j) {
                    const int kh = element(rows, i), kw = element(columns, j);
                    taps.push_back(kh < 0 || kw < 0 ? std::array{-1, -1} : std::array{kh, kw});
                }
        }
    for (size_t i = 0; i < x->phases.size(); ++i)
        geometry.phase_tap_counts |= static_cast<uint32_t>(x->phases[i].elements.size()) << (4 * i);
    for (size_t i = 0; i < y->phases.size(); ++i)
        geometry.phase_tap_counts |= static_cast<uint32_t>(y->phases[i].elements.size()) << (16 + 4 * i);
    const int in_channels = context.graph.desc(node.inputs[0]).channels();
    lower_convolution({op.weight, op.bias, true, op.groups, in_channels, op.out_channels}, geometry, node, context);
    return true;
}

}  // namespace

void lower(const ConvTranspose2d& op, const Node& node, LowerContext& context) {
    if (op.stride.h * op.stride.w > 1 && lower_phases_together(op, node, context)) return;
    const int in_channels = context.graph.desc(node.inputs[0]).channels();
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    for (int phase_y = 0; phase_y < op.stride.h && phase_y < out.height; ++phase_y)
        for (int phase_x = 0; phase_x < op.stride.w && phase_x < out.width; ++phase_x) {
            const PhaseTaps y = phase_taps(phase_y, op.kernel.h, op.stride.h, op.dilation.h, op.padding.top);
            const PhaseTaps x = phase_taps(phase_x, op.kernel.w, op.stride.w, op.dilation.w, op.padding.left);
            ConvGeometry geometry;
            for (int kh : y.elements)
                for (int kw : x.elements)
                    geometry.taps.push_back(kh < 0 || kw < 0 ? std::array{-1, -1} : std::array{kh, kw});
            geometry.kernel = {static_cast<int>(y.elements.size()), static_cast<int>(x.elements.size())};
            geometry.stride = {1, 1};
            geometry.dilation = {y.dilation, x.dilation};
            geometry.origin = {y.origin, x.origin};
            geometry.grid = {(out.height - phase_y + op.stride.h - 1) / op.stride.h,
                             (out.width - phase_x + op.stride.w - 1) / op.stride.w};
            geometry.out_step = op.stride;
            geometry.out_offset = {phase_y, phase_x};
            lower_convolution({op.weight, op.bias, true, op.groups, in_channels, op.out_channels}, geometry, node,
                              context);
        }
}

}  // namespace vkseg
