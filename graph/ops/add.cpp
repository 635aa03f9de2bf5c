#include "graph/ops/op_utils.hpp"

#include <functional>

namespace vkseg {

namespace {

TensorDesc infer_pair(Operands operands) {
    expect_operands(operands, 2);
    expect_features(operands, 0);
    expect_features(operands, 1);
    if (operands[0] != operands[1] && operands[1] != features(operands[0].channels(), 1, 1)) {
        throw error("expects two values of one shape, or a second one of {}x1x1, found {} and {}",
                    operands[0].channels(), to_string(operands[0].shape), to_string(operands[1].shape));
    }
    return operands[0];
}

template <typename Combine>
void combine_pair(HostOperands operands, HostValue& result, const Combine& combine) {
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    const int64_t step = operands[1]->desc == result.desc ? 1 : 0;
    for (int c = 0; c < result.desc.channels(); ++c) {
        const float* left = channel(*operands[0], c);
        const float* right = channel(*operands[1], c);
        float* target = channel(result, c);
        for (int64_t i = 0; i < pixels; ++i) target[i] = combine(left[i], right[i * step]);
    }
}

}  // namespace

TensorDesc infer(const Add&, const Graph&, Operands operands) {
    return infer_pair(operands);
}
TensorDesc infer(const Multiply&, const Graph&, Operands operands) {
    return infer_pair(operands);
}

void reference(const Add&, const Graph&, HostOperands operands, HostValue& result) {
    combine_pair(operands, result, std::plus<>());
}

void reference(const Multiply&, const Graph&, HostOperands operands, HostValue& result) {
    combine_pair(operands, result, std::multiplies<>());
}

}  // namespace vkseg
