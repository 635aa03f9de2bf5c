#pragma once

#include "apps/simulator/gpu/gpu.hpp"
#include "runtime/vk/owned.hpp"

#include <span>

namespace vkseg::sim {

using vk::Owned;

/// A buffer with memory of its own, mapped where the host may see it.
class Buffer {
public:
    enum class Use { Device, Upload, Download };

    Buffer() = default;
    Buffer(const Gpu& gpu, VkDeviceSize size_bytes, VkBufferUsageFlags usage, Use use);

    [[nodiscard]] VkBuffer get() const { return buffer_.get(); }
    [[nodiscard]] VkDeviceSize size_bytes() const { return size_bytes_; }
    [[nodiscard]] uint8_t* mapped() const { return mapped_; }

private:
    Owned<VkDeviceMemory> memory_;
    Owned<VkBuffer> buffer_;
    VkDeviceSize size_bytes_ = 0;
    uint8_t* mapped_ = nullptr;
};

/// A 2D image of one level with memory and a view.
class Image {
public:
    Image() = default;
    Image(const Gpu& gpu, VkFormat format, VkExtent2D size, VkImageUsageFlags usage,
          VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT);

    [[nodiscard]] VkImage get() const { return image_.get(); }
    [[nodiscard]] VkImageView view() const { return view_.get(); }

private:
    Owned<VkDeviceMemory> memory_;
    Owned<VkImage> image_;
    Owned<VkImageView> view_;
};

struct ImageUse {
    VkPipelineStageFlags stages;
    VkAccessFlags access;
    VkImageLayout layout;
};

void image_barrier(VkCommandBuffer commands, VkImage image, const ImageUse& before, const ImageUse& after);
/// Writes of `stages` become visible to the host once a fence says so.
void host_barrier(VkCommandBuffer commands, VkPipelineStageFlags stages, VkAccessFlags access);
[[nodiscard]] VkBufferImageCopy whole_image(VkExtent2D size);

void expect(VkResult result, const char* what);

/// `make_owned(gpu, vkCreateSampler, vkDestroySampler, info, "make a sampler")`
template <typename Handle, typename Info>
[[nodiscard]] Owned<Handle> make_owned(
    const Gpu& gpu, VkResult(VKAPI_PTR* create)(VkDevice, const Info*, const VkAllocationCallbacks*, Handle*),
    void(VKAPI_PTR* destroy)(VkDevice, Handle, const VkAllocationCallbacks*), const Info& info, const char* what) {
    Handle handle = VK_NULL_HANDLE;
    expect(create(gpu.device(), &info, nullptr, &handle), what);
    return {gpu.device(), handle, destroy};
}

[[nodiscard]] Owned<VkShaderModule> make_shader(const Gpu& gpu, std::span<const uint32_t> words);

/// Command buffers that are recorded anew for each frame, one to a slot, with the fence that says when one is through.
class Submissions {
public:
    Submissions(const Gpu& gpu, uint32_t slots);

    /// Waits until what was submitted with the slot is through, and begins anew.
    [[nodiscard]] VkCommandBuffer begin(uint32_t slot);
    void submit(uint32_t slot, VkQueue queue, const VkSubmitInfo* semaphores = nullptr);
    void wait(uint32_t slot) const;
    [[nodiscard]] bool is_through(uint32_t slot) const;

private:
    const Gpu& gpu_;
    Owned<VkCommandPool> pool_;
    std::vector<VkCommandBuffer> commands_;
    std::vector<Owned<VkFence>> fences_;
};

}  // namespace vkseg::sim
