#include "models/made_up_weights.hpp"

#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

// Made-up weights have to be of use for timing and comparing: numbers neither die out nor grow on their way through a
// network.

namespace vkseg {
namespace {

double deviation(const std::vector<float>& values) {
    double sum = 0, squares = 0;
    for (const float value : values) {
        sum += value;
        squares += double{value} * value;
    }
    const double count = static_cast<double>(values.size()), mean = sum / count;
    return std::sqrt(std::max(0.0, squares / count - mean * mean));
}

class MadeUpWeights : public testing::TestWithParam<const NetworkInfo*> {};

TEST_P(MadeUpWeights, KeepTheSizeOfActivations) {
    const NetworkInfo& info = *GetParam();
    Graph graph = build_network(info.name, {}, 128, 64).graph;
    simplify(graph, {});
    HostValue input{graph.desc(graph.inputs[0]), {}, {}};
    for (uint32_t i = 0; i < 3 * 64 * 128; ++i)
        input.floats.push_back(static_cast<float>(i * 2654435761u >> 8) / float{1 << 23} * 2 - 2);
    std::string largest_name, smallest_name;
    double largest = 0, smallest = 1e30;
    const auto keep = [&](const Node& node, const HostValue& value) {
        // One pixel has no spread to speak of.
        if (value.floats.size() < 1000) return;
        const double size = deviation(value.floats);
        if (size > largest) std::tie(largest, largest_name) = std::pair(size, node.name);
        if (size < smallest) std::tie(smallest, smallest_name) = std::pair(size, node.name);
    };
    const double scores = deviation(run_reference(graph, std::span(&input, 1), keep)[0].floats);
    EXPECT_GT(scores, 0.05);
    EXPECT_LT(scores, 50);
    EXPECT_GT(smallest, 0.01) << smallest_name;
    EXPECT_LT(largest, 100) << largest_name;
}

INSTANTIATE_TEST_SUITE_P(, MadeUpWeights, testing::ValuesIn(networks()), [](const auto& info) {
    std::string name = info.param->name;
    std::ranges::replace(name, '-', '_');
    return name;
});

TEST(MadeUpWeightFactors, LeaveTrainedWeightsAlone) {
    Weights weights = make_random_weights("lpsnet-s", {});
    for (auto& [name, tensor] : weights.tensors)
        for (float& value : tensor.tensor.data) value *= 3;
    const BuiltNetwork built = build_network("lpsnet-s", {}, weights, 64, 32);
    for (const Constant& constant : built.graph.constants)
        EXPECT_EQ(constant.tensor->data, weights.tensors.at(constant.name).tensor.data) << constant.name;
}

TEST(MadeUpWeightFactors, AreThoseThatWeightsFilesGet) {
    const Weights weights = make_random_weights("lpsnet-s", {});
    for (const Constant& constant : build_network("lpsnet-s", {}, 64, 32).graph.constants)
        EXPECT_EQ(constant.tensor->data, weights.tensors.at(constant.name).tensor.data) << constant.name;
}

TEST(MadeUpWeightFactors, MakeUpForWhatAReluTakes) {
    Graph graph;
    const ValueId image = graph.add_input("image", {ValueKind::Features, {4, 8, 8}});
    const auto conv = [&](const char* name, ValueId from) {
        Conv2d op;
        op.out_channels = 4;
        op.weight = graph.add_constant(std::string(name) + ".weight", Tensor({4, 4, 1, 1}));
        return graph.add(name, op, {from});
    };
    const ValueId first = conv("first", image);
    graph.outputs = {conv("second", graph.add("relu", Relu{}, {first}))};
    const auto factors = made_up_weight_factors(graph);
    EXPECT_FLOAT_EQ(factors.at("first.weight"), 1);
    EXPECT_FLOAT_EQ(factors.at("second.weight"), std::sqrt(2.0f));
}

}  // namespace
}  // namespace vkseg
