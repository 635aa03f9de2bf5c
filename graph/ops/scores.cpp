#include "graph/ops/scores.hpp"

namespace vkseg {

namespace {

std::vector<Tap> taps_of(Sampling sampling, int in, int out) {
    if (sampling != Sampling::Nearest) return bilinear_taps(in, out, sampling == Sampling::BilinearAligned);
    std::vector<Tap> taps(static_cast<size_t>(out));
    for (int dst = 0; dst < out; ++dst) {
        const int source = nearest_centre(dst, in, out);
        taps[static_cast<size_t>(dst)] = {source, source, 0.0f};
    }
    return taps;
}

}  // namespace

ScoreSampler::ScoreSampler(const HostValue& scores, Sampling sampling, int out_height, int out_width)
    : scores_(scores),
      rows_(taps_of(sampling, scores.desc.height(), out_height)),
      columns_(taps_of(sampling, scores.desc.width(), out_width)) {}

void ScoreSampler::sample(int y, int x, std::vector<float>& pixel) const {
    const Tap& row = rows_[static_cast<size_t>(y)];
    const Tap& column = columns_[static_cast<size_t>(x)];
    const int64_t width = scores_.desc.width();
    for (size_t c = 0; c < pixel.size(); ++c) {
        const float* above = channel(scores_, static_cast<int64_t>(c)) + row.first * width;
        const float* below = channel(scores_, static_cast<int64_t>(c)) + row.second * width;
        if (row.weight == 0.0f && column.weight == 0.0f) {
            pixel[c] = above[column.first];
            continue;
        }
        const float top = above[column.first] * (1.0f - column.weight) + above[column.second] * column.weight;
        const float bottom = below[column.first] * (1.0f - column.weight) + below[column.second] * column.weight;
        pixel[c] = top * (1.0f - row.weight) + bottom * row.weight;
    }
}

TensorDesc infer_labels(const SizeRule& size, Operands operands) {
    expect_operands(operands, 1, size);
    expect_features(operands);
    if (operands[0].channels() > 256) {
        throw error("expects at most 256 classes because labels are bytes, found {}", operands[0].channels());
    }
    const Axes out = output_size(size, operands);
    return {ValueKind::Labels, {1, out.h, out.w}};
}

void label_pixels(const HostValue& scores, Sampling sampling, HostValue& labels,
                  const std::function<uint8_t(const std::vector<float>&)>& decide) {
    const int height = labels.desc.height(), width = labels.desc.width();
    const ScoreSampler sampler(scores, sampling, height, width);
    parallel_for(height, [&](int64_t y) {
        std::vector<float> pixel(static_cast<size_t>(scores.desc.channels()));
        for (int x = 0; x < width; ++x) {
            sampler.sample(static_cast<int>(y), x, pixel);
            labels.bytes[static_cast<size_t>(y * width + x)] = decide(pixel);
        }
    });
}

}  // namespace vkseg
