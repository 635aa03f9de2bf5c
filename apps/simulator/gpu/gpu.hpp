#pragma once

#include <volk.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vkseg::sim {

struct GpuOptions {
    /// Index in the loader's order of choice, or part of a device's name; empty: VKSEG_DEVICE, else the first.
    std::string device;
    bool validation = false;
    /// What a window needs of the instance.
    std::vector<const char*> instance_extensions;
    /// Can the device show pictures in a window?
    bool swapchain = false;
    /// A second queue for work beside the pictures, where the device has one.
    bool second_queue = false;
};

/// Instance, device and queues of this program.
class Gpu {
public:
    explicit Gpu(const GpuOptions& options);
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    [[nodiscard]] VkInstance instance() const { return instance_; }
    [[nodiscard]] VkPhysicalDevice physical() const { return physical_; }
    [[nodiscard]] VkDevice device() const { return device_; }
    [[nodiscard]] VkQueue queue() const { return queue_; }
    [[nodiscard]] uint32_t queue_family() const { return family_; }
    /// The same as queue() where there is no other.
    [[nodiscard]] VkQueue second_queue() const { return second_queue_; }
    [[nodiscard]] const VkPhysicalDeviceProperties& properties() const { return properties_; }
    [[nodiscard]] std::string name() const { return properties_.deviceName; }
    [[nodiscard]] uint32_t api_version() const { return api_version_; }
    /// What the device was made with, for a library that shares it.
    [[nodiscard]] const VkPhysicalDeviceFeatures2& features() const { return features_; }
    [[nodiscard]] const std::vector<const char*>& extensions() const { return extensions_; }

    /// Bits of a timestamp that count; 0 where there are none.
    [[nodiscard]] uint64_t timestamp_mask() const { return timestamp_mask_; }
    [[nodiscard]] uint32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted,
                                       VkMemoryPropertyFlags fallback = 0) const;
    /// What the validation layer said since the last call.
    [[nodiscard]] std::vector<std::string> take_messages();

    void wait_idle() const;

private:
    void create_instance(const GpuOptions& options);
    void choose_device(const std::string& wanted);
    void create_device(const GpuOptions& options);

    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE, second_queue_ = VK_NULL_HANDLE;
    uint32_t family_ = 0;
    VkPhysicalDeviceProperties properties_{};
    VkPhysicalDeviceMemoryProperties memory_{};
    VkPhysicalDeviceFeatures2 features_{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    VkPhysicalDeviceVulkan11Features features11_{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
    VkPhysicalDeviceVulkan12Features features12_{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    uint32_t api_version_ = 0;
    uint64_t timestamp_mask_ = 0;
    std::vector<const char*> extensions_;
    std::mutex mutex_;
    std::vector<std::string> messages_;
};

}  // namespace vkseg::sim
