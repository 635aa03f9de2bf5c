#include "runtime/device_facts.hpp"

#include "tests/runtime/expect_contains.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::expect_contains;

class Facts : public test::EachDriver {};

TEST_P(Facts, HoldWhatVulkanPromises) {
    const DeviceFacts& facts = context().facts();
    const DeviceFacts floor;
    EXPECT_FALSE(facts.name.empty());
    EXPECT_FALSE(facts.driver.empty());
    EXPECT_NE(facts.driver.back(), ' ');
    EXPECT_GE(facts.api_version, floor.api_version);
    EXPECT_GE(facts.max_workgroup_invocations, floor.max_workgroup_invocations);
    for (size_t axis = 0; axis < 3; ++axis) {
        EXPECT_GE(facts.max_workgroup_size[axis], floor.max_workgroup_size[axis]);
        EXPECT_GE(facts.max_workgroup_count[axis], floor.max_workgroup_count[axis]);
    }
    EXPECT_GE(facts.max_shared_memory_bytes, floor.max_shared_memory_bytes);
    EXPECT_GE(facts.max_push_constant_bytes, floor.max_push_constant_bytes);
    EXPECT_GE(facts.max_storage_buffers_per_stage, floor.max_storage_buffers_per_stage);
    EXPECT_GE(facts.max_storage_buffer_range, floor.max_storage_buffer_range);
    EXPECT_LE(facts.min_storage_buffer_offset_alignment, floor.min_storage_buffer_offset_alignment);
    EXPECT_GE(facts.max_texel_buffer_elements, floor.max_texel_buffer_elements);
    EXPECT_GE(facts.max_allocation_bytes, floor.max_allocation_bytes);
    EXPECT_GT(facts.device_memory_bytes, 0u);
    EXPECT_GE(facts.subgroup_size, 1u);
}

TEST_P(Facts, OfTheCpuDriversAreAsMeasured) {
    const DeviceFacts& facts = context().facts();
    if (facts.type != DeviceType::Cpu) GTEST_SKIP() << "GPUs differ";
    EXPECT_EQ(facts.type, DeviceType::Cpu);
    EXPECT_TRUE(facts.buffer_device_address);
    EXPECT_TRUE(facts.unified_memory);
    EXPECT_TRUE(facts.timestamps);
    if (driver().name == "lavapipe") {
        expect_contains(facts.name, "llvmpipe");
        expect_contains(facts.driver, "llvmpipe Mesa");
        EXPECT_TRUE(facts.fp16_storage && facts.fp16_arithmetic && facts.int8_storage && facts.shader_int64);
        EXPECT_GE(facts.max_texel_buffer_elements, 1u << 24);
        EXPECT_GE(facts.subgroup_size, 4u);
    } else {
        EXPECT_EQ(facts.driver, "SwiftShader driver");
        EXPECT_FALSE(facts.fp16_storage || facts.fp16_arithmetic || facts.int8_storage);
        EXPECT_EQ(facts.max_texel_buffer_elements, 65536u);
        EXPECT_EQ(facts.subgroup_size, 4u);
    }
}

TEST_P(Facts, AgreeWithTheListing) {
    bool listed = false;
    for (const DeviceEntry& entry : list_devices()) listed = listed || entry.facts == context().facts();
    EXPECT_TRUE(listed) << "everything supported is enabled, so a context's facts are those of the listing";
}

TEST_P(Facts, OfAHostsDeviceHoldOnlyWhatItEnabled) {
    const PhysicalDevice& own = context().physical();
    const DeviceFacts none = describe(context().instance(), own.handle, own.queue_family, {}).facts;
    EXPECT_FALSE(none.buffer_device_address || none.fp16_storage || none.fp16_arithmetic || none.int8_storage ||
                 none.shader_int64);
    DeviceFacts all = describe(context().instance(), own.handle, own.queue_family, own.features).facts;
    EXPECT_EQ(all, own.facts);
}

TEST(Listing, PutsCpuDriversLastAndCountsFromZero) {
    std::vector<DeviceEntry> entries;
    try {
        entries = list_devices();
    } catch (const Error& absent) {
        GTEST_SKIP() << absent.what();
    }
    bool cpu = false;
    for (size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ(entries[i].index, static_cast<int>(i));
        EXPECT_FALSE(cpu && entries[i].facts.type != DeviceType::Cpu);
        cpu = entries[i].facts.type == DeviceType::Cpu;
    }
}

INSTANTIATE_TEST_SUITE_P(, Facts, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
