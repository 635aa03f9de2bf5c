#include "runtime/context.hpp"

#include "runtime/device_choice.hpp"
#include "runtime/pipeline_store.hpp"

#include <cstdlib>
#include <cstring>
#include <optional>

namespace vkseg {

namespace {

/// A switch in the environment, if it is set.
std::optional<bool> environment_switch(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::strcmp(value, "0") != 0;
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
        entries.push_back({static_cast<int>(entries.size()), std::move(device.facts), std::move(device.lacks)});
    return entries;
}

Context::Context(ContextOptions options) : options_(std::move(options)) {
    if (options_.device.empty())
        if (const char* wanted = std::getenv("VKSEG_DEVICE")) options_.device = wanted;
    options_.validation = options_.validation || environment_switch("VKSEG_VALIDATION").value_or(false);
    // Messages are of little use without names.
    options_.debug_labels = options_.debug_labels || options_.validation;
    // An index counts in the full listing, so the same drivers must be there.
    if (is_number(options_.device) || names_swiftshader(options_.device)) make_swiftshader_visible();
    instance_ = std::make_unique<vk::Instance>(vk::Library::open(options_.loader_path), options_.validation);
    std::vector<PhysicalDevice> devices = sorted_devices(*instance_);
    physical_ = std::move(devices[choose_device(devices, options_.device)]);
    device_ = std::make_unique<vk::Device>(*instance_, physical_);
    finish();
}

Context::Context(const HostDevice& host, ContextOptions options) : options_(std::move(options)) {
    instance_ = std::make_unique<vk::Instance>(host.get_instance_proc_addr, host.instance, host.api_version);
    physical_ = describe(*instance_, host.physical_device, host.queue_family, host.features);
    if (!physical_.lacks.empty())
        throw error("device '{}' cannot be used: {}", physical_.facts.name, fmt::join(physical_.lacks, ", "));
    device_ = std::make_unique<vk::Device>(*instance_, physical_, host.device, host.queue);
    finish();
}

void Context::finish() {
    if (const auto wanted = environment_switch("VKSEG_BREADCRUMBS"))
        options_.breadcrumbs = *wanted ? BreadcrumbMode::Always : BreadcrumbMode::Off;
    if (options_.intercept) options_.intercept(device_->mutable_table());
    instance_->table().GetPhysicalDeviceMemoryProperties(physical_.handle, &memory_);
    pipelines_ = std::make_unique<PipelineStore>(*this, options_.disk_cache);
}

Context::~Context() = default;  // pipelines, then the device, then the instance

VkResult Context::submit(const VkSubmitInfo& info, VkFence fence) const {
    const std::scoped_lock lock(queue_mutex_);
    if (options_.submit) return options_.submit(queue(), info, fence);
    return table().QueueSubmit(queue(), 1, &info, fence);
}

void Context::set_object_name(VkObjectType type, uint64_t handle, std::string_view name) const {
    const std::string text(name);
    VkDebugUtilsObjectNameInfoEXT info{VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT};
    info.objectType = type;
    info.objectHandle = handle;
    info.pObjectName = text.c_str();
    // A name that cannot be given is no failure.
    static_cast<void>(instance_->table().SetDebugUtilsObjectNameEXT(device(), &info));
}

}  // namespace vkseg
