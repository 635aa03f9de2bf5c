#include "tests/runtime/call_counter.hpp"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::CallCounter;
using test::Compiled;
using test::expect_near;
using test::small_network;
using Calls = std::map<std::string, int>;

/// A context of its own whose device calls are counted. No validation: the layer makes no calls through this table, but
/// the shared contexts of other tests check the same calls already.
class SessionCalls : public test::EachDriver {
protected:
    void SetUp() override {
        EachDriver::SetUp();
        if (IsSkipped()) return;
        ContextOptions options;
        options.device = driver().device;
        options.disk_cache = false;
        options.intercept = CallCounter::install;
        counted_ = std::make_unique<Context>(options);
    }
    Context& counted() { return *counted_; }
    [[nodiscard]] Compiled network(int width, int height) const {
        return {small_network(width, height), counted_->facts()};
    }

private:
    std::unique_ptr<Context> counted_;
};

const Calls one_submission = {{"QueueSubmit", 1}, {"WaitForFences", 1}, {"ResetFences", 1}};

/// What is left when outputs are read from memory that is not coherent.
Calls without_invalidations(Calls calls) {
    calls.erase("InvalidateMappedMemoryRanges");
    return calls;
}

TEST_P(SessionCalls, ARunIsOneSubmissionAndNothingElse) {
    Session session(counted());
    const Compiled compiled = network(21, 13);
    compiled.activate(session);
    session.run();
    CallCounter::take();
    for (int i = 0; i < 3; ++i) {
        session.run();
        EXPECT_EQ(without_invalidations(CallCounter::take()), one_submission);
    }
}

TEST_P(SessionCalls, TheSamePlanAgainCallsNothing) {
    Session session(counted());
    const Compiled compiled = network(21, 13);
    compiled.activate(session);
    CallCounter::take();
    compiled.activate(session);
    EXPECT_EQ(CallCounter::take(), Calls{});
}

TEST_P(SessionCalls, AKnownSizeOnlyRecords) {
    Session session(counted());
    const Compiled small = network(9, 7), large = network(65, 40);
    large.activate(session);
    small.activate(session);
    large.activate(session);
    CallCounter::take();
    small.activate(session);
    const Calls calls = CallCounter::take();
    EXPECT_EQ(calls.at("BeginCommandBuffer"), 1);
    EXPECT_EQ(calls.at("EndCommandBuffer"), 1);
    EXPECT_EQ(calls.at("CmdDispatch"), static_cast<int>(small.plan->dispatch_count()));
    for (const auto& [name, count] : calls)
        EXPECT_TRUE(name.starts_with("Cmd") || name == "BeginCommandBuffer" || name == "EndCommandBuffer") << name;
}

TEST_P(SessionCalls, ANewSizeCompilesNothing) {
    Session session(counted());
    network(65, 40).activate(session);
    CallCounter::take();
    network(33, 21).activate(session);
    const Calls calls = CallCounter::take();
    for (const char* name : {"CreateComputePipelines", "CreateShaderModule", "CreatePipelineLayout", "AllocateMemory",
                             "CreateBuffer", "CreateDescriptorPool", "QueueSubmit"})
        EXPECT_FALSE(calls.contains(name)) << name;
}

TEST_P(SessionCalls, BarriersStandBetweenStepsOnly) {
    Session session(counted());
    const Compiled compiled = network(21, 13);
    CallCounter::take();
    compiled.activate(session);
    const Calls calls = CallCounter::take();
    // One more makes the outputs visible to the host; one follows the clearing of the zero texel.
    EXPECT_EQ(calls.at("CmdPipelineBarrier"),
              static_cast<int>(compiled.plan->barrier_count()) + 1 + (compiled.plan->clears_zero_texel ? 1 : 0));
}

TEST_P(SessionCalls, ProfilingLeavesTheRecordingAlone) {
    Session session(counted());
    const Compiled compiled = network(21, 13);
    compiled.activate(session);
    const std::vector<float> expected = compiled.run(session);
    const std::vector<DispatchTime> times = session.profile();
    CallCounter::take();
    EXPECT_EQ(compiled.run(session), expected);
    EXPECT_EQ(without_invalidations(CallCounter::take()), one_submission);
    EXPECT_EQ(times.size(), counted().facts().timestamps ? compiled.plan->dispatch_count() : 0);
}

TEST_P(SessionCalls, NothingIsLeftBehind) {
    CallCounter::take();
    Calls made, destroyed;
    {
        Session session(counted());
        network(9, 7).activate(session);
        network(65, 40).activate(session);
        static_cast<void>(session.profile());
    }
    for (const auto& [name, count] : CallCounter::take()) {
        if (name == "AllocateMemory") made["Memory"] = count;
        if (name == "FreeMemory") destroyed["Memory"] = count;
        if (name.starts_with("Destroy")) destroyed[name.substr(7)] = count;
        if (!name.starts_with("Create")) continue;
        // The context keeps these for the next session.
        for (const char* kept : {"ShaderModule", "PipelineLayout", "DescriptorSetLayout", "ComputePipelines"})
            if (name.substr(6) == kept) made[kept] -= count;
        made[name.substr(6)] += count;
    }
    std::erase_if(made, [](const auto& entry) { return entry.second == 0; });
    EXPECT_EQ(made, destroyed);
}

INSTANTIATE_TEST_SUITE_P(, SessionCalls, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
