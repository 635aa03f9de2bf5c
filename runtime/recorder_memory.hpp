#pragma once

#include "runtime/recording.hpp"
#include "runtime/vk/buffer.hpp"

#include <string>

namespace vkseg {

/// What memory must be like to hold a region.
struct MemoryNeeds {
    uint64_t size_bytes = 0;
    uint64_t alignment_bytes = 0;
    uint32_t memory_type_bits = 0;
    /// Of a buffer that the host gives.
    VkBufferUsageFlags usage = 0;
    bool device_address = false;
};

/// Memory from the host: a buffer, or memory that a buffer is made on; neither: the region allocates.
struct MemoryGrant {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    uint64_t offset_bytes = 0;
};

/// One region of a recorder's memory: its needs before anything is allocated, then the range that it was given.
class MemoryRegion {
public:
    /// Makes a buffer to learn what it needs. Throws `OutOfMemory`.
    MemoryRegion(const Context& context, std::string name, uint64_t size_bytes, VkBufferUsageFlags usage);

    [[nodiscard]] const MemoryNeeds& needs() const { return needs_; }
    [[nodiscard]] bool bound() const { return range_.buffer != VK_NULL_HANDLE; }
    /// Throws `Error` when the offset is not aligned, `OutOfMemory` when there is none to allocate.
    void bind(const MemoryGrant& grant);
    [[nodiscard]] const BufferRange& range() const { return range_; }

private:
    const Context& context_;
    std::string name_;
    MemoryNeeds needs_;
    vk::Owned<VkBuffer> buffer_;
    vk::Buffer own_;
    BufferRange range_;
};

}  // namespace vkseg
