#include "graph/ops/op_utils.hpp"

namespace vkseg {

TensorDesc infer(const Identity&, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    return operands[0];
}

void reference(const Identity&, const Graph&, HostOperands operands, HostValue& result) {
    result.floats = operands[0]->floats;
}

}  // namespace vkseg
