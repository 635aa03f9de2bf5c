#pragma once

#include "graph/ir/config.hpp"
#include "graph/ir/tensor.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vkseg::app {

struct Tolerance {
    double relative_l2 = 0;
    double class_agreement = 0;
};

/// One stored case: a network, its weights, an input and the output that the published code gives.
struct GoldenCase {
    std::filesystem::path folder;
    /// "<parent folder>-<case folder>"
    std::string name;
    std::string network;
    Config config;
    std::filesystem::path weights, image, logits;
    /// Class per pixel; absent for classifiers.
    std::optional<std::filesystem::path> labels;
    int width = 0, height = 0;
    Shape output_shape;
    int logits_stride = 1;
    int class_flips_allowed = 0;
    Tolerance fp32, fp16;
    bool bgr = false;
    /// The published formula divides by 255 before (ImageNet) or after (ESPNet) mean and deviation.
    bool divide_first = false;
    std::vector<double> mean, deviation;
};

/// Reads `case.json`. Throws `Error` naming the file and the key that is missing or of another kind.
[[nodiscard]] GoldenCase read_golden_case(const std::filesystem::path& folder);

/// The case's picture after the published pre-processing: {3, H, W}.
[[nodiscard]] Tensor golden_input(const GoldenCase& golden);

struct GoldenScore {
    double relative_l2 = 0;
    double largest_error = 0;
    double class_agreement = 0;
    int64_t class_flips = 0;
    bool passed = false;
};

/// Compares full scores with the stored ones.
[[nodiscard]] GoldenScore compare_with_golden(const GoldenCase& golden, const Tensor& scores, bool fp16);

}  // namespace vkseg::app
