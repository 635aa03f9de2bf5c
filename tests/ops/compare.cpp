#include "tests/ops/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace vkseg::test {

namespace {

/// A device may be off by of_value * |expected| + of_rms * (root mean square of the expected tensor).
struct Tolerance {
    double of_value = 0.0;
    double of_rms = 0.0;
};

/// Sums of up to some 1,200 products in float32 against double: rounding errors of 6e-8 of the partial sums add up
/// like a random walk.
constexpr Tolerance fp32_sums{1e-6, 1e-5};
/// Bilinear sampling adds the rounding of a source position: up to 3 roundings of 6e-8 at positions below 64, so 1e-5
/// pixels, times the difference of two neighbours, which can be several times the rms.
constexpr Tolerance fp32_sampled{1e-6, 5e-5};
/// Every store rounds to 11 bits, 4.9e-4 of the value. Inputs are exact and most graphs store once; the share of the
/// rms is for values that are stored in between and for sums that continue in storage.
constexpr Tolerance fp16_storage{6e-4, 2e-3};
/// Weights round to 11 bits too, and so do the sums of four products: two random walks of 2e-4 of the root mean square
/// each. Among 1e4 elements the largest error is four times both together, on top of what storage rounds; layers add
/// up.
constexpr Tolerance fp16_arithmetic{6e-4, 4e-3};
/// Scores that were computed, or interpolated, and are closer than this (of the largest) may change places; and when
/// they were stored in 16 bits.
constexpr double indistinct_scores = 1e-5, indistinct_scores_fp16 = 2e-3, indistinct_scores_half = 4e-3;
/// exp() is exact to a few units in the last place, so a probability beside a rounding border may fall to either side.
constexpr int confidence_steps = 1;

bool samples_positions(const Graph& graph) {
    return std::ranges::any_of(graph.nodes, [](const Node& node) {
        return std::holds_alternative<Resize>(node.op) || std::holds_alternative<ImageToTensor>(node.op);
    });
}

Tolerance tolerance_of(const Graph& graph, Precision precision, Arithmetic arithmetic) {
    if (arithmetic == Arithmetic::FP16) return fp16_arithmetic;
    if (precision == Precision::FP16) return fp16_storage;
    return samples_positions(graph) ? fp32_sampled : fp32_sums;
}

/// Where element `index` of a value lies, in the words of the failure.
std::string place(const TensorDesc& desc, size_t index) {
    const auto width = static_cast<size_t>(desc.width()), height = static_cast<size_t>(desc.height());
    if (desc.kind == ValueKind::Pixels) {
        const auto bytes = static_cast<size_t>(desc.channels());
        return fmt::format("y {} x {} byte {}", index / bytes / width, index / bytes % width, index % bytes);
    }
    return fmt::format("channel {} y {} x {}", index / (width * height), index / width % height, index % width);
}

/// Collects differences; remembers the first.
class Differences {
public:
    Differences(const TensorDesc& desc, size_t count) : desc_(desc), count_(count) {}

