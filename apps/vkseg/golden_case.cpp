#include "apps/vkseg/golden_case.hpp"

#include "apps/common/image.hpp"
#include "apps/common/npy.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"
#include "importer/config_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

namespace vkseg::app {

namespace {

size_t first_of_largest(const Tensor& scores, size_t pixels, size_t pixel) {
    size_t best = 0;
    for (size_t c = 1; c < scores.data.size() / pixels; ++c)
        if (scores.data[c * pixels + pixel] > scores.data[best * pixels + pixel]) best = c;
    return best;
}

std::vector<size_t> top_five(const float* scores, size_t count) {
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t kept = std::min<size_t>(5, count);
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(kept),
                              [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    order.resize(kept);
    return order;
}

}  // namespace

GoldenCase read_golden_case(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "case.json";
    std::ifstream stream(file);
    if (!stream) throw error("'{}' cannot be read; a case is a folder with a case.json", file.string());
    const auto json = nlohmann::json::parse(stream, nullptr, false);
    if (json.is_discarded()) throw error("'{}' is not valid JSON", file.string());
    GoldenCase golden;
    golden.folder = folder;
    const std::filesystem::path absolute = std::filesystem::weakly_canonical(folder);
    golden.name = absolute.parent_path().filename().string() + "-" + absolute.filename().string();
    const std::filesystem::path root = absolute.parent_path().parent_path();
    try {
        golden.network = json.at("network");
        golden.config = config_from_json(json.at("config").dump(), "'" + file.string() + "'");
        golden.weights = root / json.at("weights").get<std::string>();
        golden.image = root / json.at("image").get<std::string>();
        golden.logits = absolute / json.at("logits_file").get<std::string>();
        if (!json.at("argmax_file").is_null()) golden.labels = absolute / json.at("argmax_file").get<std::string>();
        const auto& input = json.at("input_shape_nchw");
        golden.height = input.at(2);
        golden.width = input.at(3);
        golden.output_shape = json.at("output_shape_chw").get<Shape>();
        golden.logits_stride = json.at("logits_spatial_stride");
        const auto& tolerance = json.at("tolerance");
        golden.fp32 = {tolerance.at("fp32").at("relative_l2"), tolerance.at("fp32").at("class_agreement")};
        golden.fp16 = {tolerance.at("fp16").at("relative_l2"), tolerance.at("fp16").at("class_agreement")};
        golden.class_flips_allowed = tolerance.value("class_flips_allowed", 0);
        const auto& preprocess = json.at("preprocess");
        golden.bgr = preprocess.at("order") == "BGR";
        golden.divide_first = preprocess.at("after").get<std::string>().find("pixel/255") != std::string::npos;
        golden.mean = preprocess.at("mean").get<std::vector<double>>();
        golden.deviation = preprocess.at("std").get<std::vector<double>>();
        if (golden.mean.size() != 3 || golden.deviation.size() != 3 || golden.logits_stride < 1)
            throw error("'{}': mean and std have three numbers each, and the stride is at least 1", file.string());
    } catch (const nlohmann::json::exception& reason) {
        throw error("'{}': {}", file.string(), reason.what());
    }
    return golden;
}

Tensor golden_input(const GoldenCase& golden) {
    const Image image = read_image(golden.image);
    if (image.width != golden.width || image.height != golden.height)
        throw error("'{}' is {}x{} pixels, but the case says {}x{}", golden.image.string(), image.width, image.height,
                    golden.width, golden.height);
    Tensor input({3, image.height, image.width});
    const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
    for (size_t c = 0; c < 3; ++c)
        for (size_t i = 0; i < pixels; ++i) {
            const double value = image.pixels[i * 3 + (golden.bgr ? 2 - c : c)];
            input.data[c * pixels + i] =
                static_cast<float>(golden.divide_first ? (value / 255 - golden.mean[c]) / golden.deviation[c]
                                                       : (value - golden.mean[c]) / golden.deviation[c] / 255);
        }
    return input;
}

GoldenScore compare_with_golden(const GoldenCase& golden, const Tensor& scores, bool fp16) {
    if (element_count(scores.shape) != element_count(golden.output_shape))
        throw error("{}: the scores are {}, but the case says {}", golden.name, to_string(scores.shape),
                    to_string(golden.output_shape));
    const Tensor expected = read_npy(golden.logits);
    const bool flat = golden.output_shape.size() == 1;
    const auto channels = static_cast<size_t>(golden.output_shape[0]);
    const size_t height = flat ? 1 : static_cast<size_t>(golden.output_shape[1]);
    const size_t width = flat ? 1 : static_cast<size_t>(golden.output_shape[2]);
    const auto stride = static_cast<size_t>(golden.logits_stride);
    const size_t rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
    if (expected.data.size() != channels * rows * columns)
        throw error("'{}' is {}, but {} values were expected", golden.logits.string(), to_string(expected.shape),
                    channels * rows * columns);

    GoldenScore score;
    double error_squares = 0, squares = 0;
    for (size_t c = 0; c < channels; ++c)
        for (size_t y = 0; y < rows; ++y)
            for (size_t x = 0; x < columns; ++x) {
                const double found = scores.data[(c * height + y * stride) * width + x * stride];
                const double wanted = expected.data[(c * rows + y) * columns + x];
                // A NaN must not pass unseen through a comparison.
                const double difference = std::isfinite(found) ? std::abs(found - wanted) : INFINITY;
                score.largest_error = std::max(score.largest_error, difference);
                error_squares += difference * difference;
                squares += wanted * wanted;
            }
    score.relative_l2 = std::sqrt(error_squares / squares);

    const Tolerance& tolerance = fp16 ? golden.fp16 : golden.fp32;
    const size_t pixels = height * width;
    if (golden.labels) {
        const Image labels = read_image(*golden.labels);
        if (labels.pixels.size() != pixels * 3)
            throw error("'{}' is {}x{} pixels, but the case says {}x{}", golden.labels->string(), labels.width,
                        labels.height, width, height);
        for (size_t i = 0; i < pixels; ++i)
            if (first_of_largest(scores, pixels, i) != labels.pixels[i * 3]) ++score.class_flips;
        score.class_agreement = 1.0 - static_cast<double>(score.class_flips) / static_cast<double>(pixels);
        score.passed =
            score.class_agreement >= tolerance.class_agreement || score.class_flips <= golden.class_flips_allowed;
    } else {
        const bool same = top_five(scores.data.data(), channels) == top_five(expected.data.data(), channels);
        score.class_agreement = same ? 1.0 : 0.0;
        score.passed = same;
    }
    score.passed = score.passed && score.relative_l2 <= tolerance.relative_l2;
    return score;
}

}  // namespace vkseg::app
