#include "tests/runtime/failing_calls.hpp"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_near;
using test::FailingCalls;
using test::fp32_tolerance;
using test::small_network;

/// Every call that may run out of memory does so in turn. Afterwards nothing may be lost, and what is left must work.
class OutOfMemoryAt : public test::EachDriver {
protected:
    [[nodiscard]] std::unique_ptr<Context> open() const {
        ContextOptions options;
        options.device = driver().device;
        options.disk_cache = false;
        // The layer sees only the calls that reach the driver, so a session that goes on wrongly is found out.
        options.validation = context().options().validation;
        options.intercept = FailingCalls::install;
        return std::make_unique<Context>(options);
    }

    void SetUp() override {
        EachDriver::SetUp();
        if (!IsSkipped()) FailingCalls::succeed();
    }
    void TearDown() override {
        FailingCalls::succeed();
        EachDriver::TearDown();
    }

    static void expect_silence(const Context& context) {
        for (const std::string& message : context.validation_log().take()) ADD_FAILURE() << message;
    }
};

/// Two sizes, so that memory grows, and a third with other weights.
struct Course {
    Compiled small, large, half;

    explicit Course(const DeviceFacts& facts)
        : small(small_network(9, 7), facts),
          large(small_network(40, 30), facts),
          half(small_network(9, 7), facts, test::half_precision) {}

    void run(Session& session) const {
        for (const Compiled* compiled : {&small, &large, &half, &small}) {
            compiled->activate(session);
            expect_near(compiled->run(session), compiled->expected(), compiled == &half ? 1.0f : fp32_tolerance);
        }
        static_cast<void>(session.profile());
    }
};

TEST_P(OutOfMemoryAt, AnyCallOfASessionLeavesItUsable) {
    const auto own = open();
    const Course course(own->facts());
    for (const Compiled* compiled : {&course.small, &course.half}) own->pipelines().prepare(*compiled->plan);
    {
        Session session(*own);
        course.run(session);
    }
    const int before = FailingCalls::live_objects();
    int calls = 0;
    for (bool reached = true; reached && !HasFailure(); ++calls) {
        FailingCalls::fail_after(calls);
        reached = false;
        std::unique_ptr<Session> session;
        std::string text;
        try {
            session = std::make_unique<Session>(*own);
            course.run(*session);
        } catch (const OutOfMemory& reason) {
            text = reason.what();
        }
        const std::string function(FailingCalls::failed());
        SCOPED_TRACE(fmt::format("call {}, vk{}: {}", calls, function, text));
        reached = !function.empty();
        EXPECT_EQ(reached, !text.empty());
        FailingCalls::succeed();
        if (session != nullptr) course.run(*session);
        session.reset();
        EXPECT_EQ(FailingCalls::live_objects(), before);
        expect_silence(*own);
    }
    EXPECT_GT(calls, 50);
}

TEST_P(OutOfMemoryAt, AnyCallOfAContextLosesNothing) {
    int calls = 0;
    for (bool reached = true; reached && !HasFailure(); ++calls) {
        reached = false;
        std::unique_ptr<Context> own;
        std::string text;
        try {
            ContextOptions options;
            options.device = driver().device;
            options.disk_cache = false;
            options.intercept = [&](vk::DeviceTable& table) {
                FailingCalls::install(table);
                FailingCalls::fail_after(calls, VK_ERROR_OUT_OF_HOST_MEMORY);
            };
            own = std::make_unique<Context>(options);
            const Compiled compiled(small_network(9, 7), own->facts());
            own->pipelines().prepare(*compiled.plan);
        } catch (const OutOfMemory& reason) {
            text = reason.what();
        }
        const std::string function(FailingCalls::failed());
        SCOPED_TRACE(fmt::format("call {}, vk{}: {}", calls, function, text));
        reached = !function.empty();
        EXPECT_EQ(reached, !text.empty());
        FailingCalls::succeed();
        if (own != nullptr) {
            const Compiled compiled(small_network(9, 7), own->facts());
            Session session(*own);
            compiled.activate(session);
            expect_near(compiled.run(session), compiled.expected(), fp32_tolerance);
        }
        own.reset();
        EXPECT_EQ(FailingCalls::live_objects(), 0);
    }
    EXPECT_GT(calls, 10);
}

INSTANTIATE_TEST_SUITE_P(, OutOfMemoryAt, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
