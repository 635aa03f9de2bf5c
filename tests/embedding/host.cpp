// A graphics host in C++17: it draws a frame of its own each time, while the network advances by one step a frame in
// the same command buffer. The mask must be that of a recording in one piece, bit by bit.
#include "vulkan_host.h"

#include <vkseg/vkseg.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace seg = vkseg::v1;

namespace {

constexpr vkseg_sync sampled{VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT,
                             VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL, VK_FALSE, 0};
constexpr vkseg_sync copies{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                            VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_FALSE, 0};

struct Worst {
    double cpu_ms = 0, gpu_ms = 0;
};

/// Two frames in flight, each with a command buffer, a fence and two timestamps.
class Frames {
public:
    static constexpr std::uint32_t slots = 2;

    explicit Frames(Host& host)
        : host_(host), target_(host_image(&host, VK_FORMAT_R8G8B8A8_UNORM, 640, 360, VK_IMAGE_USAGE_TRANSFER_DST_BIT)) {
        const VkFenceCreateInfo fence{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, nullptr, VK_FENCE_CREATE_SIGNALED_BIT};
        for (VkFence& each : fences_) CHECK(vkCreateFence(host.device, &fence, nullptr, &each));
        VkQueryPoolCreateInfo queries{VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
        queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
        queries.queryCount = 2 * slots;
        CHECK(vkCreateQueryPool(host.device, &queries, nullptr, &queries_));
    }
    Frames(const Frames&) = delete;
    Frames& operator=(const Frames&) = delete;
    ~Frames() {
        for (VkFence fence : fences_) vkDestroyFence(host_.device, fence, nullptr);
        vkDestroyQueryPool(host_.device, queries_, nullptr);
        host_free_image(&host_, target_);
    }

    /// Draws one frame, in which `record(commands, slot)` may record something more.
    template <typename Record>
    void draw(Record record) {
        const std::uint32_t slot = next_++ % slots;
        wait(slot);
        CHECK(vkResetFences(host_.device, 1, &fences_[slot]));
        const auto start = std::chrono::steady_clock::now();
        const VkCommandBuffer commands = commands_[slot] = host_begin(&host_, commands_[slot]);
        vkCmdResetQueryPool(commands, queries_, 2 * slot, 2);
        vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queries_, 2 * slot);
        host_image_barrier(commands, target_.handle, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                           VK_ACCESS_TRANSFER_WRITE_BIT);
        const VkClearColorValue colour{{static_cast<float>(next_ % 100) * 0.01f, 0.4f, 0.8f, 1.0f}};
        const VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        vkCmdClearColorImage(commands, target_.handle, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1, &whole);
        record(commands, slot);
        vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, 2 * slot + 1);
        host_submit(&host_, commands, fences_[slot]);
        submitted_[slot] = true;
        const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - start;
        worst_.cpu_ms = std::max(worst_.cpu_ms, passed.count());
    }

    /// Waits for all frames; the worst since the last call.
    Worst finish() {
        for (std::uint32_t slot = 0; slot < slots; ++slot) wait(slot);
        return std::exchange(worst_, {});
    }

private:
    void wait(std::uint32_t slot) {
        CHECK(vkWaitForFences(host_.device, 1, &fences_[slot], VK_TRUE, UINT64_MAX));
        std::uint64_t ticks[2] = {};
        if (std::exchange(submitted_[slot], false))
            CHECK(vkGetQueryPoolResults(host_.device, queries_, 2 * slot, 2, sizeof ticks, ticks, sizeof ticks[0],
                                        VK_QUERY_RESULT_64_BIT));
        const float period_ms = host_.properties.limits.timestampPeriod * 1e-6f;
        worst_.gpu_ms = std::max(worst_.gpu_ms, static_cast<double>(ticks[1] - ticks[0]) * period_ms);
    }

    Host& host_;
    Image target_;
    std::array<VkCommandBuffer, slots> commands_{};
    std::array<VkFence, slots> fences_{};
    std::array<bool, slots> submitted_{};
    VkQueryPool queries_ = VK_NULL_HANDLE;
    std::uint32_t next_ = 0;
    Worst worst_;
};

