#pragma once

#include "runtime/vk/owned.hpp"

#include <span>
#include <string_view>

namespace vkseg {
class Context;
}

namespace vkseg::vk {

/// Who touches a buffer decides where its memory is.
enum class MemoryUse {
    /// The device alone; visible to the host as well where memory is unified.
    Device,
    /// Written by the host, read by the device once a run.
    Upload,
    /// Written by the device, read by the host.
    Download,
};

/// A VkBuffer with memory of its own, mapped for as long as it lives where the host may see it.
class Buffer {
public:
    Buffer() = default;
    /// Throws `OutOfMemory` naming `what` and its size.
    Buffer(const Context& context, std::string_view what, uint64_t size_bytes, VkBufferUsageFlags usage, MemoryUse use);

    [[nodiscard]] VkBuffer get() const { return buffer_.get(); }
    [[nodiscard]] uint64_t size_bytes() const { return size_bytes_; }
    /// Empty when the host cannot see the memory.
    [[nodiscard]] std::span<uint8_t> mapped() const {
        return {static_cast<uint8_t*>(mapped_), mapped_ == nullptr ? 0 : size_bytes_};
    }
    /// Device address; 0 without the feature.
    [[nodiscard]] uint64_t address() const { return address_; }
    /// Makes the device's writes visible to the host. Call after the fence, before reading.
    void invalidate(const Context& context) const;

private:
    Owned<VkDeviceMemory> memory_;  // outlives the buffer bound to it
    Owned<VkBuffer> buffer_;
    uint64_t size_bytes_ = 0;
    uint64_t address_ = 0;
    void* mapped_ = nullptr;
    bool coherent_ = true;
};

}  // namespace vkseg::vk
