#pragma once

#include "runtime/device_facts.hpp"

namespace vkseg::vk {

/// A VkDevice with its function table and one compute queue. The instance must outlive it.
class Device {
public:
    /// Opens `physical` with every optional feature that this runtime knows and the device has. Clears in
    /// `physical.facts` what did not come. Throws `Error` naming the device.
    Device(const Instance& instance, PhysicalDevice& physical);
    /// Borrows a host's device that was made with `physical.features`; it is not destroyed.
    Device(const Instance& instance, const PhysicalDevice& physical, VkDevice device, VkQueue queue);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] VkDevice get() const { return device_; }
    [[nodiscard]] VkQueue queue() const { return queue_; }
    [[nodiscard]] const DeviceTable& table() const { return table_; }
    /// For tests that count calls or make them fail.
    [[nodiscard]] DeviceTable& mutable_table() { return table_; }

private:
    void load_extension_functions(PFN_vkGetDeviceProcAddr get, const DeviceFeatures& features);

    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    DeviceTable table_;
    bool owned_ = false;
};

}  // namespace vkseg::vk
