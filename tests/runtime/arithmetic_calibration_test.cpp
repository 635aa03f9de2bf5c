#include "runtime/arithmetic_calibration.hpp"

#include "graph/passes/passes.hpp"
#include "runtime/relative_error.hpp"
#include "runtime/session.hpp"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

// Layers that lose too much in 16-bit arithmetic fall back by name.

namespace vkseg::test {
namespace {

/// Three convolutions in a row, of which one may have weights beyond the range of 16 bits.
Graph three_convolutions(int too_large) {
    Graph graph;
    ValueId x = graph.add_input("x", {ValueKind::Features, {4, 8, 16}});
    for (int layer = 0; layer < 3; ++layer) {
        Conv2d op{.kernel = {3, 3}, .padding = pad_all(1, 1), .out_channels = 4};
        Tensor weights({4, 4, 3, 3});
        for (size_t i = 0; i < weights.data.size(); ++i) {
            const auto value = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
            weights.data[i] = layer == too_large ? value * 4e5f : value;
        }
        op.weight = graph.add_constant(fmt::format("weight{}", layer), std::move(weights));
        x = graph.add(fmt::format("conv{}", layer), op, {x});
        if (layer == too_large) {
            // Back to a range that 16 bits hold.
            const ConstId scale = graph.add_constant("scale", Tensor({4}, {1e-5f, 1e-5f, 1e-5f, 1e-5f}));
            const ConstId shift = graph.add_constant("shift", Tensor({4}, {0, 0, 0, 0}));
            x = graph.add("norm", ScaleShift{scale, shift}, {x});
        }
    }
    graph.outputs = {x};
    simplify(graph, {.disabled = {"fold_batchnorm"}, .observer = {}});
    return graph;
}

Choices in_fp16() {
    Choices choices;
    choices.precision = Precision::FP16;
    choices.arithmetic = Arithmetic::FP16;
    choices.denied_families = {"cpu_shaped"};
    choices.disabled_fusions = {"host_load", "host_store", "conv_pair"};
    return choices;
}

std::vector<std::string> names_of(const std::vector<ArithmeticLoss>& losses) {
    std::vector<std::string> names;
    for (const ArithmeticLoss& loss : losses) names.push_back(loss.layer);
    return names;
}

/// Two pixels and a device that is off by what its layers in fp16 arithmetic bring: the second pixel is wrong from 0.5
/// on.
ScoresOf made_up_scores(const std::map<std::string, float>& error_of_layer) {
    return [=](const Choices& choices, size_t) {
        float error = 0;
        if (choices.arithmetic == Arithmetic::FP16)
            for (const auto& [layer, size] : error_of_layer)
                if (!choices.layer(layer).fp32_arithmetic) error += size;
        return Tensor({2, 1, 2}, {0, error, 1, 0.5f});
    };
}

ArithmeticCalibration calibrated(const std::map<std::string, float>& error_of_layer, double wanted = 0.999) {
    return calibrate_arithmetic(three_convolutions(-1), paper_device("nvidia-discrete"), in_fp16(), 2,
                                made_up_scores(error_of_layer), wanted);
}

TEST(ArithmeticCalibration, LeavesWhatIsAccurateEnough) {
    const ArithmeticCalibration found = calibrated({{"conv0", 0.1f}, {"conv1", 0.2f}, {"conv2", 0.1f}});
    EXPECT_EQ(found.choices, in_fp16());
    EXPECT_TRUE(found.fallen_back.empty());
    EXPECT_EQ(found.agreement, 1);
}

TEST(ArithmeticCalibration, TakesTheWorstLayersUntilClassesAgree) {
    const ArithmeticCalibration one = calibrated({{"conv0", 0.1f}, {"conv1", 0.6f}, {"conv2", 0.2f}});
    EXPECT_EQ(names_of(one.fallen_back), std::vector<std::string>{"conv1"});
    EXPECT_EQ(one.agreement_of_all, 0.5);
    EXPECT_EQ(one.agreement, 1);
    Choices wanted = in_fp16();
    wanted.layers["conv1"].fp32_arithmetic = true;
    EXPECT_EQ(one.choices, wanted);

    const ArithmeticCalibration two = calibrated({{"conv0", 0.7f}, {"conv1", 0.1f}, {"conv2", 0.6f}});
    EXPECT_EQ(names_of(two.fallen_back), (std::vector<std::string>{"conv0", "conv2"}));
    EXPECT_GT(two.fallen_back[0].relative_error, two.fallen_back[1].relative_error);
    EXPECT_TRUE(calibrated({{"conv0", 0.7f}}, 0.5).fallen_back.empty()) << "half of the pixels was all that is wanted";
    EXPECT_EQ(calibrated({{"elsewhere", 0.7f}}).fallen_back.size(), 3u) << "none of the layers is to blame";
}

/// The last layer of a plan for scores goes by another label than that of a plan for classes.
TEST(ArithmeticCalibration, KeepsConvolutionsByNameWhateverTheirGroup) {
    Choices choices = in_fp16();
    choices.disabled_fusions = {"conv_pair"};
    const ArithmeticCalibration found = calibrate_arithmetic(three_convolutions(-1), paper_device("nvidia-discrete"),
                                                             choices, 1, made_up_scores({{"conv2", 0.6f}}), 0.999);
    EXPECT_EQ(names_of(found.fallen_back), std::vector<std::string>{"conv2 [host_store]"});
    choices.layers["conv2"].fp32_arithmetic = true;
    EXPECT_EQ(found.choices, choices);
}

TEST(RelativeError, OfZerosIsNoneOrInfinite) {
    using Floats = std::vector<float>;
    EXPECT_EQ(relative_error(Floats{0, 0}, Floats{0, 0}), 0);
    EXPECT_EQ(relative_error(Floats{0, 1e-9f}, Floats{0, 0}), INFINITY);
    EXPECT_EQ(relative_error(Floats{3, 5}, Floats{3, 4}), 0.2);
    EXPECT_EQ(relative_error(Floats{NAN, 4}, Floats{3, 4}), INFINITY);
    EXPECT_EQ(relative_error(Floats{3}, Floats{3, 4}), INFINITY);
}

class ArithmeticCalibrationOn : public EachDriver {};

TEST_P(ArithmeticCalibrationOn, NamesTheLayerWhoseWeightsAreTooLarge) {
    if (!context().facts().fp16_arithmetic) GTEST_SKIP() << context().facts().name << " has no fp16 arithmetic";
    for (const int layer : {0, 1}) {
        SCOPED_TRACE(layer);
        const Graph graph = three_convolutions(layer);
        Session session(context());
        const auto scores = [&](const Choices& choices, size_t picture) {
            const auto plan = std::make_shared<const Plan>(compile(graph, context().facts(), choices));
            session.set_plan(plan, [&] { return pack_weights(*plan, graph); });
            std::vector<float> input(4 * 8 * 16);
            for (size_t i = 0; i < input.size(); ++i)
                input[i] = static_cast<float>((i + picture) * 2654435761u % 127) / 127.0f - 0.5f;
            std::memcpy(session.input(0).data(), input.data(), input.size() * sizeof(float));
            session.run();
            Tensor result(graph.desc(graph.outputs[0]).shape);
            std::memcpy(result.data.data(), session.output(0).data(), result.data.size() * sizeof(float));
            return result;
        };
        // Few pixels, and scores that lie close.
        const ArithmeticCalibration found = calibrate_arithmetic(graph, context().facts(), in_fp16(), 2, scores, 0.98);
        EXPECT_LT(found.agreement_of_all, 0.9);
        EXPECT_GE(found.agreement, 0.98);
        ASSERT_EQ(found.fallen_back.size(), 1u);
        EXPECT_EQ(found.fallen_back[0].layer, fmt::format("conv{}", layer));
    }
}

INSTANTIATE_TEST_SUITE_P(, ArithmeticCalibrationOn, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
