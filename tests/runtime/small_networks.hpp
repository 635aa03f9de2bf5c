#pragma once

#include "runtime/session.hpp"
#include "tests/graph/builder.hpp"

#include <cstring>
#include <memory>

namespace vkseg::test {

/// Two convolutions with a PReLU between them: weights, borders, three planes and a barrier.
inline Graph small_network(int width, int height) {
    Builder builder;
    const ValueId x = builder.input(3, height, width);
    builder.output(builder.conv("second", builder.prelu("act", builder.conv("first", x, 9, true)), 5));
    return builder.graph;
}

/// A graph with one of its plans.
struct Compiled {
    Graph graph;
    std::shared_ptr<const Plan> plan;

    Compiled(Graph source, const DeviceFacts& facts, const Choices& choices = {})
        : graph(std::move(source)), plan(std::make_shared<const Plan>(compile(graph, facts, choices))) {}

    void activate(Session& session) const {
        session.set_plan(plan, [this] { return pack_weights(*plan, graph); });
    }
    [[nodiscard]] HostValue input() const { return inputs_of(graph)[0]; }
    /// Runs the active plan on `input()`.
    [[nodiscard]] std::vector<float> run(Session& session) const {
        const std::vector<float> floats = input().floats;
        std::memcpy(session.input(0).data(), floats.data(), floats.size() * sizeof(float));
        session.run();
        const std::span<const uint8_t> bytes = session.output(0);
        std::vector<float> result(bytes.size() / sizeof(float));
        std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }
    [[nodiscard]] std::vector<float> expected() const {
        const HostValue value = input();
        return run_reference(graph, std::span(&value, 1))[0].floats;
    }
};

inline const Choices gpu_shaped{.precision = Precision::FP32, .denied_families = {"cpu_shaped"}};
inline const Choices half_precision{.precision = Precision::FP16, .denied_families = {}};

/// Sums of 81 products of numbers near 3, rounded in another order.
constexpr float fp32_tolerance = 2e-3f;

}  // namespace vkseg::test
