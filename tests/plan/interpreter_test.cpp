#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "tests/plan/plan_checks.hpp"
#include "tests/support/plan_interpreter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

// Whole plans carried out on the CPU from the same push constants, packed weights and offsets that a device gets.

namespace vkseg {
namespace {

using test::at;

HostValue made_up_input(const Graph& graph) {
    HostValue input;
    input.desc = graph.desc(graph.inputs[0]);
    input.floats.resize(static_cast<size_t>(element_count(input.desc.shape)));
    for (size_t i = 0; i < input.floats.size(); ++i)
        input.floats[i] = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
    return input;
}

std::vector<std::vector<uint8_t>> run_plan(const Plan& plan, const Graph& graph, const HostValue& input) {
    std::vector<uint8_t> bytes(input.floats.size() * sizeof(float));
    std::memcpy(bytes.data(), input.floats.data(), bytes.size());
    return test::interpret(plan, pack_weights(plan, graph), {bytes});
}

double interpreted_error(const std::string& network, const Config& config, int width, int height,
                         const DeviceFacts& facts, const Choices& choices) {
    const Graph raw = build_network(network, config, width, height).graph;
    Graph graph = raw;
    simplify(graph);
    const Plan plan = compile(graph, facts, choices);
    const HostValue input = made_up_input(graph);
    const auto found = run_plan(plan, graph, input);
    const auto wanted = run_reference(raw, std::span(&input, 1));
    double errors = 0, squares = 0;
    for (size_t i = 0; i < wanted[0].floats.size(); ++i) {
        float value = 0;
        std::memcpy(&value, found[0].data() + i * sizeof(float), sizeof(float));
        const double difference = std::isfinite(value) ? value - wanted[0].floats[i] : INFINITY;
        errors += difference * difference;
        squares += double{wanted[0].floats[i]} * wanted[0].floats[i];
    }
    return std::sqrt(errors / squares);
}

TEST(Interpreter, EveryNetworkKeepsItsNumbers) {
    for (const NetworkInfo* info : networks()) {
        const int extent = info->name.starts_with("lpsnet") ? 128 : 64;
        for (const char* device : {"lavapipe", "minimal"}) {
            EXPECT_LE(interpreted_error(info->name, {}, extent, extent, paper_device(device), at(Precision::FP32)),
                      3e-6)
                << info->name << " on " << device;
        }
    }
}

TEST(Interpreter, HalfPrecisionStorageRoundsOnly) {
    for (const NetworkInfo* info : networks()) {
        const int extent = info->name.starts_with("lpsnet") ? 128 : 64;
        for (const char* device : {"lavapipe", "minimal"})
            EXPECT_LE(interpreted_error(info->name, {}, extent, extent, paper_device(device), at(Precision::FP16)),
                      7e-3)
                << info->name << " on " << device;
    }
}

/// One network for each kind of kernel that has it.
TEST(Interpreter, HalfPrecisionArithmeticRoundsALittleMore) {
    const Choices choices = at(Precision::FP16, Arithmetic::FP16);
    for (const char* network : {"espnet-c", "espnetv2", "esnet", "lpsnet-s"}) {
        const int extent = std::string_view(network) == "lpsnet-s" ? 128 : 64;
        EXPECT_LE(interpreted_error(network, {}, extent, extent, paper_device("nvidia-discrete"), choices), 1e-2)
            << network;
    }
}

TEST(Interpreter, SmallBindingsTakeDeviceAddresses) {
    DeviceFacts facts = paper_device("nvidia-discrete");
    // Holds the weights, not the scores at full size.
    facts.max_storage_buffer_range = 900000;
    const Config shallow{{"alpha2", 0.0}, {"alpha3", 0.0}};
    EXPECT_LE(interpreted_error("espnet", shallow, 128, 128, facts, at(Precision::FP32)), 3e-6);
}

/// Classes in place of scores: the plans end in other kernels.
TEST(Interpreter, ClassesAreThoseOfTheScores) {
    for (const char* network : {"espnet", "esnet", "espnetv2", "lpsnet-s"}) {
        const int extent = std::string_view(network) == "lpsnet-s" ? 128 : 64;
        Graph raw = build_network(network, {}, extent, extent).graph;
        const ValueId scores = raw.outputs[0];
        raw.outputs = {raw.add("labels", Argmax{.size = {.kind = SizeRule::Kind::Scaled}}, {scores})};
        Graph graph = raw;
        simplify(graph);
        const HostValue input = made_up_input(graph);
        const auto wanted = run_reference(raw, std::span(&input, 1));
        for (const char* device : {"lavapipe", "minimal"}) {
            const auto found = run_plan(compile(graph, paper_device(device)), graph, input);
            size_t different = 0;
            for (size_t i = 0; i < wanted[0].bytes.size(); ++i) different += wanted[0].bytes[i] != found[0][i] ? 1 : 0;
            EXPECT_LE(different, 2u) << network << " on " << device;  // near ties
        }
    }
}

/// What the paper varies, on the two CPU drivers and the least of devices.
struct Variant {
    std::string name;
    const char* network;
    Config config;

    friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

class InterpretedVariants : public testing::TestWithParam<Variant> {};

TEST_P(InterpretedVariants, KeepTheirNumbers) {
    const auto& [name, network, config] = GetParam();
    for (const char* device : {"lavapipe", "swiftshader", "minimal"}) {
        SCOPED_TRACE(device);
        EXPECT_LE(interpreted_error(network, config, 48, 32, paper_device(device), at(Precision::FP32)), 3e-6);
        EXPECT_LE(interpreted_error(network, config, 48, 32, paper_device(device), at(Precision::FP16)), 4e-3);
    }
}

std::vector<Variant> variants() {
    std::vector<Variant> all{
        {"p2_q8", "espnet", {}},
        {"p2_q3", "espnet", {{"alpha3", 3.0}}},
        {"merge_19", "espnet", {{"merge_channels", 19.0}}},
        {"relu", "espnet", {{"activation", std::string("relu")}}},
        {"no_residual", "espnet", {{"residual", false}}},
        {"conv_downsampling", "espnet", {{"downsampling", std::string("conv")}}},
        {"few_classes", "espnet", {{"classes", 6.0}, {"k", 4.0}}},
        {"c", "espnet-c", {}},
        {"b", "espnet-b", {}},
    };
    for (double k : {2.0, 4.0, 5.0, 6.0, 7.0, 8.0})
        all.push_back({fmt::format("a_k{}", k), "espnet-a", {{"alpha3", 2.0}, {"k", k}}});
    return all;
}

INSTANTIATE_TEST_SUITE_P(, InterpretedVariants, testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param.name; });

/// Sizes that are no multiples of anything, where the network takes them.
TEST(Interpreter, OddSizesKeepTheirNumbers) {
    for (const auto& [width, height] : {std::pair{33, 21}, std::pair{1, 1}, std::pair{7, 50}})
        for (const char* device : {"lavapipe", "minimal"})
            for (const char* network : {"espnet-c", "vnet"})
                EXPECT_LE(interpreted_error(network, {}, width, height, paper_device(device), at(Precision::FP32)),
                          3e-6)
                    << network << " " << width << "x" << height << " on " << device;
}

TEST(Interpreter, LabelsAndConfidenceAtAnotherSize) {
    for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::BilinearAligned})
        for (const auto& [width, height] : {std::pair{13, 29}, std::pair{7, 5}, std::pair{3, 2}, std::pair{1, 1}}) {
            Graph graph;
            const ValueId scores = graph.add_input("scores", {ValueKind::Features, {6, 5, 7}});
            const SizeRule size{.fixed = {height, width}};
            graph.outputs = {graph.add("labels", Argmax{sampling, size}, {scores}),
                             graph.add("confidence", Confidence{sampling, size}, {scores})};
            HostValue input{graph.desc(scores), {}, {}};
            for (size_t i = 0; i < 6 * 5 * 7; ++i)
                input.floats.push_back(static_cast<float>(i * 2654435761u % 1021) / 256.0f);
            std::vector<uint8_t> bytes(input.floats.size() * sizeof(float));
            std::memcpy(bytes.data(), input.floats.data(), bytes.size());
            const Plan plan = compile(graph, paper_device("minimal"), at(Precision::FP32));
            const auto found = test::interpret(plan, pack_weights(plan, graph), {bytes});
            const auto wanted = run_reference(graph, std::span(&input, 1));
            for (size_t i = 0; i < wanted[0].bytes.size(); ++i) {
                EXPECT_EQ(found[0][i], wanted[0].bytes[i]) << op_name(graph.nodes[0].op) << " " << i;
                EXPECT_NEAR(found[1][i], wanted[1].bytes[i], 1) << op_name(graph.nodes[1].op) << " " << i;
            }
        }
}

}  // namespace
}  // namespace vkseg
