#include "runtime/vk/device.hpp"

#include "runtime/vk/check.hpp"

namespace vkseg::vk {

namespace {

template <typename T>
void chain(VkPhysicalDeviceFeatures2& features, T& next, bool wanted) {
    if (!wanted) return;
    next.pNext = features.pNext;
    features.pNext = &next;
}

VkDevice create_device(const Instance& instance, const PhysicalDevice& physical) {
    const float priority = 1.0f;
    VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = physical.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;

    const DeviceFeatures& wanted = physical.features;
    VkPhysicalDeviceBufferDeviceAddressFeatures address{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES};
    VkPhysicalDevice16BitStorageFeatures storage16{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDevice8BitStorageFeatures storage8{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
    VkPhysicalDeviceShaderFloat16Int8Features float16{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
    address.bufferDeviceAddress = storage16.storageBuffer16BitAccess = storage8.storageBuffer8BitAccess =
        float16.shaderFloat16 = VK_TRUE;
    VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    features.features.shaderInt64 = wanted.shader_int64 ? VK_TRUE : VK_FALSE;
    chain(features, address, wanted.buffer_device_address);
    chain(features, storage16, wanted.storage_16bit);
    chain(features, storage8, wanted.storage_8bit);
    chain(features, float16, wanted.shader_float16);

    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.pNext = &features;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<uint32_t>(wanted.extensions.size());
    info.ppEnabledExtensionNames = wanted.extensions.data();
    VkDevice device = VK_NULL_HANDLE;
    check(instance.table().CreateDevice(physical.handle, &info, nullptr, &device),
          fmt::format("open device '{}'", physical.facts.name));
    return device;
}

}  // namespace

Device::Device(const Instance& instance, PhysicalDevice& physical) : device_(create_device(instance, physical)) {
    const auto get = instance.table().GetDeviceProcAddr;
    try {
        table_ = load_device_table(device_, get);
    } catch (...) {
        if (const auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(get(device_, "vkDestroyDevice")))
            destroy(device_, nullptr);
        throw;
    }
    owned_ = true;
    load_extension_functions(get, physical.features);
    physical.facts.buffer_device_address = table_.GetBufferDeviceAddress != nullptr;
    table_.GetDeviceQueue(device_, physical.queue_family, 0, &queue_);
}

Device::Device(const Instance& instance, const PhysicalDevice& physical, VkDevice device, VkQueue queue)
    : device_(device), queue_(queue), table_(load_device_table(device, instance.table().GetDeviceProcAddr)) {
    load_extension_functions(instance.table().GetDeviceProcAddr, physical.features);
}

Device::~Device() {
    if (owned_) table_.DestroyDevice(device_, nullptr);
}

void Device::load_extension_functions(PFN_vkGetDeviceProcAddr get, const DeviceFeatures& features) {
    const auto load = [&]<typename F>(bool enabled, F& function, const char* name) {
        if (enabled && function == nullptr) function = reinterpret_cast<F>(get(device_, name));
    };
    // Promoted to Vulkan 1.2; before, the extension's name.
    load(features.buffer_device_address, table_.GetBufferDeviceAddress, "vkGetBufferDeviceAddress");
    load(features.buffer_device_address, table_.GetBufferDeviceAddress, "vkGetBufferDeviceAddressKHR");
    load(features.buffer_marker, table_.CmdWriteBufferMarkerAMD, "vkCmdWriteBufferMarkerAMD");
    load(features.checkpoints, table_.CmdSetCheckpointNV, "vkCmdSetCheckpointNV");
    load(features.checkpoints, table_.GetQueueCheckpointDataNV, "vkGetQueueCheckpointDataNV");
}

}  // namespace vkseg::vk
