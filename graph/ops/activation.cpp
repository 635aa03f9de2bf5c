#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>

namespace vkseg {

TensorDesc infer(const Relu&, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    return operands[0];
}

TensorDesc infer(const PRelu& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    expect_constant(graph, op.slope, {operands[0].channels()}, "slope");
    return operands[0];
}

TensorDesc infer(const Sigmoid&, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    return operands[0];
}

void reference(const Sigmoid&, const Graph&, HostOperands operands, HostValue& result) {
    std::transform(operands[0]->floats.begin(), operands[0]->floats.end(), result.floats.begin(),
                   [](float x) { return static_cast<float>(1.0 / (1.0 + std::exp(-double{x}))); });
}

void reference(const Relu&, const Graph&, HostOperands operands, HostValue& result) {
    // Written so that NaN passes, as in PyTorch: a broken layer must not look healthy.
    std::transform(operands[0]->floats.begin(), operands[0]->floats.end(), result.floats.begin(),
                   [](float x) { return x < 0.0f ? 0.0f : x; });
}

void reference(const PRelu& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    for (int c = 0; c < result.desc.channels(); ++c) {
        const float slope = graph.constant(op.slope).data[static_cast<size_t>(c)];
        const float* source = channel(*operands[0], c);
        std::transform(source, source + pixels, channel(result, c),
                       [slope](float x) { return x > 0.0f ? x : slope * x; });
    }
}

}  // namespace vkseg
