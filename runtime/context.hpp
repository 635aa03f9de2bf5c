#pragma once

#include "runtime/device_facts.hpp"
#include "runtime/vk/check.hpp"
#include "runtime/vk/device.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace vkseg {

class PipelineStore;

/// Whether each dispatch leaves a mark as it begins, so that a lost device can say which was the last.
enum class BreadcrumbMode : uint8_t {
    /// Where it costs next to nothing: vendor extensions made for it, and CPU drivers.
    Auto,
    /// Everywhere; elsewhere a small fill stands before every dispatch.
    Always,
    Off,
};

struct DeviceEntry {
    /// What `--device INDEX` takes.
    int index = 0;
    DeviceFacts facts;
    /// What keeps it from being used, in sentences; empty for a device that can be used.
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
    /// Name dispatches and objects for debuggers and captures. Validation does so too.
    bool debug_labels = false;
    /// The environment's VKSEG_BREADCRUMBS=1 and =0 mean Always and Off.
    BreadcrumbMode breadcrumbs = BreadcrumbMode::Auto;
    /// Keep compiled pipelines under XDG_CACHE_HOME.
    bool disk_cache = true;
    /// What `PipelineStore::export_cache` gave; then nothing is kept on disk.
    std::vector<uint8_t> pipeline_cache;
    /// In place of vkQueueSubmit, for a host that guards its queue. Called from any thread, one call at a time.
    std::function<VkResult(VkQueue, const VkSubmitInfo&, VkFence)> submit;
    /// Notes that are not errors, such as a damaged cache. Called from the constructing thread only.
    std::function<void(const std::string&)> log;
    /// The Vulkan loader; empty: the system's.
    std::string loader_path;
    /// Sees the device's function table before anything is made with it: tests count calls or make them fail.
    std::function<void(vk::DeviceTable&)> intercept;
};

/// A device that a host program made, to be shared with it. Everything here must outlive the context.
struct HostDevice {
    PFN_vkGetInstanceProcAddr get_instance_proc_addr = nullptr;
    VkInstance instance = VK_NULL_HANDLE;
    /// apiVersion that the host made its instance with.
    uint32_t api_version = VK_API_VERSION_1_1;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    /// A queue that computes. The host must not submit to it while a session runs.
    VkQueue queue = VK_NULL_HANDLE;
    uint32_t queue_family = 0;
    /// What the host enabled on the device, as far as it knows; `extensions` is not read.
    DeviceFeatures features;
};

/// A Vulkan device and one compute queue. Everything made on a context must die before it. Methods are for one thread
/// at a time; several contexts are independent of each other.
class Context {
public:
    /// Throws `Error` with a sentence for each device when none fits.
    explicit Context(ContextOptions options = {});
    /// Shares a host's device. Of the options, those that choose a device or make an instance are not read.
    explicit Context(const HostDevice& host, ContextOptions options = {});
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// What is supported and enabled.
    [[nodiscard]] const DeviceFacts& facts() const { return physical_.facts; }
    [[nodiscard]] const PhysicalDevice& physical() const { return physical_; }
    [[nodiscard]] VkDevice device() const { return device_->get(); }
    [[nodiscard]] VkQueue queue() const { return device_->queue(); }
    [[nodiscard]] const vk::DeviceTable& table() const { return device_->table(); }
    [[nodiscard]] const vk::Instance& instance() const { return *instance_; }
    [[nodiscard]] const vk::InstanceTable& instance_table() const { return instance_->table(); }
    [[nodiscard]] const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }
    [[nodiscard]] const ContextOptions& options() const { return options_; }
    [[nodiscard]] bool labels_dispatches() const { return options_.debug_labels && instance_->has_debug_utils(); }
    /// Messages of the validation layer; none unless it was asked for.
    [[nodiscard]] vk::ValidationLog& validation_log() const { return instance_->validation_log(); }
    [[nodiscard]] PipelineStore& pipelines() const { return *pipelines_; }

    /// Names an object for debuggers and validation messages, where those were asked for. Any thread.
    template <typename Handle>
    void name_object(VkObjectType type, Handle handle, std::string_view name) const {
        if (labels_dispatches()) set_object_name(type, reinterpret_cast<uint64_t>(handle), name);
    }
    /// Any thread.
    VkResult submit(const VkSubmitInfo& info, VkFence fence) const;
    void note(const std::string& text) const {
        if (options_.log) options_.log(text);
    }

private:
    void finish();
    void set_object_name(VkObjectType type, uint64_t handle, std::string_view name) const;

    ContextOptions options_;
    std::unique_ptr<vk::Instance> instance_;
    PhysicalDevice physical_;
    std::unique_ptr<vk::Device> device_;
    VkPhysicalDeviceMemoryProperties memory_{};
    std::unique_ptr<PipelineStore> pipelines_;
    mutable std::mutex queue_mutex_;
};

}  // namespace vkseg
