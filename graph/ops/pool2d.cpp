#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vkseg {

namespace {

int64_t output_extent(int64_t in, int kernel, int stride, int pad, bool ceil_mode, const char* axis) {
    if (pad > kernel / 2) throw error("padding {} must be at most half of the {} window of {}", pad, axis, kernel);
    const int64_t room = in + 2 * int64_t{pad} - kernel + (ceil_mode ? stride - 1 : 0);
    if (room < 0) throw error("window of {} is larger than the padded {} of {}", kernel, axis, in + 2 * int64_t{pad});
    int64_t out = room / stride + 1;
    // The last window must start inside the input or the padding before it.
    if (ceil_mode && (out - 1) * stride >= in + pad) --out;
    return out;
}

/// One axis of a window: the part inside the input, and its length with the padding that it may count.
struct Window {
    int64_t first;
    int64_t last;
    int64_t padded_length;
};
Window window_at(int64_t out, int kernel, int stride, int pad, int64_t in) {
    const int64_t first = out * stride - pad;
    // In ceil mode a window may hang over the padding too; what lies beyond the padding never counts.
    const int64_t last = std::min(first + kernel, in + pad);
    return {std::max<int64_t>(first, 0), std::min(last, in), last - first};
}

float maximum(const float* plane, int64_t width, const Window& rows, const Window& columns) {
    float best = -std::numeric_limits<float>::infinity();
    for (int64_t y = rows.first; y < rows.last; ++y) {
        for (int64_t x = columns.first; x < columns.last; ++x) {
            const float value = plane[y * width + x];
            if (value > best || std::isnan(value)) best = value;
        }
    }
    return best;
}

float average(const float* plane, int64_t width, const Window& rows, const Window& columns, bool count_padding) {
    double sum = 0.0;
    for (int64_t y = rows.first; y < rows.last; ++y) {
        for (int64_t x = columns.first; x < columns.last; ++x) sum += plane[y * width + x];
    }
    const int64_t inside = (rows.last - rows.first) * (columns.last - columns.first);
    const int64_t divisor = count_padding ? rows.padded_length * columns.padded_length : inside;
    return static_cast<float>(sum / static_cast<double>(divisor));
}

}  // namespace

TensorDesc infer(const Pool2d& op, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    expect_at_least("kernel", op.kernel, 1);
    expect_at_least("stride", op.stride, 1);
    expect_at_least("padding", op.padding, 0);
    const TensorDesc& input = operands[0];
    const int64_t out_h = output_extent(input.height(), op.kernel.h, op.stride.h, op.padding.h, op.ceil_mode, "height");
    const int64_t out_w = output_extent(input.width(), op.kernel.w, op.stride.w, op.padding.w, op.ceil_mode, "width");
    return features(input.channels(), out_h, out_w);
}

void reference(const Pool2d& op, const Graph&, HostOperands operands, HostValue& result) {
    const HostValue& input = *operands[0];
    const int64_t in_h = input.desc.height(), in_w = input.desc.width();
    const int64_t out_h = result.desc.height(), out_w = result.desc.width();
    parallel_for(result.desc.channels(), [&](int64_t c) {
        const float* plane = channel(input, c);
        float* target = channel(result, c);
        for (int64_t y = 0; y < out_h; ++y) {
            const Window rows = window_at(y, op.kernel.h, op.stride.h, op.padding.h, in_h);
            for (int64_t x = 0; x < out_w; ++x) {
                const Window columns = window_at(x, op.kernel.w, op.stride.w, op.padding.w, in_w);
                target[y * out_w + x] = op.kind == Pool2d::Kind::Max
                                            ? maximum(plane, in_w, rows, columns)
                                            : average(plane, in_w, rows, columns, op.count_include_pad);
            }
        }
    });
}

}  // namespace vkseg
