#include "runtime/session.hpp"

#include "shaders/shared/push.h"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_near;
using test::fp32_tolerance;
using test::gpu_shaped;
using test::half_precision;
using test::small_network;

std::vector<uint8_t> no_weights() {
    return {};
}

/// Floats in, through planes in the arena, and out again: two dispatches written by hand.
Plan round_trip_plan(int channels, int height, int width) {
    const uint64_t pixels = static_cast<uint64_t>(height) * static_cast<uint64_t>(width);
    const uint64_t stride_texels = (pixels + 63) / 64 * 64;
    const auto planes = static_cast<uint32_t>((channels + 3) / 4);
    const ArenaSlice slice{256, planes * stride_texels * 16};
    const TensorDesc desc = test::features(channels, height, width);

    push::Copy push{};
    push.m.in_stride = push.m.out_stride = static_cast<uint32_t>(stride_texels);
    push.m.in_size = push.m.out_size = static_cast<uint32_t>(width) | static_cast<uint32_t>(height) << 16;
    push.channels = static_cast<uint32_t>(channels);

    Dispatch load;
    load.specialization = {8, 8, 1};
    load.push.resize(sizeof(push));
    std::memcpy(load.push.data(), &push, sizeof(push));
    load.group_count = {static_cast<uint32_t>(width + 7) / 8, static_cast<uint32_t>(height + 7) / 8, planes};
    Dispatch store = load;

    load.shader = ShaderId::load_nchw_f32_ssbo;
    load.label = "load";
    load.windows[2] = slice;
    load.writes = {slice};
    load.host = {{0, HostBinding::Direction::Input, 0, false, 0, desc.host_size_bytes()}};
    store.shader = ShaderId::store_nchw_f32_ssbo;
    store.label = "store";
    store.windows[0] = slice;
    store.reads = {slice};
    store.host = {{0, HostBinding::Direction::Output, 0, true, 0, desc.host_size_bytes()}};

    Plan plan;
    plan.steps = {{{load}}, {{store}}};
    plan.arena_bytes = slice.offset_bytes + slice.size_bytes;
    plan.inputs = {{"in", desc, desc.host_size_bytes()}};
    plan.outputs = {{"out", desc, desc.host_size_bytes()}};
    return plan;
}

class Sessions : public test::EachDriver {
protected:
    void expect_reference(Session& session, const Compiled& compiled, float tolerance = fp32_tolerance) {
        compiled.activate(session);
        expect_near(compiled.run(session), compiled.expected(), tolerance);
    }
};

TEST_P(Sessions, CarryOutAPlanWrittenByHand) {
    Session session(context());
    const auto plan = std::make_shared<const Plan>(round_trip_plan(6, 5, 13));
    session.set_plan(plan, no_weights);
    const std::vector<float> sent = test::numbers(6 * 5 * 13, 1);
    ASSERT_EQ(session.input(0).size(), sent.size() * sizeof(float));
    std::memcpy(session.input(0).data(), sent.data(), session.input(0).size());
    session.run();
    std::vector<float> received(sent.size());
    ASSERT_EQ(session.output(0).size(), session.input(0).size());
    std::memcpy(received.data(), session.output(0).data(), session.output(0).size());
    EXPECT_EQ(received, sent);
}

TEST_P(Sessions, GiveTheReferencesNumbers) {
    Session session(context());
    expect_reference(session, {small_network(21, 13), context().facts()});
}

TEST_P(Sessions, GiveTheReferencesNumbersWithStorageBuffers) {
    Session session(context());
    const Compiled compiled(small_network(21, 13), context().facts(), gpu_shaped);
    EXPECT_FALSE(compiled.plan->uses_texel_view);
    expect_reference(session, compiled);
}

TEST_P(Sessions, GiveTheReferencesNumbersWithAddresses) {
    if (!context().facts().buffer_device_address) GTEST_SKIP() << "no buffer device addresses";
    Session session(context());
    DeviceFacts narrow = context().facts();
    narrow.max_storage_buffer_range = 8192;
    const Compiled compiled(small_network(21, 13), narrow, gpu_shaped);
    const bool addressed = std::ranges::any_of(compiled.plan->steps, [](const Step& step) {
        return std::ranges::any_of(step.dispatches, [](const Dispatch& d) { return !d.relocations.empty(); });
    });
    EXPECT_TRUE(addressed);
    expect_reference(session, compiled);
}

TEST_P(Sessions, GiveTheReferencesNumbersInHalfPrecision) {
    Session session(context());
    // Sums of 27 to 81 products of half floats near 3.
    expect_reference(session, {small_network(21, 13), context().facts(), half_precision}, 1.0f);
}

