#include "runtime/device_peaks.hpp"

#include "shaders/shared/push.h"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <cmath>

// A peak that was reached by not doing the work would make every kernel look slow: the kernels that measure must do it.

namespace vkseg {
namespace {

class Peaks : public test::EachDriver {};

void activate(Session& session, Plan plan) {
    session.set_plan(std::make_shared<const Plan>(std::move(plan)), [] { return std::vector<uint8_t>(); });
}

TEST_P(Peaks, TheArithmeticIsDone) {
    Session session(context());
    const float multiplier = 0.75f, addend = 1.25f;
    const Plan plan = peak_fma_plan(3, 2, multiplier, addend);
    EXPECT_EQ(plan.macs(), 3u * 64 * 2 * 16 * 12);
    activate(session, plan);
    session.run();
    const auto* sums = reinterpret_cast<const float*>(session.output(0).data());
    for (int thread = 0; thread < 3 * 64; ++thread) {
        float expected = 0;
        for (int chain = 0; chain < 12; ++chain) {
            auto x = static_cast<float>(thread % 64 + chain);
            for (int link = 0; link < 32; ++link) x = x * multiplier + addend;
            expected += x;
        }
        ASSERT_NEAR(sums[thread], expected, 1e-3) << thread;
    }
}

/// Host floats to the first half, the copy, and the second half back to the host.
TEST_P(Peaks, TheCopyCopies) {
    for (const PeakAccess access : {PeakAccess::Ssbo, PeakAccess::Bda, PeakAccess::Texel}) {
        if (access == PeakAccess::Texel && driver().name == "swiftshader") continue;
        if (access != PeakAccess::Ssbo && !context().facts().buffer_device_address) continue;
        constexpr int pixels = 4096, channels = 4;
        Plan plan = peak_copy_plan(pixels * 16, access);
        const TensorDesc desc = test::features(channels, 1, pixels);
        push::Copy push{};
        push.m.in_stride = push.m.out_stride = pixels;
        push.m.in_size = push.m.out_size = pixels | 1u << 16;
        push.channels = channels;
        Dispatch load;
        load.specialization = {64, 1, 1};
        load.push.resize(sizeof(push));
        std::memcpy(load.push.data(), &push, sizeof(push));
        load.group_count = {pixels / 64, 1, 1};
        Dispatch store = load;
        load.shader = ShaderId::load_nchw_f32_ssbo;
        load.windows[2] = {0, pixels * 16};
        load.host = {{0, HostBinding::Direction::Input, 0, false, 0, desc.host_size_bytes()}};
        store.shader = ShaderId::store_nchw_f32_ssbo;
        store.windows[0] = {pixels * 16, pixels * 16};
        store.host = {{0, HostBinding::Direction::Output, 0, true, 0, desc.host_size_bytes()}};
        plan.steps.insert(plan.steps.begin(), Step{{load}});
        plan.steps.push_back(Step{{store}});
        plan.inputs = {{"in", desc, desc.host_size_bytes()}};
        plan.outputs = {{"out", desc, desc.host_size_bytes()}};

        Session session(context());
        activate(session, plan);
        for (size_t i = 0; i < session.input(0).size(); ++i)
            session.input(0)[i] = static_cast<uint8_t>(i * 2654435761u >> 7 & 0x3f);
        session.run();
        EXPECT_EQ(std::memcmp(session.input(0).data(), session.output(0).data(), session.input(0).size()), 0)
            << static_cast<int>(access);
    }
}

TEST_P(Peaks, AreOfAPlausibleSize) {
    const DevicePeaks peaks = measure_peaks(context());
    EXPECT_TRUE(peaks.known());
    EXPECT_GT(peaks.memory_gb_per_s, 0.01);
    EXPECT_LT(peaks.memory_gb_per_s, 1e5);
    EXPECT_GE(peaks.cache_gb_per_s, peaks.memory_gb_per_s);
    EXPECT_LT(peaks.cache_gb_per_s, 1e6);
    EXPECT_GT(peaks.fp32_gflops, 0.1);
    EXPECT_LT(peaks.fp32_gflops, 1e6);
    EXPECT_GT(peaks.launch_us, 0);
    EXPECT_NE(peaks.source.find("measured"), std::string::npos);
    fmt::print("{}: {:.1f} GB/s, {:.1f} GB/s in a cache, {:.1f} GFLOP/s, {:.1f} us a launch\n", peaks.source,
               peaks.memory_gb_per_s, peaks.cache_gb_per_s, peaks.fp32_gflops, peaks.launch_us);
}

INSTANTIATE_TEST_SUITE_P(, Peaks, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
