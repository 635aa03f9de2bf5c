#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

namespace {

int64_t output_extent(int64_t in, int64_t pad, int kernel, int stride, int dilation, const char* axis) {
    const int64_t window = static_cast<int64_t>(dilation) * (kernel - 1) + 1;
    if (in + pad < window) throw error("window of {} is larger than the padded {} of {}", window, axis, in + pad);
    return (in + pad - window) / stride + 1;
}

/// Output positions [first, last) of one axis whose tap at `offset` (before the stride) lies inside the input.
struct Span {
    int64_t first;
    int64_t last;
};
Span inside(int64_t offset, int64_t in, int64_t out, int64_t stride) {
    const int64_t first = offset < 0 ? (-offset + stride - 1) / stride : 0;
    const int64_t last = offset < in ? (in - 1 - offset) / stride + 1 : 0;
    return {std::min(first, out), std::clamp<int64_t>(last, 0, out)};
}

/// Output channels that share one pass over an input row: the row is converted to double once for all of them.
constexpr int block_channels = 4;

/// sums[j][x] += weights[j] * source[x * stride]. Missing channels of a short block have weight 0 and their own row.
void accumulate(double* const* sums, const double* weights, const float* source, int64_t count, int64_t stride) {
    double* __restrict__ s0 = sums[0];
    double* __restrict__ s1 = sums[1];
    double* __restrict__ s2 = sums[2];
    double* __restrict__ s3 = sums[3];
    const double w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3];
    const auto step = [&](int64_t x, double value) {
        s0[x] += w0 * value;
        s1[x] += w1 * value;
        s2[x] += w2 * value;
        s3[x] += w3 * value;
    };
    // Apart, because only the contiguous loop vectorises.
    if (stride == 1) {
        for (int64_t x = 0; x < count; ++x) step(x, static_cast<double>(source[x]));
    } else {
        for (int64_t x = 0; x < count; ++x) step(x, static_cast<double>(source[x * stride]));
    }
}

void accumulate(double* sums, double weight, const float* source, int64_t count, int64_t stride) {
    if (stride == 1) {
        for (int64_t x = 0; x < count; ++x) sums[x] += weight * static_cast<double>(source[x]);
    } else {
        for (int64_t x = 0; x < count; ++x) sums[x] += weight * static_cast<double>(source[x * stride]);
    }
}

}  // namespace

TensorDesc infer(const Conv2d& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    expect_at_least("kernel", op.kernel, 1);
    expect_at_least("stride", op.stride, 1);
    expect_at_least("dilation", op.dilation, 1);
    expect_no_negative(op.padding);
    const int in_channels = operands[0].channels();
    if (op.groups < 1 || in_channels % op.groups != 0 || op.out_channels < 1 || op.out_channels % op.groups != 0) {
        throw error("groups {} must divide the {} input and {} output channels", op.groups, in_channels,
                    op.out_channels);
    }
    expect_constant(graph, op.weight, {op.out_channels, in_channels / op.groups, op.kernel.h, op.kernel.w}, "weight");
    if (op.bias != no_constant) expect_constant(graph, op.bias, {op.out_channels}, "bias");
    const Padding& pad = op.padding;
    return features(op.out_channels,
                    output_extent(operands[0].height(), int64_t{pad.top} + pad.bottom, op.kernel.h, op.stride.h,
                                  op.dilation.h, "height"),
                    output_extent(operands[0].width(), int64_t{pad.left} + pad.right, op.kernel.w, op.stride.w,
                                  op.dilation.w, "width"));
}

void reference(const Conv2d& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const HostValue& input = *operands[0];
    const int64_t in_h = input.desc.height(), in_w = input.desc.width();
    const int64_t out_h = result.desc.height(), out_w = result.desc.width();
    const int64_t group_in = input.desc.channels() / op.groups, group_out = op.out_channels / op.groups;
    const int64_t taps = int64_t{op.kernel.h} * op.kernel.w;
    const float* weight = graph.constant(op.weight).data.data();
    const float* bias = op.bias == no_constant ? nullptr : graph.constant(op.bias).data.data();

    // One piece of work is a block of output channels in a band of rows; its sums stay in the first-level cache.
    constexpr int64_t band_rows = 16;
    const int64_t bands = (out_h + band_rows - 1) / band_rows;
    const int64_t blocks_per_group = (group_out + block_channels - 1) / block_channels;

    parallel_for(blocks_per_group * op.groups * bands, [&](int64_t piece) {
        const int64_t block = piece / bands, band = piece % bands;
        const int64_t group = block / blocks_per_group;
        const int64_t first_in_group = block % blocks_per_group * block_channels;
        const int64_t first_oc = group * group_out + first_in_group;
        const int64_t count = std::min<int64_t>(block_channels, group_out - first_in_group);

        std::vector<double> storage(static_cast<size_t>(block_channels * out_w));
        double* rows[block_channels];
        for (int64_t oh = band * band_rows; oh < std::min(out_h, (band + 1) * band_rows); ++oh) {
            for (int64_t j = 0; j < block_channels; ++j) {
                rows[j] = storage.data() + j * out_w;
                const double start = bias && j < count ? static_cast<double>(bias[first_oc + j]) : 0.0;
                std::fill_n(rows[j], out_w, start);
            }
            for (int64_t ic = 0; ic < group_in; ++ic) {
                const float* plane = channel(input, group * group_in + ic);
                for (int64_t kh = 0; kh < op.kernel.h; ++kh) {
                    const int64_t ih = oh * op.stride.h - op.padding.top + kh * op.dilation.h;
                    if (ih < 0 || ih >= in_h) continue;
                    for (int64_t kw = 0; kw < op.kernel.w; ++kw) {
                        const int64_t offset = kw * op.dilation.w - op.padding.left;
                        const Span span = inside(offset, in_w, out_w, op.stride.w);
                        if (span.first >= span.last) continue;
                        const float* source = plane + ih * in_w + span.first * op.stride.w + offset;
                        double weights[block_channels] = {};
                        double* sums[block_channels];
                        for (int64_t j = 0; j < block_channels; ++j) {
                            sums[j] = rows[j] + span.first;
                            if (j >= count) continue;
                            weights[j] = weight[((first_oc + j) * group_in + ic) * taps + kh * op.kernel.w + kw];
                        }
                        const int64_t length = span.last - span.first;
                        if (count == 1) {
                            accumulate(sums[0], weights[0], source, length, op.stride.w);
                        } else {
                            accumulate(sums, weights, source, length, op.stride.w);
                        }
                    }
                }
            }
            for (int64_t j = 0; j < count; ++j) {
                float* target = channel(result, first_oc + j) + oh * out_w;
                std::transform(rows[j], rows[j] + out_w, target, [](double sum) { return static_cast<float>(sum); });
            }
        }
    });
}

}  // namespace vkseg
