#include "graph/ir/error.hpp"
#include "graph/ir/half.hpp"
#include "graph/passes/passes.hpp"
#include "graph/plan/tunable_layers.hpp"
#include "models/network.hpp"
#include "runtime/api/runner.hpp"
#include "runtime/api/segmentation_graph.hpp"
#include "tests/plan/plan_checks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

// Arithmetic in 16 bits: where plans have it, and that a layer can be kept out of it by name.

namespace vkseg {
namespace {

using test::at;

Graph simplified(const std::string& network, int width, int height) {
    Graph graph = build_network(network, {}, width, height).graph;
    simplify(graph);
    return graph;
}

std::set<std::string> labels_in_halves(const Plan& plan) {
    std::set<std::string> labels;
    for (const Dispatch* dispatch : test::dispatches_of(plan))
        if (dispatch->fp16_arithmetic) labels.insert(dispatch->label);
    return labels;
}

/// What a session runs, weights apart: they lie elsewhere when those of another layer need more bytes.
std::string form_of(const Dispatch& dispatch) {
    return fmt::format("{} {} {} {}", dispatch.label, to_string(dispatch.shader), dispatch.group_count[0],
                       dispatch.macs);
}

class ArithmeticOn : public testing::TestWithParam<DeviceFacts> {};

TEST_P(ArithmeticOn, IsThatOfTheDevice) {
    const DeviceFacts& facts = GetParam();
    for (const NetworkInfo* info : networks()) {
        SCOPED_TRACE(info->name);
        const Graph graph = simplified(info->name, info->default_width / 4, info->default_height / 4);
        for (const Precision precision : {Precision::FP32, Precision::FP16}) {
            EXPECT_TRUE(labels_in_halves(compile(graph, facts, at(precision))).empty());
            const Plan plan = compile(graph, facts, at(precision, Arithmetic::FP16));
            test::expect_sound(plan, facts);
            const bool expected = facts.fp16_arithmetic && precision == Precision::FP16 && !suits_cpu_shape(facts);
            EXPECT_EQ(!labels_in_halves(plan).empty(), expected);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, ArithmeticOn, testing::ValuesIn(paper_devices()), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

/// Convolutions but for the first, of the picture, and depthwise ones.
TEST(Arithmetic, IsThatOfMostProducts) {
    for (const char* network : {"espnet", "erfnet", "esnet", "lpsnet-s"}) {
        const Plan plan = compile(simplified(network, 512, 256), paper_device("nvidia-discrete"),
                                  at(Precision::FP16, Arithmetic::FP16));
        uint64_t macs = 0;
        for (const Dispatch* dispatch : test::dispatches_of(plan))
            if (dispatch->fp16_arithmetic) macs += dispatch->macs;
        EXPECT_GE(static_cast<double>(macs), 0.97 * static_cast<double>(plan.macs())) << network;
    }
}

TEST(Arithmetic, TakesHalfTheBytesOfWeights) {
    const Graph graph = simplified("esnet", 256, 128);
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    const Plan single = compile(graph, facts, at(Precision::FP16));
    const Plan half = compile(graph, facts, at(Precision::FP16, Arithmetic::FP16));
    EXPECT_LE(static_cast<double>(half.weights_bytes), 0.52 * static_cast<double>(single.weights_bytes));
    EXPECT_EQ(pack_weights(half, graph).size(), half.weights_bytes);
}

TEST(Arithmetic, ALayerStaysInSinglePrecisionByItsName) {
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    for (const char* network : {"espnet", "espnetv2", "esnet", "lpsnet-s"}) {
        SCOPED_TRACE(network);
        const Graph graph = simplified(network, 512, 256);
        Choices choices = at(Precision::FP16, Arithmetic::FP16);
        const Plan single = compile(graph, facts, at(Precision::FP16)), half = compile(graph, facts, choices);
        const std::set<std::string> labels = labels_in_halves(half);
        for (const std::string& label : labels) {
            SCOPED_TRACE(label);
            choices.layers.clear();
            choices.layers[label].fp32_arithmetic = true;
            const Plan mixed = compile(graph, facts, choices);
            std::set<std::string> others = labels;
            others.erase(label);
            EXPECT_EQ(labels_in_halves(mixed), others);
            const auto found = test::dispatches_of(mixed), in_half = test::dispatches_of(half),
                       in_single = test::dispatches_of(single);
            ASSERT_EQ(found.size(), in_half.size());
            for (size_t i = 0; i < found.size(); ++i) {
                const Dispatch& wanted = *(in_half[i]->label == label ? in_single : in_half)[i];
                EXPECT_EQ(form_of(*found[i]), form_of(wanted));
                EXPECT_EQ(found[i]->specialization, wanted.specialization);
                EXPECT_EQ(found[i]->windows, wanted.windows);
                EXPECT_EQ(found[i]->weights_bytes, wanted.weights_bytes);
            }
        }
    }
}

std::set<std::string> convolutions_of(const std::string& label, const Graph& graph, const DeviceFacts& facts,
                                      const Choices& choices) {
    const std::vector<std::string> nodes = nodes_by_label(graph, facts, choices).at(label);
    std::set<std::string> names;
    for (const Node& node : graph.nodes)
        if ((std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<ConvTranspose2d>(node.op)) &&
            std::ranges::find(nodes, node.name) != nodes.end())
            names.insert(node.name);
    return names;
}

/// Layers in fp16 arithmetic that have one of the nodes, and those that have none.
std::array<std::set<std::string>, 2> halves_with_and_without(const std::set<std::string>& names, const Graph& graph,
                                                             const DeviceFacts& facts, const Choices& choices) {
    const auto nodes = nodes_by_label(graph, facts, choices);
    std::array<std::set<std::string>, 2> labels;
    for (const std::string& label : labels_in_halves(compile(graph, facts, choices)))
        labels[std::ranges::any_of(nodes.at(label), [&](const auto& name) { return names.contains(name); }) ? 0 : 1]
            .insert(label);
    return labels;
}

/// Plans of one network end in other groups, by what is made of a picture; a convolution is known in all of them.
TEST(Arithmetic, AConvolutionStaysInSinglePrecisionInWhateverGroup) {
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    for (const char* network : {"espnet", "erfnet", "esnet"}) {
        SCOPED_TRACE(network);
        const Graph scores = simplified(network, 512, 256);
        SegmentationOptions options;
        options.picture_width = 640;
        options.picture_height = 360;
        options.network_width = 512;
        options.network_height = 256;
        std::vector<Graph> graphs{scores, segmentation_graph(scores, {}, options)};
        options.format = PixelFormat::Image;
        graphs.push_back(segmentation_graph(scores, {}, options));
        const Choices all = at(Precision::FP16, Arithmetic::FP16);
        size_t regrouped = 0;
        for (const std::string& label : labels_in_halves(compile(scores, facts, all))) {
            const std::set<std::string> names = convolutions_of(label, scores, facts, all);
            Choices choices = all;
            for (const std::string& name : names) choices.layers[name].fp32_arithmetic = true;
            for (const Graph& graph : graphs) {
                const auto [fallen, others] = halves_with_and_without(names, graph, facts, all);
                EXPECT_EQ(labels_in_halves(compile(graph, facts, choices)), others) << label;
                regrouped += fallen.empty() || fallen.contains(label) ? 0 : 1;
            }
        }
        EXPECT_GT(regrouped, 0u) << "no layer is grouped otherwise: nothing was tried";
    }
}

/// What a calibration said of a layer stays with it, in one piece and in several.
TEST(Arithmetic, TuningKeepsWhatFellBack) {
    const Graph graph = simplified("espnet", 512, 256);
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    Choices choices = at(Precision::FP16, Arithmetic::FP16);
    std::set<std::string> fallen;
    for (const char* label : {"encoder.level2_0 [pyramid_unit]", "up_l3.0"})
        fallen.merge(convolutions_of(label, graph, facts, choices));
    for (const std::string& name : fallen) choices.layers[name].fp32_arithmetic = true;
    size_t separate = 0;
    for (const TuningStep step : {TuningStep::Grouping, TuningStep::Tiling, TuningStep::Access})
        for (const TunableLayer& layer : tunable_layers(graph, facts, choices, step)) {
            const bool fell =
                std::ranges::any_of(layer.members, [&](const auto& name) { return fallen.contains(name); });
            for (const LayerChoices& candidate : layer.candidates) {
                Choices tuned = choices;
                for (const auto& [label, choice] : candidate) {
                    tuned.layers[label] = choice;
                    separate += fell && choice.separate ? 1 : 0;
                }
                EXPECT_EQ(halves_with_and_without(fallen, graph, facts, tuned)[0], std::set<std::string>{});
            }
        }
    EXPECT_GT(separate, 0u);
}

std::string refusal(const char* device, Precision precision) {
    try {
        expect_arithmetic(paper_device(device), at(precision, Arithmetic::FP16));
    } catch (const Error& reason) {
        return reason.what();
    }
    return "";
}

TEST(Arithmetic, IsRefusedWithItsReason) {
    EXPECT_EQ(refusal("nvidia-discrete", Precision::FP16), "");
    EXPECT_EQ(refusal("nvidia-discrete", Precision::FP32),
              "fp16 arithmetic is for activations that are stored in fp16; say --precision fp16 too");
    EXPECT_EQ(refusal("minimal", Precision::FP16),
              "'minimal' has no fp16 arithmetic (shaderFloat16); leave --arithmetic fp16 out");
    EXPECT_EQ(refusal("lavapipe", Precision::FP16),
              "'lavapipe' runs the CPU-shaped kernels, which compute in fp32; leave --arithmetic fp16 out");
    for (const DeviceFacts& facts : paper_devices())
        for (const Precision precision : {Precision::FP32, Precision::FP16})
            EXPECT_NO_THROW(expect_arithmetic(facts, at(precision)));
    RunnerOptions options;
    options.arithmetic = Arithmetic::FP16;
    EXPECT_THROW(Runner(nullptr, nullptr, options), Error) << "the reference computes in fp32";
}

TEST(Arithmetic, RoundsWeightsToTheNearestHalf) {
    Graph graph;
    Conv2d op{.out_channels = 4};
    Tensor weights({4, 4, 1, 1});
    const float values[16] = {1,        -1,      0,        65504, 1e6f,           -1e6f,
                              1.0f / 3, 6.1e-5f, 5.96e-8f, 1e-9f, 1.00048828125f, 1.00146484375f,
                              2047.5f,  -0.1f,   0.5f,     3};
    const uint16_t bits[16] = {0x3c00, 0xbc00, 0x0000, 0x7bff, 0x7bff, 0xfbff, 0x3555, 0x03ff,
                               0x0001, 0x0000, 0x3c00, 0x3c02, 0x6800, 0xae66, 0x3800, 0x4200};
    // A vector holds two lanes' weights of four outputs; the tensor is output by input.
    for (size_t lane = 0; lane < 4; ++lane)
        for (size_t out = 0; out < 4; ++out) weights.data[out * 4 + lane] = values[lane * 4 + out];
    op.weight = graph.add_constant("weight", std::move(weights));
    const ValueId x = graph.add_input("x", {ValueKind::Features, {4, 2, 2}});
    graph.outputs = {graph.add("conv", op, {x})};
    const Plan plan = compile(graph, paper_device("nvidia-discrete"), at(Precision::FP16, Arithmetic::FP16));
    ASSERT_EQ(labels_in_halves(plan).size(), 1u) << to_string(plan);
    const std::vector<uint8_t> packed = pack_weights(plan, graph);
    for (size_t i = 0; i < 16; ++i) {
        uint16_t found = 0;
        std::memcpy(&found, packed.data() + i * sizeof(found), sizeof(found));
        EXPECT_EQ(found, bits[i]) << i << ": " << values[i];
    }
}

TEST(Arithmetic, RoundsWhatIsNoNumberToNone) {
    EXPECT_TRUE(std::isnan(rounded_to_half(NAN)));
    EXPECT_EQ(half_bits(NAN) & 0x7fff, 0x7e00);
    EXPECT_EQ(rounded_to_half(-INFINITY), -largest_half);
}

}  // namespace
}  // namespace vkseg
