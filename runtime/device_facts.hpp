#pragma once

#include "graph/plan/device_facts.hpp"
#include "runtime/vk/instance.hpp"

#include <string>
#include <vector>

namespace vkseg {

/// Optional device features that this runtime knows how to use.
struct DeviceFeatures {
    bool buffer_device_address = false;
    bool storage_16bit = false;
    bool storage_8bit = false;
    bool shader_float16 = false;
    bool shader_int64 = false;
    /// VK_AMD_buffer_marker and VK_NV_device_diagnostic_checkpoints: what a lost device was doing.
    bool buffer_marker = false;
    bool checkpoints = false;
    /// Extensions that must be enabled for them on this device's version.
    std::vector<const char*> extensions;
};

/// A physical device as found: facts as if everything optional were enabled, and what keeps it from being used.
struct PhysicalDevice {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    DeviceFacts facts;
    DeviceFeatures features;
    uint32_t queue_family = 0;
    /// Nanoseconds per timestamp tick.
    float timestamp_period_ns = 0.0f;
    /// Bits of a timestamp that count; the others are undefined. 0 without timestamps.
    uint64_t timestamp_mask = 0;
    uint8_t pipeline_cache_uuid[VK_UUID_SIZE] = {};
    /// Sentences; empty when the device can be used.
    std::vector<std::string> lacks;
};

[[nodiscard]] PhysicalDevice describe(const vk::Instance& instance, VkPhysicalDevice device);

/// The same for a device that a host made with `enabled` features and a queue of `queue_family`: facts hold nothing
/// that is not enabled.
[[nodiscard]] PhysicalDevice describe(const vk::Instance& instance, VkPhysicalDevice device, uint32_t queue_family,
                                      const DeviceFeatures& enabled);

}  // namespace vkseg
