#pragma once

#include "runtime/device_facts.hpp"
#include "runtime/vk/check.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace vkseg {

class PipelineStore;

struct DeviceEntry {
    /// What `--device INDEX` takes.
    int index = 0;
    DeviceFacts facts;
    std::vector<std::string> lacks;
};

/// All devices in the order of choice: discrete, integrated, virtual, other, CPU; SwiftShader too where it is
/// installed. Throws `Error` when there is no loader or no driver.
[[nodiscard]] std::vector<DeviceEntry> list_devices();

struct ContextOptions {
    /// Index in the listing, or part of a device's or driver's name in any case; "lavapipe" and "swiftshader" are
    /// understood. Empty: the environment's VKSEG_DEVICE, else the first device that can be used.
    std::string device;
    /// Check every call with the Khronos layer. The environment's VKSEG_VALIDATION=1 asks for it too.
    bool validation = false;
    /// Name dispatches and objects for debuggers and captures.
    bool debug_labels = false;
    /// Keep compiled pipelines under XDG_CACHE_HOME.
    bool disk_cache = true;
    /// Notes that are not errors, such as a damaged cache. May be called from the constructing thread only.
    std::function<void(const std::string&)> log;
    /// Sees the device's function table before anything is made with it: tests count calls or make them fail.
    std::function<void(vk::DeviceTable&)> intercept;
};

/// A Vulkan device and one compute queue. Everything made on a context must die before it. Methods are for one thread
/// at a time; several contexts are independent of each other.
class Context {
public:
    /// Throws `Error` with a sentence for each device when none fits.
    explicit Context(ContextOptions options = {});
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// What is supported and enabled.
    [[nodiscard]] const DeviceFacts& facts() const { return physical_.facts; }
    [[nodiscard]] const PhysicalDevice& physical() const { return physical_; }
    [[nodiscard]] VkDevice device() const { return device_; }
    [[nodiscard]] VkQueue queue() const { return queue_; }
    [[nodiscard]] const vk::DeviceTable& table() const { return table_; }
    [[nodiscard]] const vk::InstanceTable& instance_table() const { return instance_->table(); }
    [[nodiscard]] const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }
    [[nodiscard]] bool labels_dispatches() const { return options_.debug_labels && instance_->has_debug_utils(); }
    [[nodiscard]] vk::ValidationLog& validation_log() const { return instance_->validation_log(); }
    [[nodiscard]] PipelineStore& pipelines() const { return *pipelines_; }
    void note(const std::string& text) const {
        if (options_.log) options_.log(text);
    }

private:
    void create_device();

    ContextOptions options_;
    std::unique_ptr<vk::Instance> instance_;
    PhysicalDevice physical_;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    vk::DeviceTable table_;
    VkPhysicalDeviceMemoryProperties memory_{};
    std::unique_ptr<PipelineStore> pipelines_;
};

}  // namespace vkseg
