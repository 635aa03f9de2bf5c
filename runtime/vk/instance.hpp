#pragma once

#include "runtime/vk/tables.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vkseg::vk {

/// The Vulkan loader, opened at run time. Closed with its last owner.
class Library {
public:
    /// Throws `Error` that says how to get a loader when there is none. `path` overrides the system's libvulkan.so.1.
    [[nodiscard]] static std::shared_ptr<Library> open(const std::string& path = "");
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    [[nodiscard]] PFN_vkGetInstanceProcAddr get_instance_proc_addr() const { return get_; }

private:
    Library() = default;
    void* handle_ = nullptr;
    PFN_vkGetInstanceProcAddr get_ = nullptr;
};

/// What the validation layer said. Filled from any thread.
class ValidationLog {
public:
    void add(std::string message);
    /// Messages since the last call.
    [[nodiscard]] std::vector<std::string> take();

private:
    std::mutex mutex_;
    std::vector<std::string> messages_;
};

/// A VkInstance of Vulkan 1.1 or later.
class Instance {
public:
    /// With `validation`, the Khronos layer checks every call and the synchronisation; throws `Error` when the layer is
    /// not installed.
    Instance(std::shared_ptr<Library> library, bool validation);
    /// Borrows a host's instance, made for `api_version`; it is not destroyed.
    Instance(PFN_vkGetInstanceProcAddr get, VkInstance instance, uint32_t api_version);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    [[nodiscard]] VkInstance get() const { return instance_; }
    [[nodiscard]] const InstanceTable& table() const { return table_; }
    [[nodiscard]] uint32_t api_version() const { return api_version_; }
    [[nodiscard]] bool has_debug_utils() const { return debug_utils_; }
    [[nodiscard]] ValidationLog& validation_log() const { return *log_; }
    [[nodiscard]] std::vector<VkPhysicalDevice> physical_devices() const;

private:
    std::shared_ptr<Library> library_;  // null for a borrowed instance
    std::unique_ptr<ValidationLog> log_ = std::make_unique<ValidationLog>();
    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    InstanceTable table_;
    uint32_t api_version_ = VK_API_VERSION_1_3;
    bool debug_utils_ = false;
};

}  // namespace vkseg::vk
