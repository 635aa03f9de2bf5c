#pragma once

#include "runtime/recorder.hpp"

#include <array>

namespace vkseg {

/// Barriers on a host's resources, gathered and recorded as one command.
class HostBarriers {
public:
    explicit HostBarriers(uint32_t own_queue_family) : own_family_(own_queue_family) {}

    /// Memory that no resource stands for.
    void memory(VkPipelineStageFlags from_stages, VkAccessFlags from, VkPipelineStageFlags to_stages, VkAccessFlags to);
    /// The recording's half of a change of owner; keeps the layout, as the host's half does.
    void acquire(const HostResource& resource);
    void release(const HostResource& resource);
    /// From the host's last use to `use`, and from `use` to the host's next.
    void enter(const HostResource& resource, const ResourceUse& use);
    void leave(const HostResource& resource, const ResourceUse& use);
    /// From last to next use, of a resource that the recording does not touch.
    void pass(const HostResource& resource);

    void record(const vk::DeviceTable& table, VkCommandBuffer commands) const;

private:
    void add(const HostResource& resource, const ResourceUse& from, const ResourceUse& to, uint32_t from_family,
             uint32_t to_family);

    static constexpr size_t max_resources = 8;
    uint32_t own_family_;
    VkPipelineStageFlags from_stages_ = 0, to_stages_ = 0;
    VkMemoryBarrier memory_{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    std::array<VkImageMemoryBarrier, max_resources> images_;
    std::array<VkBufferMemoryBarrier, max_resources> buffers_;
    uint32_t image_count_ = 0, buffer_count_ = 0;
};

/// The layout that the host's image is worked on in: `wanted`, or GENERAL where it stays in that.
[[nodiscard]] VkImageLayout working_layout(const HostResource& resource, VkImageLayout wanted);

}  // namespace vkseg
