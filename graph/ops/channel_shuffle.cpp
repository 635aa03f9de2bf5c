#include "graph/ops/op_utils.hpp"

#include <algorithm>

namespace vkseg {

TensorDesc infer(const ChannelShuffle& op, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    if (op.groups < 1 || operands[0].channels() % op.groups != 0)
        throw error("{} channels do not divide into {} groups", operands[0].channels(), op.groups);
    return operands[0];
}

void reference(const ChannelShuffle& op, const Graph&, HostOperands operands, HostValue& result) {
    const int per_group = result.desc.channels() / op.groups;
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    for (int group = 0; group < op.groups; ++group)
        for (int i = 0; i < per_group; ++i)
            std::copy_n(channel(*operands[0], group * per_group + i), pixels, channel(result, i * op.groups + group));
}

}  // namespace vkseg
