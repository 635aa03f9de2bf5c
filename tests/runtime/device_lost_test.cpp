#include "tests/runtime/environment.hpp"
#include "tests/runtime/expect_contains.hpp"
#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <limits>

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_contains;
using test::ScopedVariable;
using test::small_network;

/// A device that is lost when it should be. One at a time.
struct Lossy {
    static inline PFN_vkWaitForFences wait = nullptr;
    static inline PFN_vkQueueSubmit submit = nullptr;
    static inline PFN_vkCmdFillBuffer fill = nullptr;
    static inline bool loses_submit = false, loses_wait = false;
    /// Marks of dispatches from this one on never arrive.
    static inline VkDeviceSize first_lost = std::numeric_limits<VkDeviceSize>::max();
    static inline int markers = 0;
    static inline std::vector<uintptr_t> checkpoints;

    static VKAPI_ATTR VkResult VKAPI_CALL lose_wait(VkDevice device, uint32_t count, const VkFence* fences,
                                                    VkBool32 all, uint64_t timeout) {
        const VkResult result = wait(device, count, fences, all, timeout);
        return loses_wait ? VK_ERROR_DEVICE_LOST : result;
    }
    static VKAPI_ATTR VkResult VKAPI_CALL lose_submit(VkQueue queue, uint32_t count, const VkSubmitInfo* submits,
                                                      VkFence fence) {
        return loses_submit ? VK_ERROR_DEVICE_LOST : submit(queue, count, submits, fence);
    }
    static VKAPI_ATTR void VKAPI_CALL lose_fill(VkCommandBuffer commands, VkBuffer buffer, VkDeviceSize offset,
                                                VkDeviceSize size, uint32_t data) {
        const bool is_mark = size == sizeof(uint32_t);
        if (!is_mark || offset / sizeof(uint32_t) < first_lost) fill(commands, buffer, offset, size, data);
    }
    static VKAPI_ATTR void VKAPI_CALL write_marker(VkCommandBuffer commands, VkPipelineStageFlagBits, VkBuffer buffer,
                                                   VkDeviceSize offset, uint32_t marker) {
        ++markers;
        lose_fill(commands, buffer, offset, sizeof(uint32_t), marker);
    }
    static VKAPI_ATTR void VKAPI_CALL set_checkpoint(VkCommandBuffer, const void* marker) {
        checkpoints.push_back(reinterpret_cast<uintptr_t>(marker));
    }
    /// The first and the second dispatch: one has passed the end of the pipeline, one its top.
    static VKAPI_ATTR void VKAPI_CALL get_checkpoints(VkQueue, uint32_t* count, VkCheckpointDataNV* data) {
        *count = 2;
        if (data == nullptr) return;
        data[0].pCheckpointMarker = reinterpret_cast<void*>(checkpoints[1]);
        data[1].pCheckpointMarker = reinterpret_cast<void*>(checkpoints[0]);
    }
    static void install(vk::DeviceTable& table) {
        wait = std::exchange(table.WaitForFences, lose_wait);
        submit = std::exchange(table.QueueSubmit, lose_submit);
        fill = std::exchange(table.CmdFillBuffer, lose_fill);
    }
};

class Loss : public test::EachDriver {
protected:
    void SetUp() override {
        EachDriver::SetUp();
        if (IsSkipped()) return;
        Lossy::loses_submit = Lossy::loses_wait = false;
        Lossy::first_lost = std::numeric_limits<VkDeviceSize>::max();
        Lossy::markers = 0;
        Lossy::checkpoints.clear();
    }
    [[nodiscard]] std::unique_ptr<Context> open(BreadcrumbMode mode = BreadcrumbMode::Always,
                                                void (*install)(vk::DeviceTable&) = Lossy::install) const {
        ContextOptions options;
        options.device = driver().device;
        options.disk_cache = false;
        options.breadcrumbs = mode;
        options.intercept = install;
        return std::make_unique<Context>(options);
    }
    /// What a run says when the device is lost while it waits.
    [[nodiscard]] static std::string loss(Context& lossy) {
        Session session(lossy);
        const Compiled compiled(small_network(21, 13), lossy.facts());
        compiled.activate(session);
        session.run();
        Lossy::loses_wait = true;
        return error_of(session);
    }
    [[nodiscard]] static std::string error_of(Session& session) {
        try {
            session.run();
        } catch (const DeviceLost& lost) {
            return lost.what();
        }
        ADD_FAILURE() << "no DeviceLost thrown";
        return "";
    }
};

