#include "graph/ops/scores.hpp"

#include <algorithm>
#include <cmath>

namespace vkseg {

TensorDesc infer(const Confidence& op, const Graph&, Operands operands) {
    return infer_labels(op.size, operands);
}

void reference(const Confidence& op, const Graph&, HostOperands operands, HostValue& result) {
    label_pixels(*operands[0], op.sampling, result, [](const std::vector<float>& scores) {
        const double best = *std::max_element(scores.begin(), scores.end());
        double sum = 0.0;
        for (float score : scores) sum += std::exp(score - best);
        // NaN fails the comparison: broken scores have no confidence.
        return sum >= 1.0 ? static_cast<uint8_t>(255.0 / sum + 0.5) : uint8_t{0};
    });
}

}  // namespace vkseg
