#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

namespace {

int64_t output_extent(int64_t in, int64_t crop, int kernel, int stride, int dilation, int extra, const char* axis) {
    const int64_t out = (in - 1) * stride + static_cast<int64_t>(dilation) * (kernel - 1) + 1 + extra - crop;
    if (out < 1) throw error("padding {} crops the whole {}", crop, axis);
    return out;
}

}  // namespace

TensorDesc infer(const ConvTranspose2d& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    expect_at_least("kernel", op.kernel, 1);
    expect_at_least("stride", op.stride, 1);
    expect_at_least("dilation", op.dilation, 1);
    expect_at_least("output_padding", op.output_padding, 0);
    expect_no_negative(op.padding);
    if (op.output_padding.h >= std::max(op.stride.h, op.dilation.h) ||
        op.output_padding.w >= std::max(op.stride.w, op.dilation.w)) {
        throw error("output_padding {}x{} must be smaller than the stride or the dilation", op.output_padding.h,
                    op.output_padding.w);
    }
    const int in_channels = operands[0].channels();
    if (op.groups < 1 || in_channels % op.groups != 0 || op.out_channels < 1 || op.out_channels % op.groups != 0) {
        throw error("groups {} must divide the {} input and {} output channels", op.groups, in_channels,
                    op.out_channels);
    }
    expect_constant(graph, op.weight, {in_channels, op.out_channels / op.groups, op.kernel.h, op.kernel.w}, "weight");
    if (op.bias != no_constant) expect_constant(graph, op.bias, {op.out_channels}, "bias");
    const Padding& pad = op.padding;
    const int64_t out_h = output_extent(operands[0].height(), int64_t{pad.top} + pad.bottom, op.kernel.h, op.stride.h,
                                        op.dilation.h, op.output_padding.h, "height");
    const int64_t out_w = output_extent(operands[0].width(), int64_t{pad.left} + pad.right, op.kernel.w, op.stride.w,
                                        op.dilation.w, op.output_padding.w, "width");
    return features(op.out_channels, out_h, out_w);
}

void reference(const ConvTranspose2d& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const HostValue& input = *operands[0];
    const int64_t in_h = input.desc.height(), in_w = input.desc.width();
    const int64_t out_h = result.desc.height(), out_w = result.desc.width();
    const int64_t group_in = input.desc.channels() / op.groups, group_out = op.out_channels / op.groups;
    const float* weight = graph.constant(op.weight).data.data();

    // Every input pixel spreads into the result; the sums of one output channel stay in double until all have.
    parallel_for(op.out_channels, [&](int64_t oc) {
        const double bias = op.bias == no_constant ? 0.0 : graph.constant(op.bias).data[static_cast<size_t>(oc)];
        std::vector<double> sums(static_cast<size_t>(out_h * out_w), bias);
        const int64_t group = oc / group_out;
        const auto spread = [&](const float* source, double factor, int64_t oh, int64_t first_ow) {
            if (oh < 0 || oh >= out_h) return;
            double* row = sums.data() + oh * out_w;
            for (int64_t iw = 0; iw < in_w; ++iw) {
                const int64_t ow = first_ow + iw * op.stride.w;
                if (ow >= 0 && ow < out_w) row[ow] += factor * static_cast<double>(source[iw]);
            }
        };
        for (int64_t ic = group * group_in; ic < (group + 1) * group_in; ++ic) {
            const float* taps = weight + (ic * group_out + oc % group_out) * op.kernel.h * op.kernel.w;
            for (int64_t ih = 0; ih < in_h; ++ih) {
                const float* source = channel(input, ic) + ih * in_w;
                for (int64_t kh = 0; kh < op.kernel.h; ++kh) {
                    const int64_t oh = ih * op.stride.h - op.padding.top + kh * op.dilation.h;
                    for (int64_t kw = 0; kw < op.kernel.w; ++kw) {
                        spread(source, taps[kh * op.kernel.w + kw], oh, kw * op.dilation.w - op.padding.left);
                    }
                }
            }
        }
        std::transform(sums.begin(), sums.end(), channel(result, oc),
                       [](double sum) { return static_cast<float>(sum); });
    });
}

}  // namespace vkseg