int segment(Host& host, const char* model_path, const char* picture_path) {
    std::uint32_t width = 0, height = 0;
    std::uint8_t* rgba = read_ppm(picture_path, &width, &height);
    const std::size_t pixels = std::size_t{width} * height;
    Buffer staging = host_buffer(&host, pixels * 4, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    Buffer mask = host_buffer(&host, pixels, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    Image camera = host_image(&host, VK_FORMAT_R8G8B8A8_UNORM, width, height,
                              VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    Image labels = host_image(&host, VK_FORMAT_R8_UINT, width, height,
                              VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    std::copy(rgba, rgba + pixels * 4, staging.bytes);
    free(rgba);

    seg::ContextDesc device;
    device.get_instance_proc_addr = vkGetInstanceProcAddr;
    device.instance = host.instance;
    device.api_version = VK_API_VERSION_1_2;
    device.physical_device = host.physical;
    device.device = host.device;
    device.queue_family = host.family;
    seg::Context context(device);
    seg::SegmenterDesc wanted;
    wanted.picture_width = width;
    wanted.picture_height = height;
    wanted.picture_format = VK_FORMAT_R8G8B8A8_UNORM;
    wanted.frame_slots = Frames::slots;
    seg::Segmenter segmenter(context, seg::Model(model_path), wanted);
    segmenter.prepare([](std::uint32_t done, std::uint32_t total) { return done <= total; });

    // The picture, the set-up and a mask in one piece, off the frame.
    const VkBufferImageCopy whole = host_whole_image(width, height);
    seg::RecordDesc frame;
    frame.picture.image = camera.handle;
    frame.picture.view = camera.view;
    frame.picture.before = frame.picture.after = sampled;
    frame.output[VKSEG_LABELS].image = labels.handle;
    frame.output[VKSEG_LABELS].after = copies;
    const auto copy_mask = [&](VkCommandBuffer commands) {
        vkCmdCopyImageToBuffer(commands, labels.handle, copies.layout, mask.handle, 1, &whole);
        host_read_barrier(commands);
    };
    const VkCommandBuffer once = host_begin(&host, VK_NULL_HANDLE);
    host_image_barrier(once, camera.handle, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                       VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0, VK_PIPELINE_STAGE_TRANSFER_BIT,
                       VK_ACCESS_TRANSFER_WRITE_BIT);
    vkCmdCopyBufferToImage(once, staging.handle, camera.handle, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &whole);
    host_image_barrier(once, camera.handle, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, sampled.layout,
                       VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, sampled.stages, sampled.access);
    segmenter.record_setup(once);
    segmenter.record(once, frame);
    copy_mask(once);
    host_submit(&host, once, VK_NULL_HANDLE);
    CHECK(vkQueueWaitIdle(host.queue));
    segmenter.finish_setup();
    const std::vector<std::uint8_t> expected(mask.bytes, mask.bytes + pixels);

    Frames frames(host);
    const std::uint32_t steps = segmenter.info().step_count;
    for (std::uint32_t i = 0; i < steps; ++i) frames.draw([](VkCommandBuffer, std::uint32_t) {});
    const Worst without = frames.finish();
    // The labels stay in the layout of the copy; only the first slice of a mask samples the camera.
    frame.output[VKSEG_LABELS].before = copies;
    bool equal = true, finished = false;
    for (const std::uint32_t budget_us : {0, 2000}) {
        std::fill(mask.bytes, mask.bytes + pixels, std::uint8_t{255});
        frame.max_steps = budget_us == 0 ? 1 : 0;
        frame.budget_us = budget_us;
        std::uint32_t count = 0;
        for (finished = false; !finished && count < 100 * steps; ++count)
            frames.draw([&](VkCommandBuffer commands, std::uint32_t slot) {
                frame.slot = slot;
                finished = segmenter.record(commands, frame).finished == VK_TRUE;
                if (finished) copy_mask(commands);
            });
        const Worst with = frames.finish();
        equal = equal && finished && std::equal(expected.begin(), expected.end(), mask.bytes);
        printf("%s a frame: a mask of %ux%u in %u frames; worst %.2f ms CPU, %.2f ms GPU; without %.2f, %.2f\n",
               budget_us == 0 ? "a step" : "2 ms", width, height, count, with.cpu_ms, with.gpu_ms, without.cpu_ms,
               without.gpu_ms);
    }
    if (!equal) fprintf(stderr, "a mask in slices differs from the mask in one piece\n");
    host_free_image(&host, labels);
    host_free_image(&host, camera);
    host_free_buffer(&host, mask);
    host_free_buffer(&host, staging);
    return equal ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return fprintf(stderr, "usage: %s MODEL DEVICE PICTURE.ppm\n", argv[0]), 2;
    Host host;
    host_open(&host, argv[2]);
    int result = 1;
    try {
        result = segment(host, argv[1], argv[3]);
    } catch (const seg::Error& error) {
        fprintf(stderr, "%s: %s\n", vkseg_result_name(error.code()), error.what());
    }
    return host_close(&host) | result;
}
