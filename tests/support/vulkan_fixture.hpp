#pragma once

#include "runtime/context.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

// Tests on Vulkan devices: the two CPU drivers, and every real GPU that is there.

namespace vkseg::test {

/// A Vulkan driver that tests run on, whether or not this machine has it.
struct Driver {
    /// As it stands in test names: "lavapipe", "swiftshader", "nvidia_h200".
    std::string name;
    /// What ContextOptions::device takes.
    std::string device;
    /// Nothing where the driver cannot be used; `absence` then says why.
    std::optional<DeviceFacts> facts;
    std::string absence;
};

/// Lavapipe, SwiftShader, then the GPUs in the order of the listing. Listed once per process.
[[nodiscard]] const std::vector<Driver>& drivers();

/// The process's one context on a driver that is there: opened when first asked for, with validation (synchronisation
/// too) and without the disk cache, closed after the last test. VKSEG_TEST_VALIDATION=0 leaves the validation layer
/// out, for machines that lack it.
[[nodiscard]] Context& shared_context(const Driver& driver);

/// A test on one driver: skipped where the driver is absent, failed by any word of the validation layer.
class VulkanTest : public ::testing::Test {
protected:
    explicit VulkanTest(const Driver& driver) : driver_(driver) {}
    void SetUp() override;
    void TearDown() override;
    [[nodiscard]] const Driver& driver() const { return driver_; }
    [[nodiscard]] Context& context() const { return shared_context(driver_); }

private:
    const Driver& driver_;
};

/// A test that runs on every driver: `class MyTest : public EachDriver {};`, TEST_Ps, and
/// `INSTANTIATE_TEST_SUITE_P(, MyTest, each_driver(), driver_name);`
class EachDriver : public VulkanTest, public ::testing::WithParamInterface<const Driver*> {
protected:
    EachDriver() : VulkanTest(*GetParam()) {}
};
[[nodiscard]] ::testing::internal::ParamGenerator<const Driver*> each_driver();
[[nodiscard]] std::string driver_name(const ::testing::TestParamInfo<const Driver*>& info);

}  // namespace vkseg::test
