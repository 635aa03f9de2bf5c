#include "graph/passes/passes.hpp"
#include "graph/plan/device_facts.hpp"
#include "graph/plan/plan.hpp"
#include "models/network.hpp"
#include "shader_catalog.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

// What the CPU-shaped family costs before it computes anything: a driver compiles each unrolled multiply-add, 0.2 ms,
// at the first dispatch of a pipeline.

namespace vkseg {
namespace {

struct Case {
    const char* network;
    int width, height;
    uint64_t most_unrolled_macs;
    friend void PrintTo(const Case& one, std::ostream* out) { *out << one.network; }
};

class CpuShaped : public testing::TestWithParam<Case> {};

TEST_P(CpuShaped, PipelinesHoldFewUnrolledMultiplyAdds) {
    const auto& [network, width, height, most] = GetParam();
    Graph graph = build_network(network, {}, width, height).graph;
    simplify(graph);
    const Plan plan = compile(graph, paper_device("lavapipe"));
    const ShaderId conv = catalog::conv2d(catalog::Storage::f32, catalog::Access::texel);
    const ShaderId to_host = catalog::conv2d_to_host(catalog::Storage::f32, catalog::Access::texel);
    const ShaderId winograd = catalog::winograd_conv2d(catalog::Storage::f32, catalog::Access::texel);
    std::map<std::pair<ShaderId, std::vector<uint32_t>>, uint64_t> pipelines;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) {
            const auto& spec = dispatch.specialization;
            uint64_t& macs = pipelines[{dispatch.shader, spec}];
            // planes out, kernel height and width, planes in; 4 x 4 lanes
            if (dispatch.shader == conv || dispatch.shader == to_host)
                macs = uint64_t{16} * spec.at(6) * spec.at(7) * spec.at(8) * spec.at(10);
            // planes out, lines (one more where there are products of lines), products of a line, planes in
            if (dispatch.shader == winograd)
                macs = uint64_t{16} * spec.at(6) * (spec.at(7) + spec.at(10)) * (spec.at(8) + 1) * spec.at(9);
        }
    uint64_t sum = 0;
    for (const auto& [key, macs] : pipelines) {
        sum += macs;
        const bool both_axes = key.first == winograd && key.second.at(10) != 0;
        EXPECT_LE(macs, both_axes ? 12288u : key.first == winograd ? 9408u : 7200u);
    }
    EXPECT_GT(sum, 0u);
    EXPECT_LE(sum, most) << "in " << pipelines.size() << " pipelines";
    RecordProperty("unrolled_macs", static_cast<int>(sum));
}

INSTANTIATE_TEST_SUITE_P(Networks, CpuShaped,
                         testing::Values(Case{"espnet", 1024, 512, 30000}, Case{"espnetv2", 1024, 512, 30000},
                                         Case{"esnet", 1024, 512, 30000}, Case{"erfnet", 1024, 512, 30000},
                                         Case{"lpsnet-s", 2048, 1024, 30000}, Case{"lpsnet-m", 2048, 1024, 30000},
                                         Case{"lpsnet-l", 2048, 1024, 30000}, Case{"vnet", 1024, 512, 30000}),
                         [](const auto& info) {
                             std::string name = info.param.network;
                             std::erase(name, '-');
                             return name;
                         });

/// Kernels of a plan that let a workgroup's invocations wait for each other.
std::set<std::string> kernels_with_barriers(const Plan& plan) {
    std::set<std::string> found;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches)
            for (const char* kernel : {"pyramid_unit", "conv_pair", "picture_unit", "scale_pyramid"})
                if (std::string_view(to_string(dispatch.shader)).starts_with(kernel)) found.insert(kernel);
    return found;
}

TEST(GpuCodeOnCpu, HasNoBarriersAndSharesLoadsOfWeights) {
    for (const char* network : {"espnet", "espnetv2", "esnet", "lpsnet-s"}) {
        Graph graph = build_network(network, {}, 512, 256).graph;
        simplify(graph);
        const DeviceFacts facts = paper_device("swiftshader");
        const Plan plan = compile(graph, facts);
        EXPECT_EQ(kernels_with_barriers(plan), std::set<std::string>{}) << network;
        for (const Step& step : plan.steps)
            for (const Dispatch& dispatch : step.dispatches)
                if (dispatch.shader == catalog::conv2d(catalog::Storage::f32, catalog::Access::ssbo)) {
                    EXPECT_EQ(dispatch.specialization.at(9), 8u) << network << " " << dispatch.label;
                }
        // The form of GPUs is there for the asking, so that a second driver checks it.
        EXPECT_NE(kernels_with_barriers(compile(graph, facts, {.denied_families = {"cpu_shaped"}})),
                  std::set<std::string>{})
            << network;
    }
}

}  // namespace
}  // namespace vkseg
