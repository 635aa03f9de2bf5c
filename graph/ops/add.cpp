#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

TensorDesc infer(const Add&, const Graph&, Operands operands) {
    expect_operands(operands, 2);
    expect_features(operands, 0);
    expect_features(operands, 1);
    if (operands[0] != operands[1]) {
        throw error("expects two values of one shape, found {} and {}", to_string(operands[0].shape),
                    to_string(operands[1].shape));
    }
    return operands[0];
}

void reference(const Add&, const Graph&, HostOperands operands, HostValue& result) {
    std::transform(operands[0]->floats.begin(), operands[0]->floats.end(), operands[1]->floats.begin(),
                   result.floats.begin(), std::plus<>());
}

}  // namespace vkseg
