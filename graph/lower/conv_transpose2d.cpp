#include "graph/lower/conv_tiling.hpp"

#include <numeric>

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

}  // namespace

void lower(const ConvTranspose2d& op, const Node& node, LowerContext& context) {
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
