#include "runtime/host_barriers.hpp"

#include <cassert>

namespace vkseg {

VkImageLayout working_layout(const HostResource& resource, VkImageLayout wanted) {
    const bool general =
        resource.before.layout == VK_IMAGE_LAYOUT_GENERAL && resource.after.layout == VK_IMAGE_LAYOUT_GENERAL;
    return general ? VK_IMAGE_LAYOUT_GENERAL : wanted;
}

void HostBarriers::memory(VkPipelineStageFlags from_stages, VkAccessFlags from, VkPipelineStageFlags to_stages,
                          VkAccessFlags to) {
    from_stages_ |= from_stages;
    to_stages_ |= to_stages;
    memory_.srcAccessMask |= from;
    memory_.dstAccessMask |= to;
}

namespace {

constexpr VkPipelineStageFlags own_stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

/// The host's last use as the recording meets it: behind the acquisition, if there is one.
ResourceUse before(const HostResource& resource) {
    if (resource.before.transfer_ownership) return {own_stages, 0, resource.before.layout};
    return resource.before;
}

/// The host's next use: in front of the release, if there is one. No layout wanted: the one it is left in.
ResourceUse after(const HostResource& resource, VkImageLayout left_in) {
    ResourceUse use = resource.after;
    if (use.transfer_ownership) use = {own_stages, 0, resource.after.layout};
    if (use.layout == VK_IMAGE_LAYOUT_UNDEFINED) use.layout = left_in;
    return use;
}

}  // namespace

void HostBarriers::acquire(const HostResource& resource) {
    if (!resource.before.transfer_ownership) return;
    add(resource, resource.before,
        {own_stages, VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT, resource.before.layout},
        resource.before.queue_family, own_family_);
}

void HostBarriers::release(const HostResource& resource) {
    if (!resource.after.transfer_ownership) return;
    add(resource, {own_stages, VK_ACCESS_MEMORY_WRITE_BIT, resource.after.layout}, resource.after, own_family_,
        resource.after.queue_family);
}

void HostBarriers::enter(const HostResource& resource, const ResourceUse& use) {
    add(resource, before(resource), use, own_family_, own_family_);
}

void HostBarriers::leave(const HostResource& resource, const ResourceUse& use) {
    add(resource, use, after(resource, use.layout), own_family_, own_family_);
}

void HostBarriers::pass(const HostResource& resource) {
    const ResourceUse from = before(resource), to = after(resource, from.layout);
    if (resource.image != VK_NULL_HANDLE && from.layout != to.layout) add(resource, from, to, own_family_, own_family_);
}

void HostBarriers::add(const HostResource& resource, const ResourceUse& from, const ResourceUse& to,
                       uint32_t from_family, uint32_t to_family) {
    from_stages_ |= from.stages;
    to_stages_ |= to.stages;
    if (from_family == to_family) from_family = to_family = VK_QUEUE_FAMILY_IGNORED;
    if (resource.image != VK_NULL_HANDLE) {
        assert(image_count_ < images_.size());
        VkImageMemoryBarrier& barrier = images_[image_count_++];
        barrier = {VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
        barrier.srcAccessMask = from.access;
        barrier.dstAccessMask = to.access;
        barrier.oldLayout = from.layout;
        barrier.newLayout = to.layout;
        barrier.srcQueueFamilyIndex = from_family;
        barrier.dstQueueFamilyIndex = to_family;
        barrier.image = resource.image;
        barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    } else {
        assert(buffer_count_ < buffers_.size());
        VkBufferMemoryBarrier& barrier = buffers_[buffer_count_++];
        barrier = {VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER};
        barrier.srcAccessMask = from.access;
        barrier.dstAccessMask = to.access;
        barrier.srcQueueFamilyIndex = from_family;
        barrier.dstQueueFamilyIndex = to_family;
        barrier.buffer = resource.buffer;
        barrier.offset = resource.offset_bytes;
        barrier.size = VK_WHOLE_SIZE;
    }
}

void HostBarriers::record(const vk::DeviceTable& table, VkCommandBuffer commands) const {
    if (from_stages_ == 0 && to_stages_ == 0 && image_count_ + buffer_count_ == 0) return;
    const bool has_memory = memory_.srcAccessMask != 0 || memory_.dstAccessMask != 0;
    // Vulkan wants some stage on both sides.
    VkPipelineStageFlags from = from_stages_, to = to_stages_;
    if (from == 0) from = VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT;
    if (to == 0) to = VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT;
    table.CmdPipelineBarrier(commands, from, to, 0, has_memory ? 1 : 0, &memory_, buffer_count_, buffers_.data(),
                             image_count_, images_.data());
}

}  // namespace vkseg
