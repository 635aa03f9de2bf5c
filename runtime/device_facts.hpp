#pragma once

#include "graph/plan/device_facts.hpp"
#include "runtime/vk/instance.hpp"

#include <string>
#include <vector>

namespace vkseg {

/// Optional device features that this runtime knows how to use, as a chain for vkCreateDevice.
struct DeviceFeatures {
    bool buffer_device_address = false;
    bool storage_16bit = false;
    bool storage_8bit = false;
    bool shader_float16 = false;
    /// Extensions that must be enabled for them on this device's version.
    std::vector<const char*> extensions;
};

/// A physical device as found: facts as if everything optional were enabled, and what keeps it from being used.
struct PhysicalDevice {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    DeviceFacts facts;
    DeviceFeatures features;
    uint32_t queue_family = 0;
    /// Nanoseconds per timestamp tick; 0 without timestamps.
    float timestamp_period_ns = 0.0f;
    uint8_t pipeline_cache_uuid[VK_UUID_SIZE] = {};
    /// Sentences; empty when the device can be used.
    std::vector<std::string> lacks;
};

[[nodiscard]] PhysicalDevice describe(const vk::Instance& instance, VkPhysicalDevice device);

}  // namespace vkseg
