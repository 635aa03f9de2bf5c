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
constexpr int64_t block_channels = 4;

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

/// Row by row: all taps that meet one output row are added to its sums in double, rounded once at the end.
class RowConvolution {
public:
    RowConvolution(const Conv2d& op, const Graph& graph, const HostValue& input, HostValue& result)
        : op_(op),
          input_(input),
          result_(result),
          weight_(graph.constant(op.weight).data.data()),
          bias_(op.bias == no_constant ? nullptr : graph.constant(op.bias).data.data()),
          group_in_(input.desc.channels() / op.groups),
          group_out_(op.out_channels / op.groups) {}

    /// One piece of work is a block of output channels in a band of rows.
    void run() {
        constexpr int64_t band_rows = 16;
        const int64_t out_h = result_.desc.height();
        const int64_t bands = (out_h + band_rows - 1) / band_rows;
        const int64_t blocks_per_group = (group_out_ + block_channels - 1) / block_channels;
        parallel_for(op_.groups * blocks_per_group * bands, [&](int64_t piece) {
            const int64_t block = piece / bands, first_row = piece % bands * band_rows;
            const int64_t group = block / blocks_per_group;
            const int64_t first = block % blocks_per_group * block_channels;
            const Block channels{group, group * group_out_ + first, std::min(block_channels, group_out_ - first)};
            for (int64_t oh = first_row; oh < std::min(out_h, first_row + band_rows); ++oh) sum_row(channels, oh);
        });
    }

private:
    /// Output channels [first, first + count) of one group.
    struct Block {
        int64_t group;
        int64_t first;
        int64_t count;
    };

    void sum_row(const Block& block, int64_t oh) {
        const int64_t width = result_.desc.width();
        std::vector<double> sums(static_cast<size_t>(block_channels * width), 0.0);
        for (int64_t j = 0; j < block.count && bias_; ++j) {
            std::fill_n(sums.data() + j * width, width, static_cast<double>(bias_[block.first + j]));
        }
        for (int64_t ic = 0; ic < group_in_; ++ic) {
            const float* plane = channel(input_, block.group * group_in_ + ic);
            for (int64_t kh = 0; kh < op_.kernel.h; ++kh) {
                const int64_t ih = oh * op_.stride.h - op_.padding.top + kh * op_.dilation.h;
                if (ih < 0 || ih >= input_.desc.height()) continue;
                const float* source = plane + ih * input_.desc.width();
                for (int64_t kw = 0; kw < op_.kernel.w; ++kw) add_tap(block, ic, kh, kw, source, sums.data());
            }
        }
        for (int64_t j = 0; j < block.count; ++j) {
            const double* row = sums.data() + j * width;
            float* target = channel(result_, block.first + j) + oh * width;
            std::transform(row, row + width, target, [](double sum) { return static_cast<float>(sum); });
        }
    }

    /// Adds one kernel element times a row of the input to the rows of all channels of the block.
    void add_tap(const Block& block, int64_t ic, int64_t kh, int64_t kw, const float* source, double* rows) const {
        const int64_t width = result_.desc.width(), stride = op_.stride.w;
        const int64_t offset = kw * op_.dilation.w - op_.padding.left;
        const Span span = inside(offset, input_.desc.width(), width, stride);
        if (span.first >= span.last) return;
        double weights[block_channels] = {};
        double* sums[block_channels];
        for (int64_t j = 0; j < block_channels; ++j) {
            sums[j] = rows + j * width + span.first;
            if (j < block.count) weights[j] = weight_at(block.first + j, ic, kh, kw);
        }
        const float* first = source + span.first * stride + offset;
        if (block.count == 1) {
            accumulate(sums[0], weights[0], first, span.last - span.first, stride);
        } else {
            accumulate(sums, weights, first, span.last - span.first, stride);
        }
    }

    [[nodiscard]] double weight_at(int64_t oc, int64_t ic, int64_t kh, int64_t kw) const {
        return weight_[((oc * group_in_ + ic) * op_.kernel.h + kh) * op_.kernel.w + kw];
    }

    const Conv2d& op_;
    const HostValue& input_;
    HostValue& result_;
    const float* weight_;
    const float* bias_;
    int64_t group_in_;
    int64_t group_out_;
};

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
    const int64_t out_h = output_extent(operands[0].height(), int64_t{pad.top} + pad.bottom, op.kernel.h, op.stride.h,
                                        op.dilation.h, "height");
    const int64_t out_w = output_extent(operands[0].width(), int64_t{pad.left} + pad.right, op.kernel.w, op.stride.w,
                                        op.dilation.w, "width");
    return features(op.out_channels, out_h, out_w);
}

void reference(const Conv2d& op, const Graph& graph, HostOperands operands, HostValue& result) {
    RowConvolution(op, graph, *operands[0], result).run();
}

}  // namespace vkseg
