#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

TensorDesc infer(const Slice& op, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    const int channels = operands[0].channels();
    if (op.begin < 0 || op.count < 1 || op.begin > channels - op.count)
        throw error("channels {} to {} are not within the {} that there are", op.begin, op.begin + op.count - 1,
                    channels);
    return features(op.count, operands[0].height(), operands[0].width());
}

void reference(const Slice& op, const Graph&, HostOperands operands, HostValue& result) {
    std::copy_n(channel(*operands[0], op.begin), result.floats.size(), result.floats.begin());
}

}  // namespace vkseg
