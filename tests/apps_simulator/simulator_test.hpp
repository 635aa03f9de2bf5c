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
    /// SwiftShader takes seconds for each pipeline and frame.
    [[nodiscard]] bool is_slow() const { return GetParam()->name == "swiftshader"; }

private:
    std::unique_ptr<Gpu> gpu_;
};

}  // namespace vkseg::sim
