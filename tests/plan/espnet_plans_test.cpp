#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "runtime/api/segmentation_graph.hpp"
#include "tests/plan/plan_checks.hpp"

#include <gtest/gtest.h>

// ESPNet and all that the paper varies, planned for every paper device, storage type and many sizes.

namespace vkseg {
namespace {

using test::at;

struct Variant {
    std::string name;
    std::string network;
    Config config;
    int width = 1024;

    friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

std::vector<Variant> variants() {
    std::vector<Variant> all{
        {"p2_q3", "espnet", {{"alpha3", 3.0}}},
        {"p2_q8", "espnet", {{"alpha3", 8.0}}},
        {"merge_19", "espnet", {{"merge_channels", 19.0}}},
        {"no_modules", "espnet", {{"alpha2", 0.0}, {"alpha3", 0.0}}},
        {"relu", "espnet", {{"activation", std::string("relu")}}},
        {"no_residual", "espnet", {{"residual", false}}},
        {"conv_downsampling", "espnet", {{"downsampling", std::string("conv")}}},
        // At full size its scores are beyond the bindings of four devices.
        {"many_classes", "espnet", {{"classes", 150.0}, {"alpha3", 2.0}}, 256},
        {"c", "espnet-c", {}},
        {"b", "espnet-b", {{"alpha3", 3.0}}},
    };
    for (double k : {2.0, 4.0, 5.0, 6.0, 7.0, 8.0})
        all.push_back({fmt::format("a_k{}", k), "espnet-a", {{"alpha3", 3.0}, {"k", k}}});
    return all;
}

Graph simplified(const Variant& variant, int width, int height) {
    Graph graph = build_network(variant.network, variant.config, width, height).graph;
    simplify(graph);
    return graph;
}

class EspNetPlans : public testing::TestWithParam<Variant> {};

TEST_P(EspNetPlans, AreSoundOnEveryDevice) {
    const Graph graph = simplified(GetParam(), GetParam().width, GetParam().width / 2);
    for (const DeviceFacts& facts : paper_devices())
        for (Precision precision : {Precision::FP32, Precision::FP16}) {
            SCOPED_TRACE(facts.name + (precision == Precision::FP16 ? " fp16" : " fp32"));
            const Plan plan = compile(graph, facts, at(precision));
            test::expect_sound(plan, facts);
            EXPECT_EQ(plan.macs(), count_macs(graph));
            EXPECT_EQ(plan.fp16, precision == Precision::FP16);
        }
}

TEST_P(EspNetPlans, AreSoundAtTheSmallestSize) {
    const Graph graph = simplified(GetParam(), 8, 8);
    for (const char* device : {"minimal", "lavapipe"})
        test::expect_sound(compile(graph, paper_device(device)), paper_device(device));
}

TEST_P(EspNetPlans, ShareTheirPipelinesAndPackedWeightsAmongSizes) {
    const std::vector<std::pair<int, int>> sizes{{8, 8},     {64, 64},   {256, 128}, {480, 360},
                                                 {640, 384}, {512, 512}, {120, 904}, {1024, 512}};
    const Graph graph = simplified(GetParam(), 320, 240);
    for (const char* device : {"lavapipe", "nvidia-discrete", "swiftshader"})
        for (Precision precision : {Precision::FP32, Precision::FP16}) {
            const Plan first = compile(graph, paper_device(device), at(precision));
            for (const auto& [width, height] : sizes) {
                Graph resized = graph;
                resized.set_input_size(width, height);
                const Plan plan = compile(resized, paper_device(device), at(precision));
                EXPECT_EQ(test::pipelines_of(plan), test::pipelines_of(first)) << device << " " << width;
                EXPECT_EQ(plan.packed_weights, first.packed_weights) << device << " " << width;
                EXPECT_EQ(plan.weights_bytes, first.weights_bytes);
            }
        }
}

INSTANTIATE_TEST_SUITE_P(, EspNetPlans, testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param.name; });

Graph segmentation(int picture_width, int picture_height, int width, int height) {
    SegmentationOptions options;
    options.picture_width = picture_width;
    options.picture_height = picture_height;
    options.network_width = width;
    options.network_height = height;
    options.confidence = options.colour = options.overlay = true;
    options.upsampling = Sampling::Bilinear;
    options.palette = {0xff000000u, 0xffffffffu};
    return segmentation_graph(simplified({"", "espnet", {}}, 64, 64), espnet_preprocess(), options);
}

TEST(SegmentationPlans, AreSoundOnEveryDevice) {
    for (const auto& [width, height] : {std::pair{2048, 1024}, std::pair{333, 217}, std::pair{1, 1}}) {
        const Graph graph = segmentation(width, height, 512, 256);
        for (const DeviceFacts& facts : paper_devices()) {
            SCOPED_TRACE(fmt::format("{} {}x{}", facts.name, width, height));
            test::expect_sound(compile(graph, facts), facts);
        }
    }
}

/// Host buffers beside the arena: labels are made, then coloured and laid over the picture.
TEST(SegmentationPlans, ColoursWaitForTheLabels) {
    const Plan plan = compile(segmentation(64, 48, 64, 48), paper_device("minimal"));
    size_t labels = 0, colours = 0;
    for (size_t step = 0; step < plan.steps.size(); ++step)
        for (const Dispatch& dispatch : plan.steps[step].dispatches)
            (dispatch.shader == ShaderId::colourise ? colours : labels) = step;
    EXPECT_GT(colours, labels);
}

TEST(EspNetFamilies, OfKernelsByDevice) {
    struct Row {
        const char* device;
        /// At 1024x512 and, with 168 MB of scores, at 2048x1024; "" where that is refused.
        std::set<std::string> small, large;
    };
    const std::set<std::string> ssbo{"ssbo"}, texel{"texel"}, refused{};
    const std::vector<Row> rows{
        {"minimal", ssbo, refused}, {"nvidia-discrete", ssbo, ssbo}, {"jetson-orin", ssbo, ssbo},
        {"jetson-tx2", ssbo, ssbo}, {"jetson-nano", ssbo, ssbo},     {"amd-rdna2", ssbo, ssbo},
        {"intel-arc", ssbo, ssbo},  {"mali-g78", ssbo, refused},     {"adreno-640", ssbo, refused},
        {"lavapipe", texel, texel}, {"swiftshader", ssbo, ssbo},
    };
    ASSERT_EQ(rows.size(), paper_devices().size());
    const Graph small = simplified({"", "espnet", {}}, 1024, 512), large = simplified({"", "espnet", {}}, 2048, 1024);
    for (const Row& row : rows) {
        SCOPED_TRACE(row.device);
        const DeviceFacts& facts = paper_device(row.device);
        EXPECT_EQ(test::accesses_of(compile(small, facts)), row.small);
        if (row.large.empty()) {
            EXPECT_THROW((void)compile(large, facts), Error);
        } else {
            EXPECT_EQ(test::accesses_of(compile(large, facts)), row.large);
        }
        EXPECT_NO_THROW((void)compile(large, facts, at(Precision::FP16)));
    }
}

TEST(EspNetFamilies, OnlyTheLargeTensorsTakeAddresses) {
    DeviceFacts facts = paper_device("mali-g78");
    facts.buffer_device_address = true;
    const Plan plan = compile(simplified({"", "espnet", {}}, 2048, 1024), facts);
    EXPECT_EQ(test::accesses_of(plan), (std::set<std::string>{"ssbo", "bda"}));
    for (const Dispatch* dispatch : test::dispatches_of(plan)) {
        const bool addressed = std::string(to_string(dispatch->shader)).ends_with("_bda");
        uint64_t largest = 0;
        for (const auto* parts : {&dispatch->reads, &dispatch->writes})
            for (const ArenaSlice& part : *parts) largest = std::max(largest, part.size_bytes);
        EXPECT_EQ(addressed, largest > facts.max_storage_buffer_range) << dispatch->label;
        EXPECT_EQ(dispatch->relocations.size(), addressed ? 2u : 0u);
    }
    test::expect_sound(plan, facts);
}

TEST(EspNetFamilies, OthersTakeOverWhereTheTexelViewIsTooSmall) {
    DeviceFacts facts = paper_device("lavapipe");
    const Graph graph = simplified({"", "espnet", {}}, 2048, 1024);
    const Plan wide = compile(graph, facts);
    EXPECT_TRUE(wide.uses_texel_view && wide.clears_zero_texel);
    facts.max_texel_buffer_elements = 1u << 24;  // its arena would need 14 million texels
    if (wide.arena_bytes / 16 <= facts.max_texel_buffer_elements) {
        EXPECT_TRUE(compile(graph, facts).uses_texel_view);
    }
    const Graph larger = simplified({"", "espnet", {}}, 4096, 2048);
    const Plan narrow = compile(larger, facts);
    EXPECT_FALSE(narrow.uses_texel_view || narrow.clears_zero_texel);
    test::expect_sound(narrow, facts);
}

}  // namespace
}  // namespace vkseg
