#include "runtime/tuner.hpp"

#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// Tuning with a clock that can be foretold, and on drivers.

namespace vkseg::test {
namespace {

Graph small_network(int width = 64, int height = 32) {
    Graph graph = build_network("espnet", {{"alpha2", 1.0}, {"alpha3", 1.0}, {"classes", 5.0}}, width, height).graph;
    simplify(graph);
    return graph;
}

bool has(const Choices& choices, const LayerChoices& some) {
    return std::ranges::all_of(some, [&](const auto& entry) { return choices.layer(entry.first) == entry.second; });
}

/// Each label takes 100 us, but for what a test says.
class FakeBench final : public TuningBench {
public:
    struct Rule {
        /// When all of these are chosen ...
        LayerChoices when;
        /// ... this label, or "" for the whole run, takes so much more.
        std::string label;
        double more_us = 0;
    };

    FakeBench(const Graph& graph, const DeviceFacts& facts) : graph_(graph), facts_(facts) {}

    PlanTimes measure(const Choices& choices) override {
        ++measured;
        PlanTimes times;
        for (const auto& [label, nodes] : nodes_by_label(graph_, facts_, choices)) times.labels_us[label] = 100;
        double whole = 0;
        for (const Rule& rule : rules) {
            if (!has(choices, rule.when)) continue;
            (rule.label.empty() ? whole : times.labels_us[rule.label]) += rule.more_us;
        }
        times.total_us = whole;
        for (const auto& [label, us] : times.labels_us) times.total_us += us;
        if (!labels) times.labels_us.clear();
        return times;
    }

    std::string check(const Choices& choices) override {
        for (const LayerChoices& wrong : wrong_ones)
            if (has(choices, wrong)) return "the numbers are wrong";
        return "";
    }

    std::vector<Rule> rules;
    std::vector<LayerChoices> wrong_ones;
    bool labels = true;
    size_t measured = 0;

private:
    const Graph& graph_;
    const DeviceFacts& facts_;
};

class FakeTuner : public ::testing::Test {
protected:
    FakeTuner() {
        for (const TunableLayer& layer : tunable_layers(graph, facts, {}, TuningStep::Tiling))
            if (layer.candidates.size() > 1) layers.push_back(layer);
    }
    /// The second candidate of a layer takes less.
    [[nodiscard]] FakeBench::Rule faster(size_t layer) const {
        return {layers.at(layer).candidates.at(1), layers.at(layer).label, -40};
    }

