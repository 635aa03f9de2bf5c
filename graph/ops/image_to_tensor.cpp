#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>

namespace vkseg {

namespace {

/// OpenCV's INTER_LINEAR: pixel centres, edges repeated. The coordinate is rounded to float32 once, as there.
std::vector<Tap> centre_taps(int in, int out) {
    const double scale = static_cast<double>(in) / out;
    std::vector<Tap> taps(static_cast<size_t>(out));
    for (int dst = 0; dst < out; ++dst) {
        const auto source = static_cast<float>((dst + 0.5) * scale - 0.5);
        const float floor = std::floor(source);
        const int first = static_cast<int>(floor);
        taps[static_cast<size_t>(dst)] = {std::clamp(first, 0, in - 1), std::clamp(first + 1, 0, in - 1),
                                          source - floor};
    }
    return taps;
}

bool red_first(PixelFormat format) {
    return format != PixelFormat::BGR8 && format != PixelFormat::BGRA8;
}

}  // namespace

TensorDesc infer(const ImageToTensor& op, const Graph&, Operands operands) {
    expect_operands(operands, 1, op.size);
    if (operands[0].kind != ValueKind::Pixels || operands[0].channels() != bytes_per_pixel(op.format)) {
        throw error("expects pixels of {} bytes, found {}", bytes_per_pixel(op.format), describe(operands[0]));
    }
    const Axes size = output_size(op.size, operands);
    return features(3, size.h, size.w);
}

void reference(const ImageToTensor& op, const Graph&, HostOperands operands, HostValue& result) {
    const HostValue& picture = *operands[0];
    const int64_t stride = bytes_per_pixel(op.format), in_w = picture.desc.width();
    const std::vector<Tap> rows = centre_taps(picture.desc.height(), result.desc.height());
    const std::vector<Tap> columns = centre_taps(picture.desc.width(), result.desc.width());
    for (int c = 0; c < 3; ++c) {
        const int colour = op.bgr ? 2 - c : c;  // 0 is red
        const int byte = red_first(op.format) ? colour : 2 - colour;
        const auto at = [&](int y, int x) {
            return double{static_cast<float>(picture.bytes[static_cast<size_t>((y * in_w + x) * stride + byte)])};
        };
        const double subtract = op.subtract[static_cast<size_t>(c)], multiply = op.multiply[static_cast<size_t>(c)];
        float* target = channel(result, c);
        for (const Tap& row : rows) {
            for (const Tap& column : columns) {
                const double wx = column.weight, wy = row.weight;
                const double top = at(row.first, column.first) * (1.0 - wx) + at(row.first, column.second) * wx;
                const double bottom = at(row.second, column.first) * (1.0 - wx) + at(row.second, column.second) * wx;
                *target++ = static_cast<float>((top * (1.0 - wy) + bottom * wy - subtract) * multiply);
            }
        }
    }
}

}  // namespace vkseg