TEST_P(Sessions, RunTheSameThingTwiceAlike) {
    Session session(context());
    const Compiled compiled(small_network(30, 17), context().facts());
    compiled.activate(session);
    const std::vector<float> first = compiled.run(session);
    EXPECT_EQ(compiled.run(session), first);
}

TEST_P(Sessions, FollowTheSizeAndKeepTheirMemory) {
    Session session(context());
    const Compiled small(small_network(9, 7), context().facts()), large(small_network(65, 40), context().facts());
    expect_reference(session, small);
    const uint64_t before = session.arena_capacity_bytes();
    expect_reference(session, large);
    const uint64_t grown = session.arena_capacity_bytes();
    EXPECT_GT(grown, before);
    expect_reference(session, small);
    EXPECT_EQ(session.arena_capacity_bytes(), grown);
    EXPECT_EQ(session.input(0).size(), small.plan->inputs[0].size_bytes);
    expect_reference(session, large);
}

TEST_P(Sessions, ChangeStorageTypeUnderway) {
    Session session(context());
    const Compiled full(small_network(21, 13), context().facts());
    const Compiled half(small_network(21, 13), context().facts(), half_precision);
    expect_reference(session, full);
    expect_reference(session, half, 1.0f);
    expect_reference(session, full);
}

TEST_P(Sessions, ClearTheZeroTexelThatAnotherPlanUsed) {
    Session session(context());
    // The storage-buffer plan puts values at the start of the arena.
    expect_reference(session, {small_network(21, 13), context().facts(), gpu_shaped});
    expect_reference(session, {small_network(21, 13), context().facts()});
}

TEST_P(Sessions, PackWeightsOnlyWhenTheyDiffer) {
    Session session(context());
    const Compiled small(small_network(9, 7), context().facts()), large(small_network(30, 20), context().facts());
    int packed = 0;
    const auto activate = [&](const Compiled& compiled) {
        session.set_plan(compiled.plan, [&] {
            ++packed;
            return pack_weights(*compiled.plan, compiled.graph);
        });
    };
    activate(small);
    activate(large);
    activate(small);
    EXPECT_EQ(packed, 1);
    test::Builder other;
    other.output(other.conv("first", other.input(3, 7, 9), 4));
    const Compiled different(other.graph, context().facts());
    activate(different);
    EXPECT_EQ(packed, 2);
    expect_near(different.run(session), different.expected(), fp32_tolerance);
}

TEST_P(Sessions, ShareAContext) {
    Session first(context()), second(context());
    const Compiled a(small_network(9, 7), context().facts()), b(small_network(30, 20), context().facts());
    a.activate(first);
    b.activate(second);
    expect_near(a.run(first), a.expected(), fp32_tolerance);
    expect_near(b.run(second), b.expected(), fp32_tolerance);
    expect_near(a.run(first), a.expected(), fp32_tolerance);
}

TEST_P(Sessions, SurviveManySizes) {
    Session session(context());
    for (int width = 3; width < 40; width += 4) {
        const Compiled compiled(small_network(width, 50 - width), context().facts());
        expect_reference(session, compiled);
    }
}

TEST_P(Sessions, ProfileEveryDispatchByName) {
    if (!context().facts().timestamps) GTEST_SKIP() << "no timestamps";
    Session session(context());
    const Compiled compiled(small_network(65, 40), context().facts());
    compiled.activate(session);
    session.run();
    const std::vector<DispatchTime> times = session.profile();
    size_t i = 0;
    uint64_t total = 0;
    for (const Step& step : compiled.plan->steps)
        for (const Dispatch& dispatch : step.dispatches) {
            ASSERT_LT(i, times.size());
            EXPECT_EQ(times[i].label, dispatch.label);
            EXPECT_EQ(times[i].shader, dispatch.shader);
            total += times[i++].nanoseconds;
        }
    EXPECT_EQ(i, times.size());
    EXPECT_GT(total, 0u);
    EXPECT_LT(total, 60'000'000'000u);
}

TEST_P(Sessions, AMissingBarrierIsFoundByValidation) {
    Plan plan = round_trip_plan(6, 5, 13);
    plan.steps[0].dispatches.push_back(plan.steps[1].dispatches[0]);
    plan.steps.pop_back();
    Session session(context());
    session.set_plan(std::make_shared<const Plan>(plan), no_weights);
    std::string text;
    for (const std::string& message : context().validation_log().take()) text += message;
    if (!context().options().validation) GTEST_SKIP() << "no validation layer";
    EXPECT_NE(text.find("SYNC-HAZARD-READ"), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(, Sessions, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
