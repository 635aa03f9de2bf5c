#pragma once

#include "graph/ops/op_utils.hpp"

// What argmax and confidence share: scores read at any size. Private to graph/ops.

namespace vkseg {

/// Scores read at a size that may not be theirs.
class ScoreSampler {
public:
    ScoreSampler(const HostValue& scores, Sampling sampling, int out_height, int out_width);

    /// Scores of all channels at one output pixel, in float32 because ties are decided on them.
    void sample(int y, int x, std::vector<float>& pixel) const;

private:
    const HostValue& scores_;
    std::vector<Tap> rows_;
    std::vector<Tap> columns_;
};

TensorDesc infer_labels(const SizeRule& size, Operands operands);

/// Writes decide(scores of the pixel) to every pixel of `labels`.
void label_pixels(const HostValue& scores, Sampling sampling, HostValue& labels,
                  const std::function<uint8_t(const std::vector<float>&)>& decide);

}  // namespace vkseg
