#include "graph/ops/op_utils.hpp"

namespace vkseg {

TensorDesc infer(const Linear& op, const Graph& graph, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    const int in = operands[0].channels();
    if (operands[0] != features(in, 1, 1))
        throw error("expects one pixel, {}x1x1, found {}", in, to_string(operands[0].shape));
    if (op.out_features < 1) throw error("{} output features, expected at least 1", op.out_features);
    expect_constant(graph, op.weight, {op.out_features, in}, "weight");
    if (op.bias != no_constant) expect_constant(graph, op.bias, {op.out_features}, "bias");
    return features(op.out_features, 1, 1);
}

void reference(const Linear& op, const Graph& graph, HostOperands operands, HostValue& result) {
    const std::vector<float>& input = operands[0]->floats;
    const std::vector<float>& weight = graph.constant(op.weight).data;
    for (size_t out = 0; out < result.floats.size(); ++out) {
        double sum = op.bias == no_constant ? 0.0 : double{graph.constant(op.bias).data[out]};
        for (size_t in = 0; in < input.size(); ++in) sum += double{weight[out * input.size() + in]} * input[in];
        result.floats[out] = static_cast<float>(sum);
    }
}

}  // namespace vkseg
