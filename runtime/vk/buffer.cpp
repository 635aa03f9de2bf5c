#include "runtime/vk/buffer.hpp"

#include "runtime/context.hpp"

namespace vkseg::vk {

namespace {

constexpr VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

/// Memory types in order of preference; the first that exists and is allowed is taken.
std::vector<VkMemoryPropertyFlags> preferences(MemoryUse use, bool unified) {
    switch (use) {
        case MemoryUse::Device:
            if (unified) return {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | host, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
            return {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
        case MemoryUse::Upload:
            return {host};
        case MemoryUse::Download:
            // Uncached reads crawl at a few hundred MB/s.
            return {host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, host};
    }
    return {};
}

}  // namespace

Buffer::Buffer(const Context& context, std::string_view what, uint64_t size_bytes, VkBufferUsageFlags usage,
               MemoryUse use)
    : size_bytes_(size_bytes) {
    const DeviceTable& table = context.table();
    const std::string action = fmt::format("allocate {:.1f} MB for {}", static_cast<double>(size_bytes) / 1e6, what);
    const bool addressed =
        context.facts().buffer_device_address && (usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0;
    VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = size_bytes;
    info.usage =
        addressed ? usage : usage & ~static_cast<VkBufferUsageFlags>(VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT);
    VkBuffer buffer = VK_NULL_HANDLE;
    check(table.CreateBuffer(context.device(), &info, nullptr, &buffer), action);
    buffer_ = {context.device(), buffer, table.DestroyBuffer};
    context.name_object(VK_OBJECT_TYPE_BUFFER, buffer, what);

    VkMemoryRequirements needs{};
    table.GetBufferMemoryRequirements(context.device(), buffer, &needs);
    uint32_t type = UINT32_MAX;
    for (VkMemoryPropertyFlags wanted : preferences(use, context.facts().unified_memory))
        for (uint32_t i = 0; i < context.memory().memoryTypeCount && type == UINT32_MAX; ++i)
            if ((needs.memoryTypeBits >> i & 1) != 0 &&
                (context.memory().memoryTypes[i].propertyFlags & wanted) == wanted)
                type = i;
    if (type == UINT32_MAX) throw OutOfMemory(fmt::format("could not {}: no memory type fits", action));

    VkMemoryAllocateFlagsInfo flags{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO};
    flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
    VkMemoryAllocateInfo allocation{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
    if (addressed) allocation.pNext = &flags;
    allocation.allocationSize = needs.size;
    allocation.memoryTypeIndex = type;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    check(table.AllocateMemory(context.device(), &allocation, nullptr, &memory), action);
    memory_ = {context.device(), memory, table.FreeMemory};
    check(table.BindBufferMemory(context.device(), buffer, memory, 0), action);

    const VkMemoryPropertyFlags properties = context.memory().memoryTypes[type].propertyFlags;
    coherent_ = (properties & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0;
    if ((properties & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0)
        check(table.MapMemory(context.device(), memory, 0, VK_WHOLE_SIZE, 0, &mapped_), action);
    if (addressed) {
        VkBufferDeviceAddressInfo address{VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
        address.buffer = buffer;
        address_ = table.GetBufferDeviceAddress(context.device(), &address);
    }
}

void Buffer::invalidate(const Context& context) const {
    if (coherent_ || mapped_ == nullptr) return;
    VkMappedMemoryRange range{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE};
    range.memory = memory_.get();
    range.size = VK_WHOLE_SIZE;
    check(context.table().InvalidateMappedMemoryRanges(context.device(), 1, &range), "read results");
}

}  // namespace vkseg::vk
