#pragma once

#include "apps/simulator/gpu/gpu.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <cstdlib>
#include <memory>
#include <string_view>

namespace vkseg::sim {

/// A test on the simulator's own device, on every driver: skipped where the driver is absent or cannot draw, failed by
/// any word of the validation layer.
class SimulatorTest : public ::testing::TestWithParam<const vkseg::test::Driver*> {
protected:
    void SetUp() override {
        const vkseg::test::Driver& driver = *GetParam();
        if (!driver.facts) GTEST_SKIP() << driver.absence;
        if (is_slow() && !draws_on_slow_drivers())
            GTEST_SKIP() << "SwiftShader takes a minute to compile the materials";
        GpuOptions options;
        options.device = driver.device;
        const char* validation = std::getenv("VKSEG_TEST_VALIDATION");
        options.validation = validation == nullptr || std::string_view(validation) != "0";
        options.second_queue = true;
        gpu_ = std::make_unique<Gpu>(options);
    }
    void TearDown() override {
        if (!gpu_) return;
        for (const std::string& message : gpu_->take_messages()) ADD_FAILURE() << message;
    }
    [[nodiscard]] Gpu& gpu() const { return *gpu_; }
    /// Compiling the materials takes SwiftShader a minute of CPU time, so that one test alone draws on it.
    [[nodiscard]] virtual bool draws_on_slow_drivers() const { return false; }
    [[nodiscard]] bool is_slow() const { return GetParam()->name == "swiftshader"; }

private:
    std::unique_ptr<Gpu> gpu_;
};

}  // namespace vkseg::sim
