#include "tests/api/door_host.hpp"

// A function that fails has changed nothing.

namespace vkseg::test {
namespace {

TEST_P(Door, ARefusedSubmissionLeavesTheSetUpToTheNext) {
    const auto context = host().make_context();
    const std::vector<uint8_t> picture = noise_picture();
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, 1), picture);
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 1), picture, false);
    const vkseg_submit_desc submit = [&] {
        vkseg_submit_desc desc{};
        desc.struct_size = sizeof desc;
        desc.record = &frame.record_desc();
        return desc;
    }();
    const VkBuffer buffer = std::exchange(frame.record_desc().picture.buffer, VK_NULL_HANDLE);
    EXPECT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_ERROR_INVALID_ARGUMENT);
    frame.record_desc().picture.buffer = buffer;
    EXPECT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
    const Context& device = host().device();
    EXPECT_EQ(device.table().DeviceWaitIdle(device.device()), VK_SUCCESS);
    EXPECT_EQ(frame.results(), expected);
}

TEST_P(Door, ARecordingThatCannotReportItsProgressRecordsNothing) {
    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 1), noise_picture());
    frame.record_desc().max_steps = 1;
    host().run([&](VkCommandBuffer commands) {
        vkseg_progress progress{};  // without struct_size
        EXPECT_EQ(vkseg_segmenter_record(frame.segmenter(), commands, &frame.record_desc(), &progress),
                  VKSEG_ERROR_INVALID_ARGUMENT);
    });
    EXPECT_EQ(frame.advance().first_step, 0u);
}

/// Takes submissions as a host that batches them does, or refuses them.
struct Batch {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkResult answer = VK_SUCCESS;
    static VkResult take(void* user, VkQueue, const VkSubmitInfo* info, VkFence) {
        auto& batch = *static_cast<Batch*>(user);
        batch.commands = info->pCommandBuffers[0];
        return batch.answer;
    }
};

TEST_P(Door, ASlotThatIsInUseKeepsItsCommands) {
    Batch batch;
    vkseg_context_desc desc = host().context_desc();
    desc.flags = VKSEG_CONTEXT_CHECKED;
    desc.submit = Batch::take;
    desc.user = &batch;
    vkseg_context* made = nullptr;
    ASSERT_EQ(vkseg_context_create(&desc, &made), VKSEG_SUCCESS) << vkseg_last_error();
    const ContextHandle batching(made), plain = host().make_context();
    const std::vector<uint8_t> picture = noise_picture();
    Frame frame(host(), batching.get(), model(), small_desc(VKSEG_BUFFER, 1), picture, false);
    vkseg_submit_desc submit{};
    submit.struct_size = sizeof submit;
    submit.record = &frame.record_desc();

    // A submission that fails gives slot and set-up back.
    batch.answer = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    EXPECT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_ERROR_OUT_OF_DEVICE_MEMORY);
    batch.answer = VK_SUCCESS;
    EXPECT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
    const VkCommandBuffer first = batch.commands;
    EXPECT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_ERROR_SLOT_IN_USE);

    const Context& device = host().device();
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &first;
    EXPECT_EQ(device.table().QueueSubmit(device.queue(), 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(device.table().DeviceWaitIdle(device.device()), VK_SUCCESS);
    EXPECT_EQ(frame.results(), standalone(plain.get(), model(), small_desc(VKSEG_HOST_MEMORY, 1), picture));
}

}  // namespace
}  // namespace vkseg::test
