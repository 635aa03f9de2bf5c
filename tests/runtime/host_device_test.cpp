#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_near;
using test::fp32_tolerance;
using test::small_network;

/// A host program's device: here the test's own context plays the host.
class HostDevices : public test::EachDriver {
protected:
    [[nodiscard]] HostDevice host() const {
        HostDevice host;
        host.get_instance_proc_addr = library_->get_instance_proc_addr();
        host.instance = context().instance().get();
        host.api_version = context().instance().api_version();
        host.physical_device = context().physical().handle;
        host.device = context().device();
        host.queue = context().queue();
        host.queue_family = context().physical().queue_family;
        host.features = context().physical().features;
        return host;
    }
    [[nodiscard]] static ContextOptions options() {
        ContextOptions options;
        options.disk_cache = false;
        return options;
    }

private:
    std::shared_ptr<vk::Library> library_ = vk::Library::open();
};

TEST_P(HostDevices, RunPlansAndOutliveTheContext) {
    for (int i = 0; i < 2; ++i) {
        Context shared(host(), options());
        Session session(shared);
        const Compiled compiled(small_network(21, 13), shared.facts());
        compiled.activate(session);
        expect_near(compiled.run(session), compiled.expected(), fp32_tolerance);
    }
    Session own(context());
    const Compiled compiled(small_network(9, 7), context().facts());
    compiled.activate(own);
    expect_near(compiled.run(own), compiled.expected(), fp32_tolerance);
}

TEST_P(HostDevices, WithNothingEnabledStillRunEveryPrecision) {
    HostDevice bare = host();
    bare.features = {};
    bare.api_version = VK_API_VERSION_1_1;
    Context shared(bare, options());
    EXPECT_FALSE(shared.facts().buffer_device_address || shared.facts().fp16_storage);
    EXPECT_EQ(shared.table().GetBufferDeviceAddress, nullptr);
    Session session(shared);
    const Compiled full(small_network(21, 13), shared.facts());
    full.activate(session);
    expect_near(full.run(session), full.expected(), fp32_tolerance);
    const Compiled half(small_network(21, 13), shared.facts(), test::half_precision);
    half.activate(session);
    expect_near(half.run(session), half.expected(), 1.0f);
}

TEST_P(HostDevices, AQueueFamilyThatIsNotThereIsRefused) {
    HostDevice wrong = host();
    wrong.queue_family = 99;
    EXPECT_EQ(test::error_of([&] { Context shared(wrong, options()); }),
              "queue family 99 of device '" + context().facts().name + "' does not compute");
}

INSTANTIATE_TEST_SUITE_P(, HostDevices, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
