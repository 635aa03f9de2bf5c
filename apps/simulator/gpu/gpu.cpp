#define VOLK_IMPLEMENTATION
#include "apps/simulator/gpu/gpu.hpp"

#include "graph/ir/error.hpp"
#include "runtime/device_choice.hpp"
#include "runtime/vk/check.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace vkseg::sim {

namespace {

using vk::check;

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

int rank(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return 0;
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return 1;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return 2;
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return 4;
        default:
            return 3;
    }
}

/// The family for everything: drawing, computing and copying.
int family_of(VkPhysicalDevice device, VkQueueFamilyProperties* found = nullptr) {
    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
    constexpr VkQueueFlags needed = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
    for (uint32_t i = 0; i < count; ++i)
        if ((families[i].queueFlags & needed) == needed) {
            if (found != nullptr) *found = families[i];
            return static_cast<int>(i);
        }
    return -1;
}

}  // namespace

Gpu::Gpu(const GpuOptions& options) {
    make_swiftshader_visible();
    if (volkInitialize() != VK_SUCCESS)
        throw error(
            "there is no Vulkan loader on this machine; install it and a driver, on Debian with 'apt-get install "
            "libvulkan1 mesa-vulkan-drivers'");
    create_instance(options);
    try {
        const char* chosen = std::getenv("VKSEG_DEVICE");
        choose_device(!options.device.empty() ? options.device : chosen != nullptr ? chosen : "");
        create_device(options);
    } catch (...) {
        if (messenger_ != VK_NULL_HANDLE) vkDestroyDebugUtilsMessengerEXT(instance_, messenger_, nullptr);
        vkDestroyInstance(instance_, nullptr);
        throw;
    }
}

Gpu::~Gpu() {
    vkDestroyDevice(device_, nullptr);
    if (messenger_ != VK_NULL_HANDLE) vkDestroyDebugUtilsMessengerEXT(instance_, messenger_, nullptr);
    vkDestroyInstance(instance_, nullptr);
}

void Gpu::create_instance(const GpuOptions& options) {
    VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.pApplicationName = "vkseg-simulator";
    api_version_ = std::min(volkGetInstanceVersion(), static_cast<uint32_t>(VK_API_VERSION_1_3));
    application.apiVersion = api_version_;
    std::vector<const char*> extensions = options.instance_extensions, layers;

    VkDebugUtilsMessengerCreateInfoEXT listen{VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
    listen.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    listen.messageType =
        VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
    listen.pUserData = this;
    listen.pfnUserCallback = [](VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) -> VkBool32 {
        auto* gpu = static_cast<Gpu*>(user);
        const std::lock_guard lock(gpu->mutex_);
        gpu->messages_.emplace_back(data->pMessage);
        return VK_FALSE;
    };
    const VkValidationFeatureEnableEXT synchronisation = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    VkValidationFeaturesEXT features{VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
    features.pNext = &listen;
    features.enabledValidationFeatureCount = 1;
    features.pEnabledValidationFeatures = &synchronisation;

    VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    info.pApplicationInfo = &application;
    if (options.validation) {
        layers.push_back("VK_LAYER_KHRONOS_validation");
        extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
        info.pNext = &features;
    }
    info.enabledLayerCount = static_cast<uint32_t>(layers.size());
    info.ppEnabledLayerNames = layers.data();
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const VkResult result = vkCreateInstance(&info, nullptr, &instance_);
    if (result == VK_ERROR_LAYER_NOT_PRESENT)
        throw error(
            "validation was asked for, but VK_LAYER_KHRONOS_validation is not installed (Debian: "
            "vulkan-validationlayers)");
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) throw error("no Vulkan driver is installed");
    check(result, "create a Vulkan instance");
    volkLoadInstance(instance_);
    if (options.validation)
        check(vkCreateDebugUtilsMessengerEXT(instance_, &listen, nullptr, &messenger_),
              "listen to the validation layer");
}

void Gpu::choose_device(const std::string& wanted) {
    uint32_t count = 0;
    check(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "list devices");
    std::vector<VkPhysicalDevice> devices(count);
    check(vkEnumeratePhysicalDevices(instance_, &count, devices.data()), "list devices");
    const auto properties = [](VkPhysicalDevice device) {
        VkPhysicalDeviceProperties properties;
        vkGetPhysicalDeviceProperties(device, &properties);
        return properties;
    };
    // Of two CPU drivers the one that compiles the materials in seconds: SwiftShader takes more than a minute.
    const auto order = [&](VkPhysicalDevice device) {
        const VkPhysicalDeviceProperties found = properties(device);
        return std::pair(rank(found.deviceType), lower(found.deviceName).find("swiftshader") != std::string::npos);
    };
    std::stable_sort(devices.begin(), devices.end(),
                     [&](VkPhysicalDevice a, VkPhysicalDevice b) { return order(a) < order(b); });
    std::string name = lower(wanted), names;
    if (name == "lavapipe") name = "llvmpipe";
    for (size_t i = 0; i < devices.size(); ++i) {
        const VkPhysicalDeviceProperties found = properties(devices[i]);
        names += (names.empty() ? "" : ", ") + std::string(found.deviceName);
        VkPhysicalDeviceFeatures features;
        vkGetPhysicalDeviceFeatures(devices[i], &features);
        // Colour is blended where labels are not.
        if (found.apiVersion < VK_API_VERSION_1_1 || family_of(devices[i]) < 0 || features.independentBlend == VK_FALSE)
            continue;
        if (!name.empty() && name != std::to_string(i) && lower(found.deviceName).find(name) == std::string::npos)
            continue;
        physical_ = devices[i];
        properties_ = found;
        break;
    }
    if (physical_ == VK_NULL_HANDLE)
        throw error("no device that draws and computes is called '{}'; there are: {}", wanted, names);
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);
}

