#include "graph/plan/tunable_layers.hpp"

#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "tests/plan/plan_checks.hpp"
#include "tests/support/plan_interpreter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

// What tuning may try: candidates differ from the rule, are sound plans, and compute the same.

namespace vkseg {
namespace {

constexpr TuningStep steps[] = {TuningStep::Grouping, TuningStep::Tiling, TuningStep::Access};

Graph small_network(const std::string& name) {
    Graph graph = build_network(name, {}, 64, 32).graph;
    simplify(graph);
    return graph;
}

/// The n-th candidate of every layer that has so many.
Choices column_of(const std::vector<TunableLayer>& layers, size_t column) {
    Choices choices;
    for (const TunableLayer& layer : layers)
        if (column < layer.candidates.size())
            for (const auto& [label, choice] : layer.candidates[column]) choices.layers[label] = choice;
    return choices;
}

double error_of(const Plan& plan, const Graph& graph) {
    HostValue input{graph.desc(graph.inputs[0]), {}, {}};
    for (int64_t i = 0; i < element_count(input.desc.shape); ++i)
        input.floats.push_back(static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f);
    std::vector<uint8_t> bytes(input.floats.size() * sizeof(float));
    std::memcpy(bytes.data(), input.floats.data(), bytes.size());
    const auto found = test::interpret(plan, pack_weights(plan, graph), {bytes});
    const auto wanted = run_reference(graph, std::span(&input, 1))[0].floats;
    double errors = 0, squares = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
        float value = 0;
        std::memcpy(&value, found[0].data() + i * sizeof(float), sizeof(float));
        const double difference = std::isfinite(value) ? value - wanted[i] : INFINITY;
        errors += difference * difference;
        squares += double{wanted[i]} * wanted[i];
    }
    return std::sqrt(errors / squares);
}

TEST(TunableLayers, EveryCandidateIsASoundPlanThatComputesTheSame) {
    for (const char* network : {"espnet", "espnetv2", "erfnet"}) {
        const Graph graph = small_network(network);
        for (const char* device : {"nvidia-discrete", "lavapipe"}) {
            const DeviceFacts& facts = paper_device(device);
            const std::string ruled = to_string(compile(graph, facts));
            size_t plans = 0;
            for (const TuningStep step : steps) {
                const auto layers = tunable_layers(graph, facts, {}, step);
                for (size_t column = 0; column < 4; ++column) {
                    const Choices choices = column_of(layers, column);
                    if (choices.layers.empty()) continue;
                    const Plan plan = compile(graph, facts, choices);
                    EXPECT_NE(to_string(plan), ruled);
                    test::expect_sound(plan, facts);
                    EXPECT_LE(error_of(plan, graph), 3e-6)
                        << network << " on " << device << ", step " << static_cast<int>(step) << ", column " << column;
                    ++plans;
                }
            }
            EXPECT_GE(plans, 2u) << network << " on " << device;
        }
    }
}

TEST(TunableLayers, GroupsCanBeTakenApart) {
    const Graph graph = small_network("espnet");
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    const auto layers = tunable_layers(graph, facts, {}, TuningStep::Grouping);
    ASSERT_FALSE(layers.empty());
    for (const TunableLayer& layer : layers) {
        EXPECT_TRUE(layer.label.ends_with(']')) << layer.label;
        EXPECT_FALSE(layer.members.empty());
        Choices choices;
        for (const auto& [label, choice] : layer.candidates.at(0)) choices.layers[label] = choice;
        const auto before = nodes_by_label(graph, facts, {}), after = nodes_by_label(graph, facts, choices);
        EXPECT_TRUE(before.contains(layer.label));
        EXPECT_FALSE(after.contains(layer.label)) << layer.label;
    }
}

TEST(TunableLayers, AccessIsThereWhereADeviceHasBoth) {
    const Graph graph = small_network("espnet");
    EXPECT_FALSE(tunable_layers(graph, paper_device("nvidia-discrete"), {}, TuningStep::Access).empty());
    EXPECT_TRUE(tunable_layers(graph, paper_device("minimal"), {}, TuningStep::Access).empty());
    EXPECT_TRUE(tunable_layers(graph, paper_device("lavapipe"), {}, TuningStep::Access).empty());
    const auto layers = tunable_layers(graph, paper_device("nvidia-discrete"), {}, TuningStep::Access);
    const Plan plan = compile(graph, paper_device("nvidia-discrete"), column_of(layers, 0));
    EXPECT_TRUE(test::accesses_of(plan).contains("bda"));
}

TEST(TunableLayers, TheCostModelKnowsReuseAndIdleDevices) {
    // Much work: more planes per invocation read less.
    EXPECT_LT(tiling_cost({4, 2}, 16, 1 << 20, false, 20000), tiling_cost({1, 1}, 16, 1 << 20, false, 20000));
    // Little work: more invocations keep the device busy.
    EXPECT_GT(tiling_cost({8, 2}, 16, 512, false, 20000), tiling_cost({1, 1}, 16, 512, false, 20000));
    // Blocks that are not full cost what full ones do.
    EXPECT_GT(tiling_cost({8, 1}, 9, 1 << 20, false, 1), tiling_cost({3, 1}, 9, 1 << 20, false, 1));
}

}  // namespace
}  // namespace vkseg
