#include "graph/ops/op_utils.hpp"

#include <cmath>

namespace vkseg {

TensorDesc infer(const BatchNorm& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    const Shape length{operands[0].channels()};
    expect_constant(graph, op.gamma, length, "gamma");
    expect_constant(graph, op.beta, length, "beta");
    expect_constant(graph, op.mean, length, "mean");
    expect_constant(graph, op.variance, length, "variance");
    return operands[0];
}

void reference(const BatchNorm& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    for (int c = 0; c < result.desc.channels(); ++c) {
        const auto at = [&](ConstId id) { return double{graph.constant(id).data[static_cast<size_t>(c)]}; };
        const double scale = at(op.gamma) / std::sqrt(at(op.variance) + double{op.eps});
        const double mean = at(op.mean), beta = at(op.beta);
        const float* source = channel(*operands[0], c);
        float* target = channel(result, c);
        for (int64_t i = 0; i < pixels; ++i) target[i] = static_cast<float>((double{source[i]} - mean) * scale + beta);
    }
}

}  // namespace vkseg