/// Without vendor extensions, so that the fill is used.
void install_fills(vk::DeviceTable& table) {
    Lossy::install(table);
    table.CmdWriteBufferMarkerAMD = nullptr;
    table.CmdSetCheckpointNV = nullptr;
}

TEST_P(Loss, NamesTheDeviceAndTheLastLayerBegun) {
    const auto lossy = open(BreadcrumbMode::Always, install_fills);
    const Compiled compiled(small_network(21, 13), lossy->facts());
    std::vector<const Dispatch*> dispatches;
    for (const Step& step : compiled.plan->steps)
        for (const Dispatch& dispatch : step.dispatches) dispatches.push_back(&dispatch);
    for (size_t i = 0; i < dispatches.size(); ++i) {
        Lossy::first_lost = i + 1;
        Lossy::loses_wait = false;
        const std::string text = loss(*lossy);
        expect_contains(text, "the device '" + lossy->facts().name + "' was lost; the last layer begun was '" +
                                  dispatches[i]->label + "' (" + to_string(dispatches[i]->shader) + ")");
        expect_contains(text, "VK_ERROR_DEVICE_LOST");
    }
}

TEST_P(Loss, BeforeAnythingBeganNamesNone) {
    const auto lossy = open();
    Session session(*lossy);
    const Compiled compiled(small_network(21, 13), lossy->facts());
    compiled.activate(session);
    session.run();
    Lossy::loses_submit = true;
    if (lossy->table().CmdSetCheckpointNV == nullptr) {
        expect_contains(error_of(session), "the last layer begun was none");
    }
}

TEST_P(Loss, IsNamedWhileProfilingToo) {
    const auto lossy = open(BreadcrumbMode::Always, install_fills);
    if (!lossy->facts().timestamps) GTEST_SKIP() << "no timestamps";
    Session session(*lossy);
    const Compiled compiled(small_network(21, 13), lossy->facts());
    compiled.activate(session);
    Lossy::loses_wait = true;
    EXPECT_THROW(static_cast<void>(session.profile()), DeviceLost);
}

TEST_P(Loss, WithoutBreadcrumbsSaysHowToGetThem) {
    const auto lossy = open(BreadcrumbMode::Off);
    expect_contains(loss(*lossy), "the last layer begun is unknown; VKSEG_BREADCRUMBS=1 makes it known");
}

TEST_P(Loss, TheEnvironmentDecidesAboutBreadcrumbs) {
    {
        const ScopedVariable off("VKSEG_BREADCRUMBS", "0");
        EXPECT_EQ(open(BreadcrumbMode::Always)->options().breadcrumbs, BreadcrumbMode::Off);
    }
    const ScopedVariable on("VKSEG_BREADCRUMBS", "1");
    EXPECT_EQ(open(BreadcrumbMode::Off)->options().breadcrumbs, BreadcrumbMode::Always);
}

TEST_P(Loss, BufferMarkersAreUsedWhereTheyExist) {
    const auto lossy = open(BreadcrumbMode::Auto, [](vk::DeviceTable& table) {
        install_fills(table);
        table.CmdWriteBufferMarkerAMD = Lossy::write_marker;
    });
    Lossy::first_lost = 1;
    expect_contains(loss(*lossy), "the last layer begun was 'image'");
    EXPECT_GT(Lossy::markers, 1);
}

TEST_P(Loss, CheckpointsAreUsedWhereTheyExist) {
    const auto lossy = open(BreadcrumbMode::Auto, [](vk::DeviceTable& table) {
        install_fills(table);
        table.CmdSetCheckpointNV = Lossy::set_checkpoint;
        table.GetQueueCheckpointDataNV = Lossy::get_checkpoints;
    });
    const Compiled compiled(small_network(21, 13), lossy->facts());
    expect_contains(loss(*lossy), "the last layer begun was '" + compiled.plan->steps[1].dispatches[0].label + "'");
}

INSTANTIATE_TEST_SUITE_P(, Loss, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