    /// Only planned, so large enough for tilings to matter.
    const Graph graph = small_network(2048, 1024);
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    FakeBench bench{graph, facts};
    std::vector<TunableLayer> layers;
};

TEST_F(FakeTuner, PicksTheFasterCandidateAndNothingElse) {
    // Neither of these changes what is fused, and with it the label.
    bench.rules = {faster(0), faster(4)};
    const TuningReport report = tune(graph, facts, {}, bench);
    Choices expected;
    for (const size_t layer : {0, 4})
        for (const auto& [label, choice] : layers[layer].candidates[1]) expected.layers[label] = choice;
    EXPECT_EQ(report.choices, expected);
    EXPECT_EQ(report.changed, 2u);
    EXPECT_DOUBLE_EQ(report.tuned_us, report.untuned_us - 80);
    EXPECT_TRUE(report.refused.empty());
}

TEST_F(FakeTuner, IsDeterministic) {
    bench.rules = {faster(1), faster(3)};
    const TuningReport first = tune(graph, facts, {}, bench);
    const size_t measured = bench.measured;
    EXPECT_EQ(tune(graph, facts, {}, bench).choices, first.choices);
    EXPECT_EQ(bench.measured, 2 * measured);
}

TEST_F(FakeTuner, LeavesTheRulesWhereNothingIsFaster) {
    const TuningReport report = tune(graph, facts, {}, bench);
    EXPECT_EQ(report.choices, Choices{});
    EXPECT_EQ(report.changed, 0u);
    EXPECT_GT(report.candidates, report.layers / 4);
    // Less than noise is nothing.
    bench.rules = {faster(0)};
    bench.rules[0].more_us = -2;
    EXPECT_EQ(tune(graph, facts, {}, bench).choices, Choices{});
}

TEST_F(FakeTuner, RefusesAFastCandidateThatIsWrongAndKeepsTheOthers) {
    bench.rules = {faster(0), faster(1)};
    bench.wrong_ones = {layers[0].candidates[1]};
    const TuningReport report = tune(graph, facts, {}, bench);
    EXPECT_FALSE(has(report.choices, layers[0].candidates[1]));
    EXPECT_TRUE(has(report.choices, layers[1].candidates[1]));
    ASSERT_EQ(report.refused.size(), 1u);
    const auto& [label, choice] = *layers[0].candidates[1].begin();
    EXPECT_EQ(report.refused[0], "'" + label + "' with " + to_string(choice) + ": the numbers are wrong");
}

TEST_F(FakeTuner, RefusesChoicesThatAreWrongOnlyTogether) {
    bench.rules = {faster(0), faster(1)};
    LayerChoices both = layers[0].candidates[1];
    both.merge(LayerChoices(layers[1].candidates[0]));
    bench.rules[1].when = layers[1].candidates[0];
    bench.wrong_ones = {both};
    const TuningReport report = tune(graph, facts, {}, bench);
    EXPECT_EQ(report.choices, Choices{});
    ASSERT_EQ(report.refused.size(), 1u);
    EXPECT_EQ(report.refused[0], "all that was chosen together: the numbers are wrong");
}

TEST_F(FakeTuner, KeepsTheRulesWhereTheWholeRunIsSlower) {
    bench.rules = {faster(0), {layers[0].candidates[1], "", 90}};
    const TuningReport report = tune(graph, facts, {}, bench);
    EXPECT_EQ(report.choices, Choices{});
    EXPECT_DOUBLE_EQ(report.tuned_us, report.untuned_us);
}

TEST_F(FakeTuner, TakesALongerPlanWhereItIsFaster) {
    const auto groups = tunable_layers(graph, facts, {}, TuningStep::Grouping);
    ASSERT_FALSE(groups.empty());
    // The members take 100 us each, so the group is slow.
    bench.rules = {{{}, groups[0].label, 5000}, {groups[0].candidates[0], groups[0].label, -5000}};
    bench.rules[1].label = "";
    bench.rules[1].more_us = 0;
    // A group that is not there takes no time: its label is only made by the first rule.
    bench.rules[0].when = {{groups[0].label, LayerChoice{}}};
    const TuningReport report = tune(graph, facts, {}, bench);
    EXPECT_TRUE(report.choices.layer(groups[0].label).separate);
    EXPECT_GT(report.tuned_dispatches, report.untuned_dispatches);
    EXPECT_LT(report.tuned_us, report.untuned_us);
}

TEST_F(FakeTuner, WithoutTimesOfLayersPlansAreTakenAsAWhole) {
    bench.labels = false;
    for (size_t layer = 0; layer < layers.size(); ++layer) bench.rules.push_back(faster(layer));
    const TuningReport report = tune(graph, facts, {}, bench);
    for (const TunableLayer& layer : layers) EXPECT_TRUE(has(report.choices, layer.candidates[1])) << layer.label;
    EXPECT_LT(report.tuned_us, report.untuned_us);
}

TEST_F(FakeTuner, SaysHowFarItIs) {
    TuningOptions options;
    size_t calls = 0;
    options.progress = [&](size_t done, size_t total, const std::string& what) {
        EXPECT_LE(done, total);
        EXPECT_FALSE(what.empty());
        ++calls;
    };
    (void)tune(graph, facts, {}, bench, options);
    EXPECT_GT(calls, bench.measured / 3);
}

class SessionBenchOn : public EachDriver {};

TEST_P(SessionBenchOn, TrustsWhatComputesTheSameAndNothingElse) {
    const Graph graph = small_network();
    SessionBench bench(context(), graph, {});
    for (const TuningStep step : {TuningStep::Grouping, TuningStep::Tiling, TuningStep::Access}) {
        Choices choices;
        for (const TunableLayer& layer : tunable_layers(graph, context().facts(), {}, step))
            for (const auto& [label, choice] : layer.candidates.back()) choices.layers[label] = choice;
        EXPECT_EQ(bench.check(choices), "") << static_cast<int>(step);
    }
    // Storage of 11 bits is not what was asked for.
    Choices coarse;
    coarse.precision = Precision::FP16;
    EXPECT_NE(bench.check(coarse).find("against the CPU reference, expected at most 1e-05"), std::string::npos);
}

TEST_P(SessionBenchOn, TimesTheRunAndItsLayers) {
    const Graph graph = small_network();
    SessionBench bench(context(), graph, {});
    const PlanTimes times = bench.measure({});
    EXPECT_GT(times.total_us, 0);
    EXPECT_EQ(times.labels_us.empty(), !context().facts().timestamps);
    if (times.labels_us.empty()) return;
    double sum = 0;
    for (const auto& [label, nodes] : nodes_by_label(graph, context().facts(), {})) {
        const auto found = times.labels_us.find(label);
        if (found != times.labels_us.end()) sum += found->second;
    }
    EXPECT_GT(sum, 0);
}

INSTANTIATE_TEST_SUITE_P(, SessionBenchOn, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
