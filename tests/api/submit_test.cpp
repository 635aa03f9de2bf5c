#include "tests/api/door_host.hpp"

namespace vkseg::test {
namespace {

class DoorSubmit : public Door {
protected:
    [[nodiscard]] vk::Owned<VkFence> make_fence() const {
        const Context& device = context();
        const VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
        VkFence fence = VK_NULL_HANDLE;
        vk::check(device.table().CreateFence(device.device(), &info, nullptr, &fence), "make a fence");
        return {device.device(), fence, device.table().DestroyFence};
    }
    void wait(VkFence fence) const {
        const Context& device = context();
        vk::check(device.table().WaitForFences(device.device(), 1, &fence, VK_TRUE, UINT64_MAX), "wait");
        vk::check(device.table().ResetFences(device.device(), 1, &fence), "reset");
    }
};

TEST_P(DoorSubmit, OwnCommandBuffersGiveTheSameThroughTheHostsCallback) {
    static int submissions;
    submissions = 0;
    vkseg_context_desc desc = host().context_desc();
    desc.user = &context();
    desc.submit = [](void* user, VkQueue queue, const VkSubmitInfo* info, VkFence fence) {
        ++submissions;
        return static_cast<const Context*>(user)->table().QueueSubmit(queue, 1, info, fence);
    };
    vkseg_context* made = nullptr;
    ASSERT_EQ(vkseg_context_create(&desc, &made), VKSEG_SUCCESS) << vkseg_last_error();
    const ContextHandle context(made);
    const auto expected = standalone(made, model(), small_desc(VKSEG_HOST_MEMORY, 31), noise_picture());
    submissions = 0;

    // Nothing is prepared: the first submission does what is missing.
    Frame frame(host(), made, model(), small_desc(VKSEG_IMAGE, 31), noise_picture(), false);
    const auto fence = make_fence();
    vkseg_submit_desc submit{};
    submit.struct_size = sizeof submit;
    submit.record = &frame.record_desc();
    submit.fence = fence.get();
    frame.record_desc().max_steps = 5;
    vkseg_progress progress{};
    progress.struct_size = sizeof progress;
    int slices = 0;
    do {
        ASSERT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, &progress), VKSEG_SUCCESS) << vkseg_last_error();
        wait(fence.get());
        for (auto& resource : frame.record_desc().output)
            if (resource.image != VK_NULL_HANDLE) resource.before = resource.after;
        frame.record_desc().slot ^= 1;
        ++slices;
    } while (progress.finished == 0 && slices < 100);
    EXPECT_GT(slices, 1);
    EXPECT_EQ(submissions, slices);
    EXPECT_EQ(frame.results(), expected);
}

TEST_P(DoorSubmit, WaitsForAndSignalsSemaphores) {
    const Context& device = context();
    const auto load = [&](const char* name) {
        return device.instance_table().GetDeviceProcAddr(device.device(), name);
    };
    const auto create = reinterpret_cast<PFN_vkCreateSemaphore>(load("vkCreateSemaphore"));
    const auto destroy = reinterpret_cast<PFN_vkDestroySemaphore>(load("vkDestroySemaphore"));
    const VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    ASSERT_EQ(create(device.device(), &info, nullptr, &semaphore), VK_SUCCESS);
    const vk::Owned<VkSemaphore> owned(device.device(), semaphore, destroy);

    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 31), noise_picture());
    const auto first = make_fence(), second = make_fence();
    vkseg_submit_desc submit{};
    submit.struct_size = sizeof submit;
    submit.record = &frame.record_desc();
    submit.signal_count = 1;
    submit.signal_semaphores = &semaphore;
    submit.fence = first.get();
    ASSERT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    submit.signal_count = 0;
    submit.wait_count = 1;
    submit.wait_semaphores = &semaphore;
    submit.wait_stages = &stage;
    submit.fence = second.get();
    frame.record_desc().slot = 1;
    ASSERT_EQ(vkseg_segmenter_submit(frame.segmenter(), &submit, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
    wait(first.get());
    wait(second.get());
    EXPECT_EQ(frame.results(), standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, 31), noise_picture()));
}

INSTANTIATE_TEST_SUITE_P(, DoorSubmit, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
