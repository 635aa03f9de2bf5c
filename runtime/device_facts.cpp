#include "runtime/device_facts.hpp"

#include "runtime/vk/check.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace vkseg {

namespace {

DeviceType device_type(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return DeviceType::Integrated;
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return DeviceType::Discrete;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return DeviceType::Virtual;
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return DeviceType::Cpu;
        default:
            return DeviceType::Other;
    }
}

class Chain {
public:
    template <typename T>
    void add(T& next) {
        next.pNext = head_;
        head_ = &next;
    }
    [[nodiscard]] void* head() const { return head_; }

private:
    void* head_ = nullptr;
};

std::vector<std::string> extensions_of(const vk::InstanceTable& table, VkPhysicalDevice device) {
    uint32_t count = 0;
    vk::check(table.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr), "list device extensions");
    std::vector<VkExtensionProperties> found(count);
    vk::check(table.EnumerateDeviceExtensionProperties(device, nullptr, &count, found.data()),
              "list device extensions");
    std::vector<std::string> names;
    for (const VkExtensionProperties& extension : found) names.emplace_back(extension.extensionName);
    return names;
}

void use_queue_family(PhysicalDevice& device, uint32_t family, const VkQueueFamilyProperties& properties) {
    const uint32_t bits = properties.timestampValidBits;
    device.queue_family = family;
    device.facts.timestamps = bits != 0;
    device.timestamp_mask = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
}

/// The first compute queue family, one with timestamps preferred.
void choose_queue_family(const std::vector<VkQueueFamilyProperties>& families, PhysicalDevice& device) {
    bool found = false;
    for (uint32_t i = 0; i < families.size(); ++i) {
        const bool computes = (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
        const bool better = !found || (!device.facts.timestamps && families[i].timestampValidBits != 0);
        if (!computes || !better) continue;
        use_queue_family(device, i, families[i]);
        found = true;
    }
    if (!found) device.lacks.emplace_back("it has no compute queue");
}

std::vector<VkQueueFamilyProperties> queue_families(const vk::InstanceTable& table, VkPhysicalDevice device) {
    uint32_t count = 0;
    table.GetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    table.GetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
    return families;
}

void read_memory(const vk::InstanceTable& table, PhysicalDevice& device) {
    VkPhysicalDeviceMemoryProperties memory{};
    table.GetPhysicalDeviceMemoryProperties(device.handle, &memory);
    uint64_t largest = 0;
    for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
        if ((memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0)
            largest = std::max<uint64_t>(largest, memory.memoryHeaps[i].size);
    device.facts.device_memory_bytes = largest;
    // Unified: the largest device-local heap is one that the host maps as well. Discrete GPUs may show all of theirs
    // through the bus, which is not the same memory at the same speed.
    if (device.facts.type == DeviceType::Discrete) return;
    for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
        constexpr VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                                 VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                 VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        if ((memory.memoryTypes[i].propertyFlags & wanted) == wanted &&
            memory.memoryHeaps[memory.memoryTypes[i].heapIndex].size == largest)
            device.facts.unified_memory = true;
    }
}

}  // namespace

