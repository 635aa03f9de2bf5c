#include "graph/ops/scores.hpp"

#include <algorithm>

namespace vkseg {

TensorDesc infer(const Argmax& op, const Graph&, Operands operands) {
    return infer_labels(op.size, operands);
}

void reference(const Argmax& op, const Graph&, HostOperands operands, HostValue& result) {
    label_pixels(*operands[0], op.sampling, result, [](const std::vector<float>& scores) {
        // max_element gives the first of equals.
        return static_cast<uint8_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    });
}

}  // namespace vkseg