void Gpu::create_device(const GpuOptions& options) {
    VkQueueFamilyProperties found{};
    family_ = static_cast<uint32_t>(family_of(physical_, &found));
    const uint32_t bits = found.timestampValidBits;
    timestamp_mask_ = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    const uint32_t queue_count = options.second_queue && found.queueCount > 1 ? 2 : 1;
    const float priorities[2] = {1.0f, 0.5f};
    VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = family_;
    queue.queueCount = queue_count;
    queue.pQueuePriorities = priorities;

    // A library that shares the device is faster with these; nothing here needs them.
    if (properties_.apiVersion >= VK_API_VERSION_1_2 && api_version_ >= VK_API_VERSION_1_2) {
        VkPhysicalDeviceVulkan12Features has12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
        VkPhysicalDeviceVulkan11Features has11{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &has12};
        VkPhysicalDeviceFeatures2 has{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &has11};
        vkGetPhysicalDeviceFeatures2(physical_, &has);
        features11_.storageBuffer16BitAccess = has11.storageBuffer16BitAccess;
        features12_.storageBuffer8BitAccess = has12.storageBuffer8BitAccess;
        features12_.shaderFloat16 = has12.shaderFloat16;
        features12_.bufferDeviceAddress = has12.bufferDeviceAddress;
        features_.pNext = &features11_;
        features11_.pNext = &features12_;
    }
    VkPhysicalDeviceFeatures has_core{};
    vkGetPhysicalDeviceFeatures(physical_, &has_core);
    features_.features = {};
    features_.features.shaderInt64 = has_core.shaderInt64;
    features_.features.independentBlend = VK_TRUE;
    if (options.swapchain) extensions_.push_back(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.pNext = &features_;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
    info.ppEnabledExtensionNames = extensions_.data();
    check(vkCreateDevice(physical_, &info, nullptr, &device_), "open " + name());
    volkLoadDevice(device_);
    vkGetDeviceQueue(device_, family_, 0, &queue_);
    vkGetDeviceQueue(device_, family_, queue_count - 1, &second_queue_);
}

uint32_t Gpu::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags fallback) const {
    for (const VkMemoryPropertyFlags flags : {wanted, fallback})
        for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i)
            if ((allowed >> i & 1) != 0 && (memory_.memoryTypes[i].propertyFlags & flags) == flags) return i;
    throw error("{} has no memory of the kind that is needed", name());
}

std::vector<std::string> Gpu::take_messages() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
}

void Gpu::wait_idle() const {
    vkDeviceWaitIdle(device_);
}

}  // namespace vkseg::sim
