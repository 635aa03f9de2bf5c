#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "graph/plan/plan.hpp"
#include "models/network.hpp"
#include "runtime/reflection.hpp"
#include "shader_binaries.hpp"
#include "shaders/shared/push.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>

// Plans for devices that nobody here owns: their limits hold, and each gets the kernels meant for it.

namespace vkseg {
namespace {

Choices at(Precision precision) {
    Choices choices;
    choices.precision = precision;
    return choices;
}

Graph simplified(const std::string& network, int width, int height) {
    Graph graph = build_network(network, {}, width, height).graph;
    simplify(graph);
    return graph;
}

template <typename Visit>
void for_each_dispatch(const Plan& plan, const Visit& visit) {
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) visit(dispatch);
}

void expect_within_limits(const Plan& plan, const DeviceFacts& facts) {
    for_each_dispatch(plan, [&](const Dispatch& dispatch) {
        SCOPED_TRACE(dispatch.label + " " + to_string(dispatch.shader));
        EXPECT_LE(dispatch.push.size(), 128u);
        uint32_t invocations = 1;
        for (size_t axis = 0; axis < 3; ++axis) {
            invocations *= dispatch.specialization[axis];
            EXPECT_LE(dispatch.specialization[axis], facts.max_workgroup_size[axis]);
            EXPECT_GE(dispatch.group_count[axis], 1u);
            EXPECT_LE(dispatch.group_count[axis], facts.max_workgroup_count[axis]);
        }
        EXPECT_LE(invocations, facts.max_workgroup_invocations);
        uint32_t storage_buffers = 0;
        for (const ShaderBinding& binding : reflect_bindings(spirv(dispatch.shader)))
            if (binding.type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) ++storage_buffers;
        EXPECT_LE(storage_buffers, facts.max_storage_buffers_per_stage);
        for (const ArenaSlice& window : dispatch.windows) {
            EXPECT_LE(window.size_bytes, facts.max_storage_buffer_range);
            EXPECT_EQ(window.offset_bytes % facts.min_storage_buffer_offset_alignment, 0u);
            EXPECT_LE(window.offset_bytes + window.size_bytes, plan.arena_bytes);
        }
        for (const HostBinding& host : dispatch.host) {
            EXPECT_LE(host.size_bytes, facts.max_storage_buffer_range);
            EXPECT_EQ(host.offset_bytes % facts.min_storage_buffer_offset_alignment, 0u);
        }
        if (!dispatch.relocations.empty()) {
            EXPECT_TRUE(facts.buffer_device_address);
        }
    });
}

/// Written before read, and no dispatch of a step touches what another of it writes.
void expect_ordered(const Plan& plan) {
    std::vector<ArenaSlice> written;
    const auto covered = [&](ArenaSlice part) {
        // Parts of a concatenation are written one by one.
        for (bool moved = true; moved && part.size_bytes > 0;) {
            moved = false;
            for (const ArenaSlice& slice : written)
                if (slice.offset_bytes <= part.offset_bytes &&
                    part.offset_bytes < slice.offset_bytes + slice.size_bytes) {
                    const uint64_t reach = std::min(slice.offset_bytes + slice.size_bytes - part.offset_bytes,
                                                    part.size_bytes);
                    part.offset_bytes += reach;
                    part.size_bytes -= reach;
                    moved = true;
                    break;
                }
        }
        return part.size_bytes == 0;
    };
    for (const Step& step : plan.steps) {
        for (const Dispatch& dispatch : step.dispatches)
            for (const ArenaSlice& part : dispatch.reads)
                EXPECT_TRUE(covered(part)) << dispatch.label << " reads memory that nothing has written";
        for (const Dispatch& a : step.dispatches)
            for (const Dispatch& b : step.dispatches) {
                if (&a == &b) continue;
                for (const ArenaSlice& write : a.writes) {
                    for (const ArenaSlice& other : b.writes) EXPECT_FALSE(write.overlaps(other)) << a.label << b.label;
                    for (const ArenaSlice& read : b.reads) EXPECT_FALSE(write.overlaps(read)) << a.label << b.label;
                }
            }
        for (const Dispatch& dispatch : step.dispatches)
            written.insert(written.end(), dispatch.writes.begin(), dispatch.writes.end());
    }
}

class PaperDevice : public testing::TestWithParam<DeviceFacts> {};

TEST_P(PaperDevice, PlansEveryNetworkWithinItsLimits) {
    for (const NetworkInfo* info : networks()) {
        SCOPED_TRACE(info->name);
        const Graph graph = simplified(info->name, info->default_width / 4, info->default_height / 4);
        for (Precision precision : {Precision::FP32, Precision::FP16}) {
            const Plan plan = compile(graph, GetParam(), at(precision));
            expect_within_limits(plan, GetParam());
            expect_ordered(plan);
            EXPECT_GE(plan.macs(), count_macs(graph));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, PaperDevice, testing::ValuesIn(paper_devices()), [](const auto& info) {
    std::string name = info.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(PaperDevices, EachGetsItsKernelFamily) {
    const Graph graph = simplified("espnet", 256, 128);
    for (const DeviceFacts& facts : paper_devices()) {
        const std::string wanted = facts.name == "lavapipe" ? "_texel" : "_ssbo";
        for_each_dispatch(compile(graph, facts), [&](const Dispatch& dispatch) {
            EXPECT_TRUE(std::string(to_string(dispatch.shader)).ends_with(wanted)) << facts.name << dispatch.label;
        });
    }
    Choices without_cpu_shape;
    without_cpu_shape.denied_families = {"cpu_shaped"};
    for_each_dispatch(compile(graph, paper_device("lavapipe"), without_cpu_shape),
                      [](const Dispatch& dispatch) {
                          EXPECT_TRUE(std::string(to_string(dispatch.shader)).ends_with("_ssbo"));
                      });
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

TEST(PaperDevices, NoPipelineAndNoPackedWeightDependsOnTheSize) {
    for (const char* device : {"lavapipe", "nvidia-discrete"}) {
        std::set<std::pair<ShaderId, std::vector<uint32_t>>> first_pipelines;
        std::vector<PackedWeight> first_packed;
        for (const auto& [width, height] : {std::pair{256, 128}, std::pair{1024, 512}, std::pair{512, 512},
                                            std::pair{640, 384}, std::pair{64, 64}}) {
            const Plan plan = compile(simplified("espnet", width, height), paper_device(device));
            std::set<std::pair<ShaderId, std::vector<uint32_t>>> pipelines;
            for_each_dispatch(plan, [&](const Dispatch& dispatch) {
                pipelines.insert({dispatch.shader, dispatch.specialization});
            });
            if (first_packed.empty()) {
                first_pipelines = pipelines;
                first_packed = plan.packed_weights;
            }
            EXPECT_EQ(pipelines, first_pipelines) << device << width;
            EXPECT_EQ(plan.packed_weights, first_packed) << device << width;
        }
    }
}

TEST(PaperDevices, EspNetNeedsNoMoreThanAnIdealPlanner) {
    const Plan plan = compile(simplified("espnet", 1024, 512), paper_device("lavapipe"));
    EXPECT_LE(plan.arena_bytes, 53u << 20);
    EXPECT_LT(plan.barrier_count(), plan.dispatch_count());
}

TEST(PaperDevices, UnrolledCodeStaysWithinAFewSecondsOfCompilation) {
    const Plan plan = compile(simplified("espnet", 1024, 512), paper_device("lavapipe"));
    std::set<std::vector<uint32_t>> convolutions;
    for_each_dispatch(plan, [&](const Dispatch& dispatch) {
        if (dispatch.shader == ShaderId::conv2d_f32_texel) convolutions.insert(dispatch.specialization);
    });
    uint64_t macs = 0;
    for (const std::vector<uint32_t>& c : convolutions) macs += 16u * c[6] * c[7] * c[8] * c[10];
    EXPECT_LE(macs, 60000u);
}

TEST(PaperDevices, PlanningTakesMilliseconds) {
    const Graph graph = simplified("espnet", 1024, 512);
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 20; ++i) {
        const auto start = std::chrono::steady_clock::now();
        (void)compile(graph, paper_device("nvidia-discrete"));
        best = std::min(best, std::chrono::steady_clock::now() - start);
    }
    EXPECT_LT(best, std::chrono::milliseconds(20));
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
