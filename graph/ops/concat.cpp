#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

TensorDesc infer(const Concat&, const Graph&, Operands operands) {
    if (operands.size() < 2) throw error("expects two or more operands, found {}", operands.size());
    int64_t channels = 0;
    for (size_t i = 0; i < operands.size(); ++i) {
        expect_features(operands, i);
        const TensorDesc &first = operands[0], &other = operands[i];
        if (first.height() != other.height() || first.width() != other.width()) {
            throw error("expects operands of one height and width, found operand 0 of {} and operand {} of {}",
                        to_string(first.shape), i, to_string(other.shape));
        }
        channels += other.channels();
    }
    return features(channels, operands[0].height(), operands[0].width());
}

void reference(const Concat&, const Graph&, HostOperands operands, HostValue& result) {
    auto target = result.floats.begin();
    for (const HostValue* operand : operands) {
        target = std::copy(operand->floats.begin(), operand->floats.end(), target);
    }
}

}  // namespace vkseg
