#include "apps/simulator/gpu/resources.hpp"

#include "runtime/vk/check.hpp"

namespace vkseg::sim {

namespace {

Owned<VkDeviceMemory> allocate(const Gpu& gpu, const VkMemoryRequirements& needs, VkMemoryPropertyFlags wanted,
                               VkMemoryPropertyFlags fallback) {
    VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
    info.allocationSize = needs.size;
    info.memoryTypeIndex = gpu.memory_type(needs.memoryTypeBits, wanted, fallback);
    return make_owned(gpu, vkAllocateMemory, vkFreeMemory, info, "allocate memory");
}

}  // namespace

void expect(VkResult result, const char* what) {
    vk::check(result, what);
}

Buffer::Buffer(const Gpu& gpu, VkDeviceSize size_bytes, VkBufferUsageFlags usage, Use use) : size_bytes_(size_bytes) {
    VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = size_bytes;
    info.usage = usage;
    buffer_ = make_owned(gpu, vkCreateBuffer, vkDestroyBuffer, info, "make a buffer");
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(gpu.device(), buffer_.get(), &needs);
    constexpr VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (use == Use::Device)
        memory_ = allocate(gpu, needs, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0);
    else
        memory_ = allocate(gpu, needs, use == Use::Download ? host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT : host, host);
    expect(vkBindBufferMemory(gpu.device(), buffer_.get(), memory_.get(), 0), "bind a buffer");
    if (use != Use::Device) {
        void* mapped = nullptr;
        expect(vkMapMemory(gpu.device(), memory_.get(), 0, VK_WHOLE_SIZE, 0, &mapped), "map a buffer");
        mapped_ = static_cast<uint8_t*>(mapped);
    }
}

Image::Image(const Gpu& gpu, VkFormat format, VkExtent2D size, VkImageUsageFlags usage, VkSampleCountFlagBits samples) {
    VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = format;
    info.extent = {size.width, size.height, 1};
    info.mipLevels = info.arrayLayers = 1;
    info.samples = samples;
    info.usage = usage;
    image_ = make_owned(gpu, vkCreateImage, vkDestroyImage, info, "make an image");
    VkMemoryRequirements needs;
    vkGetImageMemoryRequirements(gpu.device(), image_.get(), &needs);
    memory_ = allocate(gpu, needs, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0);
    expect(vkBindImageMemory(gpu.device(), image_.get(), memory_.get(), 0), "bind an image");
    const bool depth = (usage & VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT) != 0;
    constexpr VkImageUsageFlags seen =
        VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
    if ((usage & seen) == 0) return;
    VkImageViewCreateInfo view{VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
    view.image = image_.get();
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = format;
    view.subresourceRange = {depth ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    view_ = make_owned(gpu, vkCreateImageView, vkDestroyImageView, view, "make a view");
}

void image_barrier(VkCommandBuffer commands, VkImage image, const ImageUse& before, const ImageUse& after) {
    VkImageMemoryBarrier barrier{VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
    barrier.srcAccessMask = before.access;
    barrier.dstAccessMask = after.access;
    barrier.oldLayout = before.layout;
    barrier.newLayout = after.layout;
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    vkCmdPipelineBarrier(commands, before.stages, after.stages, 0, 0, nullptr, 0, nullptr, 1, &barrier);
}

void host_barrier(VkCommandBuffer commands, VkPipelineStageFlags stages, VkAccessFlags access) {
    VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    barrier.srcAccessMask = access;
    barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    vkCmdPipelineBarrier(commands, stages, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

VkBufferImageCopy whole_image(VkExtent2D size) {
    VkBufferImageCopy copy{};
    copy.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    copy.imageExtent = {size.width, size.height, 1};
    return copy;
}

Owned<VkShaderModule> make_shader(const Gpu& gpu, std::span<const uint32_t> words) {
    VkShaderModuleCreateInfo info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    info.codeSize = words.size_bytes();
    info.pCode = words.data();
    return make_owned(gpu, vkCreateShaderModule, vkDestroyShaderModule, info, "make a shader");
}

Submissions::Submissions(const Gpu& gpu, uint32_t slots) : gpu_(gpu), commands_(slots) {
    VkCommandPoolCreateInfo pool{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool.queueFamilyIndex = gpu.queue_family();
    pool_ = make_owned(gpu, vkCreateCommandPool, vkDestroyCommandPool, pool, "make a command pool");
    VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = pool_.get();
    info.commandBufferCount = slots;
    expect(vkAllocateCommandBuffers(gpu.device(), &info, commands_.data()), "allocate command buffers");
    VkFenceCreateInfo fence{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    fence.flags = VK_FENCE_CREATE_SIGNALED_BIT;
    for (uint32_t i = 0; i < slots; ++i)
        fences_.push_back(make_owned(gpu, vkCreateFence, vkDestroyFence, fence, "make a fence"));
}

VkCommandBuffer Submissions::begin(uint32_t slot) {
    wait(slot);
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    expect(vkBeginCommandBuffer(commands_[slot], &begin), "begin a command buffer");
    return commands_[slot];
}

void Submissions::submit(uint32_t slot, VkQueue queue, const VkSubmitInfo* semaphores) {
    expect(vkEndCommandBuffer(commands_[slot]), "end a command buffer");
    VkSubmitInfo info = semaphores != nullptr ? *semaphores : VkSubmitInfo{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands_[slot];
    const VkFence fence = fences_[slot].get();
    expect(vkResetFences(gpu_.device(), 1, &fence), "reset a fence");
    expect(vkQueueSubmit(queue, 1, &info, fence), "submit a frame");
}

bool Submissions::is_through(uint32_t slot) const {
    return vkGetFenceStatus(gpu_.device(), fences_[slot].get()) == VK_SUCCESS;
}

void Submissions::wait(uint32_t slot) const {
    const VkFence fence = fences_[slot].get();
    expect(vkWaitForFences(gpu_.device(), 1, &fence, VK_TRUE, UINT64_MAX), "wait for a frame");
}

}  // namespace vkseg::sim
