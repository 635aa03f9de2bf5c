#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>

namespace vkseg {

namespace {

/// Source pixels of PyTorch's "nearest": the lower corner's rule, in float32 as there.
std::vector<Tap> nearest_taps(int in, int out) {
    const float scale = static_cast<float>(in) / static_cast<float>(out);
    std::vector<Tap> taps(static_cast<size_t>(out));
    for (int dst = 0; dst < out; ++dst) {
        int source = std::min(static_cast<int>(std::floor(static_cast<float>(dst) * scale)), in - 1);
        if (out == in) source = dst;
        if (out == 2 * in) source = dst / 2;
        taps[static_cast<size_t>(dst)] = {source, source, 0.0f};
    }
    return taps;
}

std::vector<Tap> taps_of(Resize::Mode mode, int in, int out) {
    if (mode == Resize::Mode::Nearest) return nearest_taps(in, out);
    return bilinear_taps(in, out, mode == Resize::Mode::BilinearAligned);
}

}  // namespace

TensorDesc infer(const Resize& op, const Graph&, Operands operands) {
    expect_operands(operands, 1, op.size);
    expect_features(operands);
    const Axes size = output_size(op.size, operands);
    return features(operands[0].channels(), size.h, size.w);
}

void reference(const Resize& op, const Graph&, HostOperands operands, HostValue& result) {
    const HostValue& input = *operands[0];
    const int in_w = input.desc.width(), out_w = result.desc.width();
    const std::vector<Tap> rows = taps_of(op.mode, input.desc.height(), result.desc.height());
    const std::vector<Tap> columns = taps_of(op.mode, in_w, out_w);
    parallel_for(result.desc.channels(), [&](int64_t c) {
        float* target = channel(result, c);
        for (const Tap& row : rows) {
            const float* above = channel(input, c) + int64_t{row.first} * in_w;
            const float* below = channel(input, c) + int64_t{row.second} * in_w;
            const double wy = row.weight;
            for (const Tap& column : columns) {
                const double wx = column.weight;
                const double top = above[column.first] * (1.0 - wx) + above[column.second] * wx;
                const double bottom = below[column.first] * (1.0 - wx) + below[column.second] * wx;
                *target++ = static_cast<float>(top * (1.0 - wy) + bottom * wy);
            }
        }
    });
}

}  // namespace vkseg
