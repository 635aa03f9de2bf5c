#include "graph/ops/op_utils.hpp"

namespace vkseg {

TensorDesc infer(const AdaptiveAvgPool2d& op, const Graph&, Operands operands) {
    expect_operands(operands, 1, op.size);
    expect_features(operands);
    const Axes size = output_size(op.size, operands);
    expect_at_least("output size", size, 1);
    return features(operands[0].channels(), size.h, size.w);
}

void reference(const AdaptiveAvgPool2d&, const Graph&, HostOperands operands, HostValue& result) {
    const int64_t in_h = operands[0]->desc.height(), in_w = operands[0]->desc.width();
    const int64_t out_h = result.desc.height(), out_w = result.desc.width();
    parallel_for(result.desc.channels(), [&](int64_t c) {
        const float* plane = channel(*operands[0], c);
        float* target = channel(result, c);
        for (int64_t y = 0; y < out_h; ++y)
            for (int64_t x = 0; x < out_w; ++x) {
                const int64_t top = y * in_h / out_h, bottom = ((y + 1) * in_h + out_h - 1) / out_h;
                const int64_t left = x * in_w / out_w, right = ((x + 1) * in_w + out_w - 1) / out_w;
                double sum = 0.0;
                for (int64_t iy = top; iy < bottom; ++iy)
                    for (int64_t ix = left; ix < right; ++ix) sum += plane[iy * in_w + ix];
                target[y * out_w + x] = static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left)));
            }
    });
}

}  // namespace vkseg
