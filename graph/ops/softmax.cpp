#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>

namespace vkseg {

TensorDesc infer(const Softmax&, const Graph&, Operands operands) {
    expect_operands(operands, 1);
    expect_features(operands);
    return operands[0];
}

void reference(const Softmax&, const Graph&, HostOperands operands, HostValue& result) {
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    const int channels = result.desc.channels();
    for (int64_t i = 0; i < pixels; ++i) {
        // The largest score becomes exp(0), so that nothing overflows.
        double highest = channel(*operands[0], 0)[i];
        for (int c = 1; c < channels; ++c) highest = std::max<double>(highest, channel(*operands[0], c)[i]);
        double total = 0.0;
        for (int c = 0; c < channels; ++c) total += std::exp(channel(*operands[0], c)[i] - highest);
        for (int c = 0; c < channels; ++c)
            channel(result, c)[i] = static_cast<float>(std::exp(channel(*operands[0], c)[i] - highest) / total);
    }
}

}  // namespace vkseg
