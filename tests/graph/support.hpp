#pragma once

#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

// What the tests of graph/ share.

namespace vkseg::test {

inline TensorDesc features(int64_t c, int64_t h, int64_t w) {
    return {ValueKind::Features, {c, h, w}};
}
inline TensorDesc labels(int64_t h, int64_t w) {
    return {ValueKind::Labels, {1, h, w}};
}
inline TensorDesc pixels(int64_t h, int64_t w, int64_t bytes) {
    return {ValueKind::Pixels, {h, w, bytes}};
}

/// Numbers in [-3.125, 3.125] that are exact in every float type; `data` of the PyTorch snippets.
inline std::vector<float> numbers(int64_t count, int64_t salt) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) {
        values.push_back(static_cast<float>((i * 37 + salt * 29) % 101 - 50) / 16.0f);
    }
    return values;
}
inline Tensor tensor(const Shape& shape, int64_t salt) {
    return {shape, numbers(element_count(shape), salt)};
}

inline HostValue feature_value(int64_t c, int64_t h, int64_t w, std::vector<float> floats) {
    return {features(c, h, w), std::move(floats), {}};
}
inline HostValue pattern(int64_t c, int64_t h, int64_t w, int64_t salt = 1) {
    return feature_value(c, h, w, numbers(c * h * w, salt));
}
inline HostValue byte_value(TensorDesc desc, std::vector<uint8_t> bytes) {
    return {std::move(desc), {}, std::move(bytes)};
}

/// Result of one operation on `operands`. Constants that the operation refers to are already in `graph`.
inline HostValue run_op(Op op, const std::vector<HostValue>& operands, Graph graph = {}, Epilogue epilogue = {}) {
    std::vector<ValueId> ids;
    for (size_t i = 0; i < operands.size(); ++i) {
        ids.push_back(graph.add_input("operand" + std::to_string(i), operands[i].desc));
    }
    std::vector<ValueId> own = ids;
    if (epilogue.add) own.pop_back();
    graph.outputs = {graph.add("op", std::move(op), own)};
    graph.nodes[0].inputs = ids;
    graph.nodes[0].epilogue = epilogue;
    return run_reference(graph, operands)[0];
}

/// Message of the Error that `action` throws; "" and a failure when it throws none.
template <typename Action>
std::string error_of(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    ADD_FAILURE() << "no Error thrown";
    return "";
}

inline void expect_near(const std::vector<float>& found, const std::vector<float>& expected, float tolerance = 1e-6f) {
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "element " << i;
}

/// What the PyTorch tables hold of a result: five values spread over it, and one sum that every value enters.
struct Digest {
    std::vector<double> samples;
    double sum = 0.0;
};

inline void expect_digest(const std::vector<float>& found, const Digest& expected, double tolerance) {
    const size_t step = std::max<size_t>(1, found.size() / 5);
    double sum = 0.0, magnitude = 0.0;
    for (size_t i = 0; i < found.size(); ++i) {
        const double term = found[i] * static_cast<double>(i % 7 + 1);
        sum += term;
        magnitude += std::abs(term);
    }
    for (size_t i = 0; i < expected.samples.size(); ++i) {
        EXPECT_NEAR(found.at(i * step), expected.samples[i], tolerance) << "element " << i * step;
    }
    EXPECT_NEAR(sum, expected.sum, tolerance * (magnitude + 1.0));
}

}  // namespace vkseg::test
