#include "graph/ops/op_utils.hpp"

namespace vkseg {

TensorDesc infer(const ScaleShift& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    expect_constant(graph, op.scale, {operands[0].channels()}, "scale");
    expect_constant(graph, op.shift, {operands[0].channels()}, "shift");
    return operands[0];
}

void reference(const ScaleShift& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    for (int c = 0; c < result.desc.channels(); ++c) {
        const double scale = graph.constant(op.scale).data[static_cast<size_t>(c)];
        const double shift = graph.constant(op.shift).data[static_cast<size_t>(c)];
        const float* source = channel(*operands[0], c);
        float* target = channel(result, c);
        for (int64_t i = 0; i < pixels; ++i) target[i] = static_cast<float>(double{source[i]} * scale + shift);
    }
}

}  // namespace vkseg
