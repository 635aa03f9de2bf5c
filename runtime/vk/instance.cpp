#include "runtime/vk/instance.hpp"

#include "runtime/vk/check.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

namespace vkseg::vk {

namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) {
    static_cast<ValidationLog*>(user)->add(data->pMessage);
    return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(ValidationLog* log) {
    VkDebugUtilsMessengerCreateInfoEXT info{VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
    info.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
    info.pfnUserCallback = on_message;
    info.pUserData = log;
    return info;
}

}  // namespace

std::shared_ptr<Library> Library::open(const std::string& path) {
    std::shared_ptr<Library> library(new Library);
    const std::string name = path.empty() ? "libvulkan.so.1" : path;
    library->handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library->handle_ == nullptr)
        throw error(
            "there is no Vulkan loader ({}) on this machine; install it and a driver, on Debian with "
            "'apt-get install libvulkan1 mesa-vulkan-drivers'",
            name);
    library->get_ = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library->handle_, "vkGetInstanceProcAddr"));
    if (library->get_ == nullptr) throw error("'{}' is no Vulkan loader: it has no vkGetInstanceProcAddr", name);
    return library;
}

Library::~Library() {
    if (handle_ != nullptr) dlclose(handle_);
}

void ValidationLog::add(std::string message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
}

std::vector<std::string> ValidationLog::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
}

Instance::Instance(std::shared_ptr<Library> library, bool validation) : library_(std::move(library)) {
    const auto get = library_->get_instance_proc_addr();
    const auto load = [&]<typename F>(F& function, const char* name) {
        function = reinterpret_cast<F>(get(VK_NULL_HANDLE, name));
        if (function == nullptr) throw error("the Vulkan loader has no {}; Vulkan 1.1 is needed", name);
    };
    PFN_vkCreateInstance create = nullptr;
    PFN_vkEnumerateInstanceLayerProperties enumerate_layers = nullptr;
    PFN_vkEnumerateInstanceExtensionProperties enumerate_extensions = nullptr;
    load(create, "vkCreateInstance");
    load(enumerate_layers, "vkEnumerateInstanceLayerProperties");
    load(enumerate_extensions, "vkEnumerateInstanceExtensionProperties");

    std::vector<const char*> layers, extensions;
    if (validation) {
        uint32_t count = 0;
        check(enumerate_layers(&count, nullptr), "list layers");
        std::vector<VkLayerProperties> found(count);
        check(enumerate_layers(&count, found.data()), "list layers");
        if (std::ranges::none_of(found, [](const VkLayerProperties& layer) {
                return std::strcmp(layer.layerName, validation_layer) == 0;
            }))
            throw error("validation was asked for, but {} is not installed (Debian: vulkan-validationlayers)",
                        validation_layer);
        layers.push_back(validation_layer);
    }
    uint32_t count = 0;
    check(enumerate_extensions(nullptr, &count, nullptr), "list instance extensions");
    std::vector<VkExtensionProperties> found(count);
    check(enumerate_extensions(nullptr, &count, found.data()), "list instance extensions");
    debug_utils_ = std::ranges::any_of(found, [](const VkExtensionProperties& extension) {
        return std::strcmp(extension.extensionName, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) == 0;
    });
    if (debug_utils_) extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);

    VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.pApplicationName = "vkseg";
    application.pEngineName = "vkseg";
    application.apiVersion = api_version_;

    auto messenger = messenger_info(log_.get());
    const VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features{VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
    features.enabledValidationFeatureCount = 1;
    features.pEnabledValidationFeatures = enables;
    features.pNext = &messenger;

    VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    if (validation) {
        info.pNext = &features;
        extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
    }
    info.pApplicationInfo = &application;
    info.enabledLayerCount = static_cast<uint32_t>(layers.size());
    info.ppEnabledLayerNames = layers.data();
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const VkResult result = create(&info, nullptr, &instance_);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        throw error(
            "no Vulkan driver is installed; on Debian 'apt-get install mesa-vulkan-drivers' brings drivers for AMD and "
            "Intel GPUs and for the CPU");
    check(result, "create a Vulkan instance");
    table_ = load_instance_table(instance_, get);
    if (validation && table_.CreateDebugUtilsMessengerEXT != nullptr)
        check(table_.CreateDebugUtilsMessengerEXT(instance_, &messenger, nullptr, &messenger_),
              "listen to the validation layer");
}

Instance::Instance(PFN_vkGetInstanceProcAddr get, VkInstance instance, uint32_t api_version)
    : instance_(instance), table_(load_instance_table(instance, get)), api_version_(api_version) {}

Instance::~Instance() {
    if (library_ == nullptr) return;
    if (messenger_ != VK_NULL_HANDLE) table_.DestroyDebugUtilsMessengerEXT(instance_, messenger_, nullptr);
    table_.DestroyInstance(instance_, nullptr);
}

std::vector<VkPhysicalDevice> Instance::physical_devices() const {
    uint32_t count = 0;
    check(table_.EnumeratePhysicalDevices(instance_, &count, nullptr), "list devices");
    std::vector<VkPhysicalDevice> devices(count);
    check(table_.EnumeratePhysicalDevices(instance_, &count, devices.data()), "list devices");
    devices.resize(count);
    return devices;
}

}  // namespace vkseg::vk
