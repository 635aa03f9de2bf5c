#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "tests/support/plan_interpreter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

// Whole plans carried out on the CPU from the same push constants, packed weights and offsets that a device gets.

namespace vkseg {
namespace {

Choices at(Precision precision) {
    Choices choices;
    choices.precision = precision;
    return choices;
}

double interpreted_error(const std::string& network, const Config& config, int width, int height,
                         const DeviceFacts& facts, Precision precision) {
    const Graph raw = build_network(network, config, width, height).graph;
    Graph graph = raw;
    simplify(graph);
    const Plan plan = compile(graph, facts, at(precision));
    HostValue input;
    input.desc = graph.desc(graph.inputs[0]);
    input.floats.resize(static_cast<size_t>(element_count(input.desc.shape)));
    for (size_t i = 0; i < input.floats.size(); ++i)
        input.floats[i] = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
    std::vector<uint8_t> bytes(input.floats.size() * sizeof(float));
    std::memcpy(bytes.data(), input.floats.data(), bytes.size());
    const auto found = test::interpret(plan, pack_weights(plan, graph), {bytes});
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
            EXPECT_LE(interpreted_error(info->name, {}, extent, extent, paper_device(device), Precision::FP32), 3e-6)
                << info->name << " on " << device;
        }
    }
}

TEST(Interpreter, HalfPrecisionStorageRoundsOnly) {
    for (const char* device : {"lavapipe", "minimal"})
        EXPECT_LE(interpreted_error("espnet", {}, 64, 32, paper_device(device), Precision::FP16), 4e-3) << device;
}

TEST(Interpreter, SmallBindingsTakeDeviceAddresses) {
    DeviceFacts facts = paper_device("nvidia-discrete");
    // Holds the weights, not the scores at full size.
    facts.max_storage_buffer_range = 900000;
    const Config shallow{{"alpha2", 0.0}, {"alpha3", 0.0}};
    EXPECT_LE(interpreted_error("espnet", shallow, 128, 128, facts, Precision::FP32), 3e-6);
}

TEST(Interpreter, AblationsKeepTheirNumbers) {
    for (const Config& config :
         {Config{{"activation", std::string("relu")}}, Config{{"residual", false}},
          Config{{"downsampling", std::string("conv")}}, Config{{"k", 4.0}}, Config{{"merge_channels", 19.0}}})
        EXPECT_LE(interpreted_error("espnet", config, 48, 32, paper_device("lavapipe"), Precision::FP32), 3e-6);
}

}  // namespace
}  // namespace vkseg
