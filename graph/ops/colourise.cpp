#include "graph/ops/op_utils.hpp"

namespace vkseg {

TensorDesc infer(const Colourise& op, const Graph&, Operands operands) {
    if (operands.empty() || operands.size() > 2) {
        throw error("expects labels and perhaps a picture, found {} operands", operands.size());
    }
    const TensorDesc& labels = operands[0];
    if (labels.kind != ValueKind::Labels) throw error("operand 0 must be labels, found {}", describe(labels));
    if (op.palette.size() != 256) throw error("palette must have 256 colours, found {}", op.palette.size());
    if (op.opacity < 0 || op.opacity > 256) throw error("opacity must be from 0 to 256, found {}", op.opacity);
    if (operands.size() == 2) {
        const TensorDesc expected{ValueKind::Pixels, {labels.height(), labels.width(), bytes_per_pixel(op.format)}};
        if (operands[1] != expected) {
            throw error("operand 1 must be {}, found {}", describe(expected), describe(operands[1]));
        }
    }
    return {ValueKind::Pixels, {labels.height(), labels.width(), 4}};
}

void reference(const Colourise& op, const Graph&, HostOperands operands, HostValue& result) {
    const std::vector<uint8_t>& labels = operands[0]->bytes;
    const HostValue* picture = operands.size() == 2 ? operands[1] : nullptr;
    const bool red_first = op.format != PixelFormat::BGR8 && op.format != PixelFormat::BGRA8;
    const auto stride = static_cast<size_t>(bytes_per_pixel(op.format));
    for (size_t i = 0; i < labels.size(); ++i) {
        const uint32_t colour = op.palette[labels[i]];
        for (size_t c = 0; c < 3; ++c) {
            int value = static_cast<int>(colour >> (8 * c) & 0xffu);
            if (picture) {
                const int below = picture->bytes[i * stride + (red_first ? c : 2 - c)];
                // Whole numbers with an arithmetic shift, so that every device gives the same bytes.
                value = below + (((value - below) * op.opacity + 128) >> 8);
            }
            result.bytes[4 * i + (op.blue_first ? 2 - c : c)] = static_cast<uint8_t>(value);
        }
        result.bytes[4 * i + 3] = 255;
    }
}

}  // namespace vkseg
