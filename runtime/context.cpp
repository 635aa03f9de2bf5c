#include "runtime/context.hpp"

#include "runtime/device_choice.hpp"
#include "runtime/pipeline_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace vkseg {

namespace {

bool environment_says(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && std::strcmp(value, "0") != 0 && *value != '\0';
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::vector<DeviceEntry> list_devices() {
    make_swiftshader_visible();
    const vk::Instance instance(vk::Library::open(), false);
    std::vector<DeviceEntry> entries;
    for (PhysicalDevice& device : sorted_devices(instance))
        entries.push_back(
            {static_cast<int>(entries.size()), std::move(device.facts), std::move(device.lacks)});
    return entries;
}

Context::Context(ContextOptions options) : options_(std::move(options)) {
    if (options_.device.empty())
        if (const char* wanted = std::getenv("VKSEG_DEVICE")) options_.device = wanted;
    // An index counts in the full listing, so the same drivers must be there.
    if (is_number(options_.device) || names_swiftshader(options_.device)) make_swiftshader_visible();
    instance_ = std::make_unique<vk::Instance>(vk::Library::open(),
                                               options_.validation || environment_says("VKSEG_VALIDATION"));
    std::vector<PhysicalDevice> devices = sorted_devices(*instance_);
    physical_ = std::move(devices[choose_device(devices, options_.device)]);
    create_device();
    pipelines_ = std::make_unique<PipelineStore>(*this, options_.disk_cache);
}

Context::~Context() {
    pipelines_.reset();
    if (device_ != VK_NULL_HANDLE) table_.DestroyDevice(device_, nullptr);
}

void Context::create_device() {
    const float priority = 1.0f;
    VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = physical_.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;

    VkPhysicalDeviceBufferDeviceAddressFeatures address{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES};
    address.bufferDeviceAddress = VK_TRUE;
    VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    // Kernels need nothing else: 16-bit texels travel as words. What is not enabled must not look enabled.
    if (physical_.features.buffer_device_address) features.pNext = &address;
    physical_.facts.fp16_arithmetic = physical_.facts.int8_storage = false;

    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.pNext = &features;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    std::vector<const char*> extensions;
    for (const char* name : physical_.features.extensions)
        if (std::strcmp(name, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME) == 0) extensions.push_back(name);
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    vk::check(instance_->table().CreateDevice(physical_.handle, &info, nullptr, &device_),
              fmt::format("open device '{}'", physical_.facts.name));
    try {
        const auto get = instance_->table().GetDeviceProcAddr;
        table_ = vk::load_device_table(device_, get);
        if (physical_.features.buffer_device_address) {
            for (const char* name : {"vkGetBufferDeviceAddress", "vkGetBufferDeviceAddressKHR"})
                if (table_.GetBufferDeviceAddress == nullptr)
                    table_.GetBufferDeviceAddress =
                        reinterpret_cast<PFN_vkGetBufferDeviceAddress>(get(device_, name));
            physical_.facts.buffer_device_address = table_.GetBufferDeviceAddress != nullptr;
        }
    } catch (...) {
        if (const auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(
                instance_->table().GetDeviceProcAddr(device_, "vkDestroyDevice")))
            destroy(device_, nullptr);
        device_ = VK_NULL_HANDLE;
        throw;
    }
    if (options_.intercept) options_.intercept(table_);
    instance_->table().GetPhysicalDeviceMemoryProperties(physical_.handle, &memory_);
    table_.GetDeviceQueue(device_, physical_.queue_family, 0, &queue_);
}

}  // namespace vkseg