    void add(size_t index, double found, double expected, double allowed) {
        if (different_++ == 0)
            first_ = fmt::format("{}: found {}, expected {}, allowed difference {}", place(desc_, index), found,
                                 expected, allowed);
    }
    [[nodiscard]] ::testing::AssertionResult result(const std::string& name) const {
        if (different_ == 0) return ::testing::AssertionSuccess();
        return ::testing::AssertionFailure() << fmt::format("'{}' {}: {} of {} elements differ, the first at {}", name,
                                                            vkseg::to_string(desc_.shape), different_, count_, first_);
    }

private:
    const TensorDesc& desc_;
    size_t count_;
    size_t different_ = 0;
    std::string first_;
};

Differences compare_features(const HostValue& expected, std::span<const uint8_t> found, Tolerance tolerance) {
    Differences differences(expected.desc, expected.floats.size());
    double squares = 0.0;
    for (const float value : expected.floats) squares += double{value} * value;
    const double rms = std::sqrt(squares / static_cast<double>(expected.floats.size()));
    for (size_t i = 0; i < expected.floats.size(); ++i) {
        float value = 0.0f;
        std::memcpy(&value, found.data() + i * sizeof(value), sizeof(value));
        const double wanted = expected.floats[i];
        const double allowed = tolerance.of_value * std::abs(wanted) + tolerance.of_rms * rms;
        // Not the reverse comparison: NaN must differ.
        if (!(std::abs(value - wanted) <= allowed)) differences.add(i, value, wanted, allowed);
    }
    return differences;
}

Differences compare_bytes(const HostValue& expected, std::span<const uint8_t> found, int steps) {
    Differences differences(expected.desc, expected.bytes.size());
    for (size_t i = 0; i < expected.bytes.size(); ++i)
        if (std::abs(int{found[i]} - int{expected.bytes[i]}) > steps)
            differences.add(i, found[i], expected.bytes[i], steps);
    return differences;
}

/// The scores at the size of the labels. Bilinear ones by the reference of Resize, which samples as Argmax does.
HostValue sampled_scores(const Graph& graph, const HostValue& scores, Sampling sampling, const TensorDesc& labels) {
    if (sampling == Sampling::Nearest) {
        HostValue sampled{{ValueKind::Features, {scores.desc.channels(), labels.height(), labels.width()}}, {}, {}};
        for (int c = 0; c < scores.desc.channels(); ++c)
            for (int y = 0; y < labels.height(); ++y)
                for (int x = 0; x < labels.width(); ++x) {
                    const int iy = (2 * y + 1) * scores.desc.height() / (2 * labels.height());
                    const int ix = (2 * x + 1) * scores.desc.width() / (2 * labels.width());
                    const int row = c * scores.desc.height() + iy;
                    sampled.floats.push_back(scores.floats[static_cast<size_t>(row * scores.desc.width() + ix)]);
                }
        return sampled;
    }
    const auto mode = sampling == Sampling::Bilinear ? Resize::Mode::Bilinear : Resize::Mode::BilinearAligned;
    Node node;
    node.op = Resize{.mode = mode, .size = {.fixed = {labels.height(), labels.width()}}};
    const HostValue* operands[] = {&scores};
    return reference(node, graph, operands);
}

Differences compare_labels(const Graph& graph, const HostValue& scores, Sampling sampling, const HostValue& expected,
                           std::span<const uint8_t> found, double indistinct) {
    Differences differences(expected.desc, expected.bytes.size());
    const HostValue sampled = sampled_scores(graph, scores, sampling, expected.desc);
    double largest = 0.0;
    for (const float score : sampled.floats) largest = std::max(largest, std::abs(double{score}));
    const size_t pixels = expected.bytes.size();
    const auto score = [&](size_t label, size_t pixel) { return double{sampled.floats[label * pixels + pixel]}; };
    for (size_t i = 0; i < pixels; ++i) {
        if (found[i] == expected.bytes[i]) continue;
        const bool exists = found[i] < scores.desc.channels();
        if (!exists || score(expected.bytes[i], i) - score(found[i], i) > indistinct * largest)
            differences.add(i, found[i], expected.bytes[i], 0);
    }
    return differences;
}

/// A multiple of 1/256 from -4 to 4: 11 bits, so exact in fp16.
float exact_number(std::mt19937& random) {
    return static_cast<float>(static_cast<int>(random() % 2048) - 1024) / 256.0f;
}

}  // namespace

std::vector<HostValue> random_inputs(const Graph& graph, bool ties) {
    std::mt19937 random(7);
    std::vector<HostValue> inputs;
    for (const ValueId id : graph.inputs) {
        HostValue value;
        value.desc = graph.desc(id);
        const auto count = static_cast<size_t>(element_count(value.desc.shape));
        if (value.desc.kind == ValueKind::Features) {
            for (size_t i = 0; i < count; ++i)
                value.floats.push_back(ties ? static_cast<float>(random() % 4) : exact_number(random));
        } else {
            for (size_t i = 0; i < count; ++i) value.bytes.push_back(static_cast<uint8_t>(random() >> 24));
        }
        inputs.push_back(std::move(value));
    }
    return inputs;
}

std::vector<HostValue> reference_values(const Graph& graph, std::span<const HostValue> inputs) {
    std::vector<HostValue> values(graph.values.size());
    for (size_t i = 0; i < inputs.size(); ++i) values[static_cast<size_t>(graph.inputs[i])] = inputs[i];
    const auto keep = [&](const Node& node, const HostValue& value) {
        values[static_cast<size_t>(node.output)] = value;
    };
    static_cast<void>(run_reference(graph, inputs, keep));
    return values;
}

::testing::AssertionResult agrees(const Graph& graph, const std::vector<HostValue>& values, ValueId output,
                                  std::span<const uint8_t> found, Precision precision, Arithmetic arithmetic) {
    const HostValue& expected = values[static_cast<size_t>(output)];
    const std::string& name = graph.values[static_cast<size_t>(output)].name;
    if (found.size() < expected.desc.host_size_bytes())
        return ::testing::AssertionFailure()
               << fmt::format("'{}' has {} bytes of {}", name, found.size(), expected.desc.host_size_bytes());
    if (expected.desc.kind == ValueKind::Features)
        return compare_features(expected, found, tolerance_of(graph, precision, arithmetic)).result(name);
    const auto maker = std::ranges::find(graph.nodes, output, &Node::output);
    if (maker != graph.nodes.end()) {
        if (std::holds_alternative<Confidence>(maker->op))
            return compare_bytes(expected, found, confidence_steps).result(name);
        if (const auto* argmax = std::get_if<Argmax>(&maker->op)) {
            const ValueId scores = maker->inputs[0];
            const bool given = std::ranges::find(graph.inputs, scores) != graph.inputs.end();
            const double indistinct = given || precision == Precision::FP32 ? indistinct_scores
                                      : arithmetic == Arithmetic::FP16      ? indistinct_scores_half
                                                                            : indistinct_scores_fp16;
            if (!given || argmax->sampling != Sampling::Nearest)
                return compare_labels(graph, values[static_cast<size_t>(scores)], argmax->sampling, expected, found,
                                      indistinct)
                    .result(name);
        }
    }
    return compare_bytes(expected, found, 0).result(name);
}

}  // namespace vkseg::test
