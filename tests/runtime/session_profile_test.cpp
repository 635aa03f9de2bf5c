#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <algorithm>
#include <chrono>

// How a session measures itself: the parts fit the whole, and measuring changes no result.

namespace vkseg {
namespace {

using test::Compiled;
using test::small_network;

class SessionProfiles : public test::EachDriver {};

TEST_P(SessionProfiles, DispatchesFollowOneAnotherAndFitTheirRun) {
    Session session(context());
    const Compiled compiled(small_network(160, 96), context().facts());
    compiled.activate(session);
    const std::vector<float> expected = compiled.run(session);
    const std::vector<DispatchTime> times = session.profile();
    if (!context().facts().timestamps) GTEST_SKIP() << "no timestamps";
    ASSERT_EQ(times.size(), compiled.plan->dispatch_count());
    EXPECT_EQ(times.front().start_nanoseconds, 0u);
    uint64_t sum = 0, end = 0;
    for (const DispatchTime& time : times) {
        sum += time.nanoseconds;
        end = std::max(end, time.start_nanoseconds + time.nanoseconds);
    }
    EXPECT_GT(sum, 0u);
    // CPU drivers run one dispatch after another.
    if (context().facts().type == DeviceType::Cpu) {
        EXPECT_LE(sum, end);
    }
    EXPECT_EQ(compiled.run(session), expected);
}

TEST_P(SessionProfiles, ATimedRunTakesLessThanTheWallSays) {
    Session session(context());
    const Compiled compiled(small_network(160, 96), context().facts());
    compiled.activate(session);
    const std::vector<float> expected = compiled.run(session);
    EXPECT_EQ(session.run_nanoseconds(), 0u);
    session.time_runs(true);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(compiled.run(session), expected);
    const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start);
    if (context().facts().timestamps) {
        EXPECT_GT(session.run_nanoseconds(), 0u);
        EXPECT_LE(session.run_nanoseconds(), static_cast<uint64_t>(wall.count()));
    }
    session.time_runs(false);
    EXPECT_EQ(compiled.run(session), expected);
    EXPECT_EQ(session.run_nanoseconds(), 0u);
}

TEST_P(SessionProfiles, StepsOneByOneGiveTheSameResult) {
    Session session(context());
    const Compiled compiled(small_network(40, 24), context().facts());
    compiled.activate(session);
    const std::vector<float> expected = compiled.run(session);
    const std::vector<uint8_t> before(session.output(0).begin(), session.output(0).end());
    const std::vector<uint64_t> steps = session.profile_steps();
    EXPECT_EQ(steps.size(), compiled.plan->steps.size());
    for (const uint64_t step : steps) EXPECT_GT(step, 0u);
    EXPECT_TRUE(std::ranges::equal(session.output(0), before));
    EXPECT_EQ(compiled.run(session), expected);
}

TEST_P(SessionProfiles, SayWhatSettingUpTookAndHolds) {
    Session session(context());
    const Compiled compiled(small_network(160, 96), context().facts());
    compiled.activate(session);
    const SetUpTimes first = session.set_up_times();
    EXPECT_GT(first.weights_ms, 0);
    EXPECT_GT(first.memory_ms, 0);
    EXPECT_GT(first.record_ms, 0);
    const SessionMemory memory = session.memory_use();
    EXPECT_GE(memory.activations_bytes, compiled.plan->arena_bytes);
    EXPECT_GE(memory.weights_bytes, compiled.plan->weights_bytes);
    EXPECT_GE(memory.host_bytes, compiled.plan->inputs[0].size_bytes + compiled.plan->outputs[0].size_bytes);
    const std::vector<float> expected = compiled.run(session);
    session.record_again();
    EXPECT_EQ(compiled.run(session), expected);
}

INSTANTIATE_TEST_SUITE_P(, SessionProfiles, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
