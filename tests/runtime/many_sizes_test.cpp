#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"
#include "tests/runtime/call_counter.hpp"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <unistd.h>

#include <fstream>

namespace vkseg {
namespace {

using test::CallCounter;
using test::Compiled;
using test::expect_near;
using test::fp32_tolerance;
using test::small_network;

constexpr std::pair<int, int> sizes[] = {{9, 7}, {16, 16}, {20, 5}, {5, 20}, {13, 13}, {24, 8}, {1, 1}, {17, 11}};

uint64_t resident_bytes() {
    uint64_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/// A stream whose pictures change their size among eight. No validation: the layer keeps records of its own.
class ManySizes : public test::EachDriver {
protected:
    void SetUp() override {
        EachDriver::SetUp();
        if (IsSkipped()) return;
        ContextOptions options;
        options.device = driver().device;
        options.disk_cache = false;
        options.intercept = CallCounter::install;
        own_ = std::make_unique<Context>(options);
        for (const auto& [width, height] : sizes) networks_.emplace_back(small_network(width, height), own_->facts());
    }
    Context& own() { return *own_; }
    [[nodiscard]] const std::vector<Compiled>& networks() const { return networks_; }

private:
    std::unique_ptr<Context> own_;
    std::vector<Compiled> networks_;
};

TEST_P(ManySizes, AfterOneRoundOnlyRecordAndSubmit) {
    Session session(own());
    for (int round = 0; round < 2; ++round)  // memory grows in the first, descriptors settle in the second
        for (const Compiled& network : networks()) {
            network.activate(session);
            session.run();
        }
    CallCounter::take();
    for (const Compiled& network : networks()) {
        network.activate(session);
        const std::vector<float> found = network.run(session);
        std::map<std::string, int> calls = CallCounter::take();
        EXPECT_EQ(calls["BeginCommandBuffer"], 1);
        EXPECT_EQ(calls["QueueSubmit"], 1);
        for (const auto& [name, count] : calls)
            EXPECT_TRUE(name.starts_with("Cmd") || name == "BeginCommandBuffer" || name == "EndCommandBuffer" ||
                        name == "QueueSubmit" || name == "WaitForFences" || name == "ResetFences" ||
                        name == "InvalidateMappedMemoryRanges")
                << name;
        expect_near(found, network.expected(), fp32_tolerance);
    }
}

TEST_P(ManySizes, AThousandRunsLeaveTheProcessAsLarge) {
    Session session(own());
    const auto run = [&](int runs) {
        for (int i = 0; i < runs; ++i) {
            const Compiled& network = networks()[static_cast<size_t>(i) % networks().size()];
            network.activate(session);
            session.run();
        }
    };
    run(200);
    const uint64_t before = resident_bytes();
    run(1000);
    const uint64_t after = resident_bytes();
    EXPECT_LE(after, before + (uint64_t{2} << 20)) << "grown by " << (after - before) / 1024 << " KiB";
}

TEST_P(ManySizes, ProfilingAThousandTimesLeavesTheProcessAsLarge) {
    Session session(own());
    networks()[0].activate(session);
    for (int i = 0; i < 200; ++i) static_cast<void>(session.profile());
    const uint64_t before = resident_bytes();
    for (int i = 0; i < 1000; ++i) static_cast<void>(session.profile());
    EXPECT_LE(resident_bytes(), before + (uint64_t{2} << 20));
}

/// More sizes than a session keeps descriptors for.
TEST_P(ManySizes, WithoutEndForgetDescriptors) {
    Session session(own());
    // Downwards, because memory that grows forgets them too.
    int sets = 0;
    CallCounter::take();
    for (int width = 3000; width > 0; --width) {
        const Compiled network(small_network(width, 64), own().facts(), test::gpu_shaped);
        network.activate(session);
        std::map<std::string, int> calls = CallCounter::take();
        sets += calls["AllocateDescriptorSets"];
        const bool forgot = calls["DestroyDescriptorPool"] > 0;
        if (forgot || width == 1) expect_near(network.run(session), network.expected(), fp32_tolerance);
        if (forgot) break;
    }
    EXPECT_GE(sets, 8192);
}

TEST_P(ManySizes, ThroughARunner) {
    const auto model = load_model({.network = "espnet-a",
                                   .config = {{"alpha2", 0.0}, {"alpha3", 0.0}, {"classes", 3.0}},
                                   .weights = {},
                                   .disabled_passes = {}},
                                  32, 16);
    Runner runner(model, &own(), {PrecisionChoice::FP32, {}});
    const auto run = [&](int width) {
        return runner.scores(Tensor({3, 1, width}, test::numbers(3 * width, width))).data;
    };
    const std::vector<float> narrowest = run(8);
    // More than a runner remembers plans for.
    for (int width = 9; width < 80; ++width) static_cast<void>(run(width));
    EXPECT_EQ(run(8), narrowest);

    std::map<int, std::vector<float>> first;
    for (int round = 0; round < 3; ++round)
        for (int size = 8; size <= 36; size += 4) {
            const Tensor input({3, size / 2, size}, test::numbers(3 * (size / 2) * size, size));
            if (round > 0) CallCounter::take();
            const Tensor scores = runner.scores(input);
            std::map<std::string, int> calls = CallCounter::take();
            if (round == 0) {
                first[size] = scores.data;
                continue;
            }
            EXPECT_EQ(scores.data, first[size]) << "runs of size " << size << " differ";
            EXPECT_EQ(calls["CreateComputePipelines"] + calls["AllocateMemory"] + calls["CreateBuffer"], 0);
        }
}

INSTANTIATE_TEST_SUITE_P(, ManySizes, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
