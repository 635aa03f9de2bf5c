#include "graph/plan/plan_cost.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "tests/plan/plan_checks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

// What plans cost at least, worked out by hand for small ones and from other sides for networks.

namespace vkseg {
namespace {

using test::at;

Plan plan_of(const std::string& network, const DeviceFacts& facts, Precision precision = Precision::FP16) {
    Graph graph = build_network(network, {}, 512, 256).graph;
    simplify(graph);
    return compile(graph, facts, at(precision));
}

Dispatch dispatch_of(uint64_t bytes, uint64_t macs, std::array<uint32_t, 3> groups = {4, 2, 3}) {
    Dispatch dispatch;
    dispatch.specialization = {16, 4, 1, 7};
    dispatch.group_count = groups;
    dispatch.label = "layer";
    dispatch.bytes_read = bytes / 2;
    dispatch.bytes_written = bytes - bytes / 2;
    dispatch.macs = macs;
    return dispatch;
}

TEST(PlanCost, ThreadsAreGroupsTimesTheWorkgroup) {
    EXPECT_EQ(dispatch_of(0, 0).thread_count(), 4u * 2 * 3 * 16 * 4);
    const Plan plan = plan_of("espnet", paper_device("jetson-tx2"));
    const std::string listing = to_string(plan);
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) {
            EXPECT_GT(dispatch.thread_count(), 0u) << dispatch.label;
            EXPECT_NE(listing.find(fmt::format(" threads {} ", dispatch.thread_count())), std::string::npos)
                << dispatch.label;
        }
}

TEST(PlanCost, WeightsOfTheDispatchesAreThoseOfThePlan) {
    for (const char* network : {"espnet", "espnetv2", "lpsnet-s"}) {
        const Plan plan = plan_of(network, paper_device("nvidia-discrete"));
        uint64_t weights = 0;
        for (const Step& step : plan.steps)
            for (const Dispatch& dispatch : step.dispatches) {
                weights += dispatch.weights_bytes;
                EXPECT_TRUE(dispatch.macs == 0 || dispatch.weights_bytes > 0) << dispatch.label;
            }
        EXPECT_EQ(weights, plan.weights_bytes) << network;
    }
}

TEST(PlanCost, TheFloorOfADispatchIsTheLongerOfBytesAndArithmetic) {
    const DevicePeaks peaks{1000, 2000, 100, 0, 3, "made up"};
    const DispatchFloor memory = floor_of(dispatch_of(200'000, 500'000), peaks);
    EXPECT_DOUBLE_EQ(memory.memory_us, 2.0);
    EXPECT_DOUBLE_EQ(memory.arithmetic_us, 1.0);
    EXPECT_DOUBLE_EQ(memory.us(), 5.0);
    EXPECT_TRUE(memory.memory_bound());
    Dispatch heavy = dispatch_of(100'000, 5'000'000);
    heavy.weights_bytes = 100'000;
    const DispatchFloor arithmetic = floor_of(heavy, peaks);
    EXPECT_DOUBLE_EQ(arithmetic.memory_us, 2.0);
    EXPECT_DOUBLE_EQ(arithmetic.us(), 13.0);

    Plan plan;
    plan.steps = {{{dispatch_of(200'000, 500'000), heavy}}};
    const PlanFloor floor = floor_of(plan, peaks);
    EXPECT_DOUBLE_EQ(floor.us, 18.0);
    EXPECT_DOUBLE_EQ(floor.memory_us, 2.0);
    EXPECT_DOUBLE_EQ(floor.arithmetic_us, 10.0);
    EXPECT_DOUBLE_EQ(floor.launch_us, 6.0);
    EXPECT_EQ(floor.memory_bound, 1u);
    EXPECT_EQ(floor.dispatches, 2u);
}

/// From other sides: no floor is below the whole plan's bytes or arithmetic at the peaks, and faster devices, fewer
/// bytes and fewer dispatches lower it.
TEST(PlanCost, FloorsOfPaperDevicesAgreeWithTheirPlans) {
    for (const DeviceFacts& facts : paper_devices()) {
        if (!facts.peaks.known()) continue;
        SCOPED_TRACE(facts.name);
        EXPECT_GT(facts.peaks.launch_us, 0);
        EXPECT_GE(facts.peaks.fp16_gflops, facts.peaks.fp32_gflops);
        EXPECT_FALSE(facts.peaks.source.empty());
        EXPECT_GT(facts.compute_units, 0u);
        const Plan plan = plan_of("espnet", facts);
        const PlanFloor floor = floor_of(plan, facts.peaks);
        EXPECT_EQ(floor.dispatches, plan.dispatch_count());
        const double bytes_us = static_cast<double>(plan.bytes_moved()) / (facts.peaks.memory_gb_per_s * 1e3);
        const double macs_us = 2.0 * static_cast<double>(plan.macs()) / (facts.peaks.fp32_gflops * 1e3);
        EXPECT_GE(floor.us - floor.launch_us, std::max(bytes_us, macs_us));
        EXPECT_LE(floor.us - floor.launch_us, 1.1 * (bytes_us + macs_us)) << "weights are a small part";
        EXPECT_NEAR(floor.us, floor.memory_us + floor.arithmetic_us + floor.launch_us, 1e-6);
        EXPECT_LT(floor.us, floor_of(plan_of("espnet", facts, Precision::FP32), facts.peaks).us);
    }
    const Plan plan = plan_of("espnet", paper_device("jetson-tx2"));
    EXPECT_LT(floor_of(plan, paper_device("jetson-tx2").peaks).us,
              floor_of(plan, paper_device("jetson-nano").peaks).us);
}

TEST(PlanCost, NobodySaysHowFastAMinimalDeviceIs) {
    for (const char* name : {"minimal", "lavapipe", "swiftshader"}) EXPECT_FALSE(paper_device(name).peaks.known());
}

TEST(PlanCost, DispatchesTooSmallAreListed) {
    const DeviceFill known = device_fill(paper_device("nvidia-discrete"));
    EXPECT_FALSE(known.assumed);
    EXPECT_EQ(known.threads(), 28u * 512);
    const DeviceFill assumed = device_fill(paper_device("minimal"));
    EXPECT_TRUE(assumed.assumed);
    EXPECT_NE(to_string(assumed).find("assumed"), std::string::npos);
    EXPECT_EQ(to_string(known).find("assumed"), std::string::npos);

    Plan plan;
    plan.steps = {{{dispatch_of(0, 0, {1, 1, 1}), dispatch_of(0, 0, {224, 1, 1})}}, {{dispatch_of(0, 0, {223, 1, 1})}}};
    const auto small = too_small(plan, known);
    ASSERT_EQ(small.size(), 2u);
    EXPECT_EQ(small[0]->thread_count(), 64u);
    EXPECT_EQ(small[1]->thread_count(), 223u * 64);
    EXPECT_EQ(list_too_small(plan, known).find("2 of 3 dispatches"), 0u);
}

}  // namespace
}  // namespace vkseg
