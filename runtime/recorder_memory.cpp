#include "runtime/recorder_memory.hpp"

#include "runtime/context.hpp"

#include <algorithm>

namespace vkseg {

namespace {

/// Enough for storage buffers, texel buffers and vec4s on every device (the largest limit that Vulkan allows).
constexpr uint64_t region_alignment_bytes = 256;

}  // namespace

MemoryRegion::MemoryRegion(const Context& context, std::string name, uint64_t size_bytes, VkBufferUsageFlags usage)
    : context_(context), name_(std::move(name)) {
    const bool addressed = context.facts().buffer_device_address;
    if (addressed) usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
    VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = size_bytes;
    info.usage = usage;
    VkBuffer handle = VK_NULL_HANDLE;
    vk::check(context.table().CreateBuffer(context.device(), &info, nullptr, &handle), "make a buffer for " + name_);
    buffer_ = {context.device(), handle, context.table().DestroyBuffer};
    context.name_object(VK_OBJECT_TYPE_BUFFER, handle, name_);
    VkMemoryRequirements found{};
    context.table().GetBufferMemoryRequirements(context.device(), handle, &found);
    needs_ = {found.size, std::max(found.alignment, region_alignment_bytes), found.memoryTypeBits, usage, addressed};
    range_.size_bytes = size_bytes;
}

void MemoryRegion::bind(const MemoryGrant& grant) {
    if (grant.offset_bytes % needs_.alignment_bytes != 0)
        throw error("the offset of the memory for {} is {}, expected a multiple of {}", name_, grant.offset_bytes,
                    needs_.alignment_bytes);
    VkBuffer buffer = grant.buffer;
    uint64_t offset = grant.offset_bytes;
    if (buffer == VK_NULL_HANDLE && grant.memory == VK_NULL_HANDLE) {
        own_ = vk::Buffer(context_, name_, range_.size_bytes, needs_.usage, vk::MemoryUse::Device);
        buffer_ = {};
        buffer = own_.get();
        offset = 0;
    } else if (buffer == VK_NULL_HANDLE) {
        vk::check(context_.table().BindBufferMemory(context_.device(), buffer_.get(), grant.memory, grant.offset_bytes),
                  "use the host's memory for " + name_);
        buffer = buffer_.get();
        offset = 0;
    }
    uint64_t address = 0;
    if (needs_.device_address) {
        VkBufferDeviceAddressInfo info{VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
        info.buffer = buffer;
        address = context_.table().GetBufferDeviceAddress(context_.device(), &info) + offset;
    }
    range_ = {buffer, offset, range_.size_bytes, address};
}

}  // namespace vkseg
