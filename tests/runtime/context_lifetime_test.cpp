#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <algorithm>
#include <thread>

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_near;
using test::fp32_tolerance;
using test::small_network;

/// A context with a session that has run.
struct Pair {
    std::unique_ptr<Context> context;
    std::unique_ptr<Session> session;

    explicit Pair(const std::string& device) {
        ContextOptions options;
        options.device = device;
        options.disk_cache = false;
        context = std::make_unique<Context>(options);
        session = std::make_unique<Session>(*context);
        run();
    }
    void run() const {
        const Compiled compiled(small_network(9, 7), context->facts());
        compiled.activate(*session);
        expect_near(compiled.run(*session), compiled.expected(), fp32_tolerance);
    }
    void close() {
        session.reset();
        context.reset();
    }
};

std::vector<std::string> devices() {
    std::vector<std::string> names;
    for (const test::Driver& driver : test::drivers())
        if (driver.facts) names.push_back(driver.device);
    return names;
}

TEST(ContextLifetimes, InAnyOrderOfDestruction) {
    const std::vector<std::string> names = devices();
    if (names.empty()) GTEST_SKIP() << "no Vulkan device";
    std::vector<size_t> order{0, 1, 2};
    do {
        std::vector<Pair> pairs;
        for (size_t i = 0; i < order.size(); ++i) pairs.emplace_back(names[i % names.size()]);
        for (size_t next = 0; next < order.size(); ++next) {
            pairs[order[next]].close();
            // Those that are left do not notice.
            for (size_t later = next + 1; later < order.size(); ++later) pairs[order[later]].run();
        }
    } while (std::ranges::next_permutation(order).found);
}

TEST(ContextLifetimes, SideBySideInThreads) {
    const std::vector<std::string> names = devices();
    if (names.empty()) GTEST_SKIP() << "no Vulkan device";
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 2; ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 3; ++round) {
                const Pair pair(names[i % names.size()]);
                for (int run = 0; run < 20; ++run) pair.run();
            }
        });
}

TEST(ContextLifetimes, SessionsMayGoInAnyOrder) {
    const std::vector<std::string> names = devices();
    if (names.empty()) GTEST_SKIP() << "no Vulkan device";
    const Pair owner(names[0]);
    const Compiled compiled(small_network(9, 7), owner.context->facts());
    auto first = std::make_unique<Session>(*owner.context), second = std::make_unique<Session>(*owner.context);
    for (Session* session : {first.get(), second.get()}) compiled.activate(*session);
    first.reset();
    expect_near(compiled.run(*second), compiled.expected(), fp32_tolerance);
    first = std::make_unique<Session>(*owner.context);
    compiled.activate(*first);
    second.reset();
    expect_near(compiled.run(*first), compiled.expected(), fp32_tolerance);
}

}  // namespace
}  // namespace vkseg