PhysicalDevice describe(const vk::Instance& instance, VkPhysicalDevice handle) {
    const vk::InstanceTable& table = instance.table();
    PhysicalDevice device;
    device.handle = handle;
    DeviceFacts& facts = device.facts;

    VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    table.GetPhysicalDeviceProperties2(handle, &properties);
    const VkPhysicalDeviceProperties& core = properties.properties;
    facts.name = core.deviceName;
    facts.type = device_type(core.deviceType);
    facts.vendor_id = core.vendorID;
    facts.device_id = core.deviceID;
    facts.api_version = core.apiVersion;
    facts.driver_version = core.driverVersion;
    std::memcpy(device.pipeline_cache_uuid, core.pipelineCacheUUID, VK_UUID_SIZE);
    // What a host's older instance hides of a newer device is not there for us either.
    const uint32_t version = std::min(core.apiVersion, instance.api_version());
    if (version < VK_API_VERSION_1_1) {
        device.lacks.push_back(fmt::format("it has Vulkan {}.{}, but 1.1 is needed", VK_API_VERSION_MAJOR(version),
                                           VK_API_VERSION_MINOR(version)));
        return device;
    }

    const std::vector<std::string> extensions = extensions_of(table, handle);
    const auto has = [&](const char* name) { return std::ranges::find(extensions, name) != extensions.end(); };
    const auto core_or = [&](uint32_t promoted, const char* name) { return version >= promoted || has(name); };

    VkPhysicalDeviceSubgroupProperties subgroup{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceMaintenance3Properties maintenance{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    Chain property_chain;
    property_chain.add(subgroup);
    property_chain.add(maintenance);
    if (core_or(VK_API_VERSION_1_2, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) property_chain.add(driver);
    // Vendors' own ways to say how many units there are; reading them needs no extension to be enabled.
    VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nvidia{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV};
    VkPhysicalDeviceShaderCoreProperties2AMD amd{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_2_AMD};
    VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM arm{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM};
    if (has(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)) property_chain.add(nvidia);
    if (has(VK_AMD_SHADER_CORE_PROPERTIES_2_EXTENSION_NAME)) property_chain.add(amd);
    if (has(VK_ARM_SHADER_CORE_BUILTINS_EXTENSION_NAME)) property_chain.add(arm);
    properties.pNext = property_chain.head();
    table.GetPhysicalDeviceProperties2(handle, &properties);

    VkPhysicalDevice16BitStorageFeatures storage16{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDevice8BitStorageFeatures storage8{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
    VkPhysicalDeviceShaderFloat16Int8Features float16{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
    VkPhysicalDeviceBufferDeviceAddressFeatures address{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES};
    VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    Chain feature_chain;
    feature_chain.add(storage16);
    if (core_or(VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME)) feature_chain.add(storage8);
    if (core_or(VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) feature_chain.add(float16);
    if (core_or(VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME)) feature_chain.add(address);
    features.pNext = feature_chain.head();
    table.GetPhysicalDeviceFeatures2(handle, &features);

    device.features.storage_16bit = storage16.storageBuffer16BitAccess != 0;
    device.features.storage_8bit = storage8.storageBuffer8BitAccess != 0;
    device.features.shader_float16 = float16.shaderFloat16 != 0;
    device.features.buffer_device_address = address.bufferDeviceAddress != 0;
    device.features.shader_int64 = features.features.shaderInt64 != 0;
    device.features.buffer_marker = has(VK_AMD_BUFFER_MARKER_EXTENSION_NAME);
    device.features.checkpoints = has(VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME);
    if (device.features.buffer_marker) device.features.extensions.push_back(VK_AMD_BUFFER_MARKER_EXTENSION_NAME);
    if (device.features.checkpoints)
        device.features.extensions.push_back(VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME);
    if (version < VK_API_VERSION_1_2) {
        if (device.features.storage_8bit) device.features.extensions.push_back(VK_KHR_8BIT_STORAGE_EXTENSION_NAME);
        if (device.features.shader_float16)
            device.features.extensions.push_back(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
        if (device.features.buffer_device_address)
            device.features.extensions.push_back(VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME);
    }

    const VkPhysicalDeviceLimits& limits = core.limits;
    facts.driver = driver.driverName[0] == '\0' ? fmt::format("version {}", core.driverVersion) : driver.driverName;
    if (driver.driverInfo[0] != '\0') facts.driver += fmt::format(" {}", driver.driverInfo);
    facts.max_workgroup_invocations = limits.maxComputeWorkGroupInvocations;
    for (size_t axis = 0; axis < 3; ++axis) {
        facts.max_workgroup_size[axis] = limits.maxComputeWorkGroupSize[axis];
        facts.max_workgroup_count[axis] = limits.maxComputeWorkGroupCount[axis];
    }
    facts.max_shared_memory_bytes = limits.maxComputeSharedMemorySize;
    facts.max_push_constant_bytes = limits.maxPushConstantsSize;
    facts.max_storage_buffers_per_stage = limits.maxPerStageDescriptorStorageBuffers;
    facts.max_storage_buffer_range = limits.maxStorageBufferRange;
    facts.min_storage_buffer_offset_alignment = static_cast<uint32_t>(limits.minStorageBufferOffsetAlignment);
    facts.max_texel_buffer_elements = limits.maxTexelBufferElements;
    facts.max_allocation_bytes = maintenance.maxMemoryAllocationSize;
    facts.compute_units = std::max({nvidia.shaderSMCount, amd.activeComputeUnitCount, arm.shaderCoreCount});
    // CPU drivers run a thread on each core.
    if (facts.type == DeviceType::Cpu) facts.compute_units = std::thread::hardware_concurrency();
    facts.subgroup_size = subgroup.subgroupSize;
    const bool in_compute = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
    facts.subgroup_shuffle = in_compute && (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
    facts.subgroup_arithmetic = in_compute && (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0;
    facts.fp16_storage = device.features.storage_16bit;
    facts.fp16_arithmetic = device.features.shader_float16;
    facts.int8_storage = device.features.storage_8bit;
    facts.buffer_device_address = device.features.buffer_device_address;
    facts.shader_int64 = device.features.shader_int64;
    choose_queue_family(queue_families(table, handle), device);
    device.timestamp_period_ns = limits.timestampPeriod;
    read_memory(table, device);

    // The texel-view kernels read through storage texel buffers of these formats.
    for (VkFormat format : {VK_FORMAT_R32G32B32A32_SFLOAT, VK_FORMAT_R16G16B16A16_SFLOAT}) {
        VkFormatProperties support{};
        table.GetPhysicalDeviceFormatProperties(handle, format, &support);
        if ((support.bufferFeatures & VK_FORMAT_FEATURE_STORAGE_TEXEL_BUFFER_BIT) == 0)
            facts.max_texel_buffer_elements = 0;
    }
    return device;
}

PhysicalDevice describe(const vk::Instance& instance, VkPhysicalDevice handle, uint32_t queue_family,
                        const DeviceFeatures& enabled) {
    PhysicalDevice device = describe(instance, handle);
    const std::vector<VkQueueFamilyProperties> families = queue_families(instance.table(), handle);
    if (queue_family >= families.size() || (families[queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0)
        throw error("queue family {} of device '{}' does not compute", queue_family, device.facts.name);
    use_queue_family(device, queue_family, families[queue_family]);
    DeviceFacts& facts = device.facts;
    facts.buffer_device_address = facts.buffer_device_address && enabled.buffer_device_address;
    facts.fp16_storage = facts.fp16_storage && enabled.storage_16bit;
    facts.int8_storage = facts.int8_storage && enabled.storage_8bit;
    facts.fp16_arithmetic = facts.fp16_arithmetic && enabled.shader_float16;
    facts.shader_int64 = facts.shader_int64 && enabled.shader_int64;
    device.features = enabled;
    device.features.buffer_device_address = facts.buffer_device_address;
    return device;
}

}  // namespace vkseg
