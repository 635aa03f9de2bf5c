#include "runtime/context.hpp"

#include "runtime/vk/buffer.hpp"
#include "tests/graph/support.hpp"
#include "tests/runtime/environment.hpp"
#include "tests/runtime/expect_contains.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::error_of;
using test::expect_contains;
using test::ScopedVariable;

class Contexts : public test::EachDriver {};

TEST_P(Contexts, TheEnvironmentNamesTheDevice) {
    const ScopedVariable wanted("VKSEG_DEVICE", driver().device);
    ContextOptions options;
    options.disk_cache = false;
    const Context named(options);
    EXPECT_EQ(named.facts(), context().facts());
}

TEST_P(Contexts, AnOptionGoesBeforeTheEnvironment) {
    const ScopedVariable wanted("VKSEG_DEVICE", "no such device");
    ContextOptions options;
    options.disk_cache = false;
    options.device = driver().device;
    const Context named(options);
    EXPECT_EQ(named.facts(), context().facts());
    expect_contains(error_of([] { Context unnamed; }), "there is no device 'no such device'; found are:");
}

TEST_P(Contexts, TheEnvironmentAsksForValidation) {
    if (!context().options().validation) GTEST_SKIP() << "no validation layer";
    const ScopedVariable wanted("VKSEG_VALIDATION", "1");
    ContextOptions options;
    options.disk_cache = false;
    options.device = driver().device;
    const Context checked(options);
    VkBufferCreateInfo empty{};
    empty.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    empty.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    VkBuffer buffer = VK_NULL_HANDLE;
    if (checked.table().CreateBuffer(checked.device(), &empty, nullptr, &buffer) == VK_SUCCESS)
        checked.table().DestroyBuffer(checked.device(), buffer, nullptr);
    const std::vector<std::string> messages = checked.validation_log().take();
    ASSERT_EQ(messages.size(), 1u);
    expect_contains(messages[0], "VUID-VkBufferCreateInfo-size-00912");
    EXPECT_TRUE(checked.validation_log().take().empty());
}

TEST_P(Contexts, AnAllocationThatDoesNotFitIsNamed) {
    try {
        // No device has an exabyte; the layer warns beforehand.
        vk::Buffer huge(context(), "activations", uint64_t{1} << 60, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                        vk::MemoryUse::Device);
        FAIL() << "allocated";
    } catch (const OutOfMemory& failure) {
        expect_contains(failure.what(), "could not allocate 1152921504606.8 MB for activations");
    }
    static_cast<void>(context().validation_log().take());
}

INSTANTIATE_TEST_SUITE_P(, Contexts, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
