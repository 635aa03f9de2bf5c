#include "graph/fuse/fuse.hpp"
#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "graph/plan/plan.hpp"
#include "models/network.hpp"
#include "runtime/api/segmentation_graph.hpp"
#include "tests/plan/plan_checks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

// Plans for devices that nobody here owns: their limits hold, and each gets the kernels meant for it.

namespace vkseg {
namespace {

using test::at;

Graph simplified(const std::string& network, int width, int height, const Config& config = {}) {
    Graph graph = build_network(network, config, width, height).graph;
    simplify(graph);
    return graph;
}

template <typename Visit>
void for_each_dispatch(const Plan& plan, const Visit& visit) {
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) visit(dispatch);
}

class PaperDevice : public testing::TestWithParam<DeviceFacts> {};

TEST_P(PaperDevice, PlansEveryNetworkWithinItsLimits) {
    for (const NetworkInfo* info : networks()) {
        SCOPED_TRACE(info->name);
        const Graph graph = simplified(info->name, info->default_width / 4, info->default_height / 4);
        for (Precision precision : {Precision::FP32, Precision::FP16}) {
            const Plan plan = compile(graph, GetParam(), at(precision));
            test::expect_sound(plan, GetParam());
            EXPECT_EQ(plan.macs(), count_macs(graph));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, PaperDevice, testing::ValuesIn(paper_devices()), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(PaperDevices, TheCpuShapeCanBeDenied) {
    Choices without_cpu_shape;
    without_cpu_shape.denied_families = {"cpu_shaped"};
    const Plan plan = compile(simplified("espnet", 256, 128), paper_device("lavapipe"), without_cpu_shape);
    EXPECT_EQ(test::accesses_of(plan), std::set<std::string>{"ssbo"});
    EXPECT_FALSE(plan.uses_texel_view || plan.clears_zero_texel);
    test::expect_sound(plan, paper_device("lavapipe"));
}

TEST(PaperDevices, ATensorBeyondOneBindingTakesDeviceAddressesOrIsRefused) {
    // 20 classes at 2048x1024 in fp32: 168 MB, and bindings of 128 MiB.
    const Graph graph = simplified("espnet", 2048, 1024);
    DeviceFacts facts = paper_device("mali-g78");
    try {
        (void)compile(graph, facts);
        FAIL() << "a 168 MB tensor went through a 128 MiB binding";
    } catch (const Error& reason) {
        EXPECT_NE(std::string(reason.what()).find("160 MB in one binding"), std::string::npos) << reason.what();
        EXPECT_NE(std::string(reason.what()).find("mali-g78"), std::string::npos) << reason.what();
    }
    facts.buffer_device_address = true;
    int addressed = 0;
    for_each_dispatch(compile(graph, facts), [&](const Dispatch& dispatch) {
        if (std::string(to_string(dispatch.shader)).ends_with("_bda")) ++addressed;
    });
    EXPECT_GT(addressed, 0);
    EXPECT_NO_THROW((void)compile(graph, facts, at(Precision::FP16)));
}

TEST(PaperDevices, TheCpuShapeNeedsAllThatItsKernelsUse) {
    const Graph graph = simplified("espnet", 256, 128);
    const auto texel_dispatches = [&](const DeviceFacts& facts) {
        int count = 0;
        for_each_dispatch(compile(graph, facts), [&](const Dispatch& dispatch) {
            count += std::string(to_string(dispatch.shader)).ends_with("_texel") ? 1 : 0;
        });
        return count;
    };
    const DeviceFacts whole = paper_device("lavapipe");
    EXPECT_GT(texel_dispatches(whole), 0);
    for (bool DeviceFacts::*needed : {&DeviceFacts::buffer_device_address, &DeviceFacts::shader_int64}) {
        DeviceFacts facts = whole;
        facts.*needed = false;
        EXPECT_EQ(texel_dispatches(facts), 0);
    }
}

TEST(PaperDevices, NoPipelineAndNoPackedWeightDependsOnTheSize) {
    for (const NetworkInfo* info : networks()) {
        SCOPED_TRACE(info->name);
        for (const char* device : {"lavapipe", "nvidia-discrete"}) {
            // Scores that are too large for one binding have a kernel of their own: VNet's at its default size.
            int width = info->default_width, height = info->default_height;
            while (uint64_t{80} * width * height > paper_device(device).max_storage_buffer_range)
                width /= 2, height /= 2;
            const Graph graph = simplified(info->name, width, height);
            const Plan first = compile(graph, paper_device(device));
            for (const auto& [other_width, other_height] :
                 {std::pair{256, 128}, std::pair{512, 512}, std::pair{640, 384}}) {
                Graph resized = graph;
                resized.set_input_size(other_width, other_height);
                const Plan plan = compile(resized, paper_device(device));
                EXPECT_EQ(test::pipelines_of(plan), test::pipelines_of(first)) << device << other_width;
                EXPECT_EQ(plan.packed_weights, first.packed_weights) << device << other_width;
            }
        }
    }
}

TEST(PaperDevices, EspNetNeedsNoMoreThanAnIdealPlanner) {
    const Plan plan = compile(simplified("espnet", 1024, 512), paper_device("lavapipe"));
    EXPECT_LE(plan.arena_bytes, 56'000'000u);
    EXPECT_LT(plan.barrier_count(), plan.dispatch_count());
}

/// What fusion is for: dispatches and megabytes of a frame in fp16, from the host's floats to its scores, and from the
/// picture's bytes to one byte a pixel at the network's size.
TEST(PaperDevices, DispatchesAndBytesOfAFrame) {
    struct Row {
        const char* name;
        const char* network;
        Config config;
        int width, height;
        size_t dispatches;
        double megabytes, megabytes_of_classes;
    };
    const DeviceFacts& device = paper_device("nvidia-discrete");
    const auto expect_at_most = [&](const Graph& graph, const char* what, size_t dispatches, double most) {
        Choices one_by_one = at(Precision::FP16);
        one_by_one.disabled_fusions = {fusion_names().begin(), fusion_names().end()};
        const Plan fused = compile(graph, device, at(Precision::FP16)), apart = compile(graph, device, one_by_one);
        const auto megabytes = [](const Plan& plan) { return static_cast<double>(plan.bytes_moved()) / 1e6; };
        fmt::print("{}: {} dispatches, {:.1f} MB; {} and {:.1f} MB without fusion\n", what, fused.dispatch_count(),
                   megabytes(fused), apart.dispatch_count(), megabytes(apart));
        EXPECT_LE(fused.dispatch_count(), dispatches) << what;
        EXPECT_LE(megabytes(fused), most) << what;
        EXPECT_LE(fused.arena_bytes, apart.arena_bytes) << what;
        test::expect_sound(fused, device);
    };
    const auto psp = [](double s) { return Config{{"decoder", "psp"}, {"s", s}}; };
    for (const Row& row : {
             Row{"espnet", "espnet", {}, 1024, 512, 25, 196, 145},
             Row{"espnetv2", "espnetv2", {}, 1024, 512, 55, 307, 256},
             Row{"espnetv2 psp s=0.5", "espnetv2", psp(0.5), 1024, 512, 43, 138, 88},
             Row{"espnetv2 psp s=2", "espnetv2", psp(2), 1024, 512, 44, 309, 258},
             Row{"esnet", "esnet", {}, 1024, 512, 30, 321, 275},
             Row{"lpsnet", "lpsnet", {}, 2048, 1024, 34, 146, 110},
         }) {
        SCOPED_TRACE(row.name);
        const Graph graph = simplified(row.network, row.width, row.height, row.config);
        expect_at_most(graph, row.name, row.dispatches, row.megabytes);
        SegmentationOptions options;
        options.picture_width = options.network_width = row.width;
        options.picture_height = options.network_height = row.height;
        const Graph to_classes =
            segmentation_graph(graph, /* its numbers change no plan */ espnet_preprocess(), options);
        expect_at_most(to_classes, "  picture to classes", row.dispatches, row.megabytes_of_classes);
    }
}

TEST(PaperDevices, UnrolledCodeStaysWithinAFewSecondsOfCompilation) {
    const Plan plan = compile(simplified("espnet", 1024, 512), paper_device("lavapipe"));
    std::set<std::vector<uint32_t>> convolutions, pyramids;
    for_each_dispatch(plan, [&](const Dispatch& dispatch) {
        if (dispatch.shader == ShaderId::conv2d_f32_texel) convolutions.insert(dispatch.specialization);
        if (dispatch.shader == ShaderId::esp_pyramid_f32_texel) pyramids.insert(dispatch.specialization);
    });
    uint64_t macs = 0;
    for (const std::vector<uint32_t>& p : pyramids) macs += 16u * p[7] * p[8] * p[10] * (p[12] + (p[11] - 1) * p[6]);
    for (const std::vector<uint32_t>& c : convolutions) macs += 16u * c[6] * c[7] * c[8] * c[10];
    EXPECT_LE(macs, 60000u);
}

TEST(PaperDevices, ReversibleModulesShowInThePeak) {
    const Config config{{"upsample", false}};
    Graph graph = build_network("vnet", config, 2048, 1024).graph;
    simplify(graph);
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    Choices apart;
    apart.in_place = false;
    EXPECT_LT(compile(graph, facts).arena_bytes, compile(graph, facts, apart).arena_bytes);
}

TEST(PaperDevices, AnUnknownNameListsThoseThatAre) {
    try {
        (void)paper_device("voodoo");
        FAIL();
    } catch (const Error& reason) {
        EXPECT_NE(std::string(reason.what()).find("jetson-tx2"), std::string::npos);
    }
}

}  // namespace
}  // namespace vkseg
