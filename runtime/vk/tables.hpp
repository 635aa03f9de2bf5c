#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

// Function pointers, one table per instance and one per device. Nothing is global and nothing links to the loader, so a
// host that brings its own loader, or two contexts on two drivers, cannot collide.

namespace vkseg::vk {

#define VKSEG_INSTANCE_FUNCTIONS(X)           \
    X(DestroyInstance)                        \
    X(EnumeratePhysicalDevices)               \
    X(GetPhysicalDeviceProperties2)           \
    X(GetPhysicalDeviceFeatures2)             \
    X(GetPhysicalDeviceMemoryProperties)      \
    X(GetPhysicalDeviceFormatProperties)      \
    X(GetPhysicalDeviceQueueFamilyProperties) \
    X(EnumerateDeviceExtensionProperties)     \
    X(CreateDevice)                           \
    X(GetDeviceProcAddr)

// Absent unless the extension is enabled.
#define VKSEG_INSTANCE_EXTENSION_FUNCTIONS(X) \
    X(CreateDebugUtilsMessengerEXT)           \
    X(DestroyDebugUtilsMessengerEXT)          \
    X(CmdBeginDebugUtilsLabelEXT)             \
    X(CmdEndDebugUtilsLabelEXT)               \
    X(SetDebugUtilsObjectNameEXT)

#define VKSEG_DEVICE_FUNCTIONS(X)   \
    X(DestroyDevice)                \
    X(GetDeviceQueue)               \
    X(QueueSubmit)                  \
    X(DeviceWaitIdle)               \
    X(AllocateMemory)               \
    X(FreeMemory)                   \
    X(MapMemory)                    \
    X(InvalidateMappedMemoryRanges) \
    X(CreateBuffer)                 \
    X(DestroyBuffer)                \
    X(GetBufferMemoryRequirements)  \
    X(BindBufferMemory)             \
    X(CreateBufferView)             \
    X(DestroyBufferView)            \
    X(CreateShaderModule)           \
    X(DestroyShaderModule)          \
    X(CreatePipelineCache)          \
    X(DestroyPipelineCache)         \
    X(GetPipelineCacheData)         \
    X(CreateComputePipelines)       \
    X(DestroyPipeline)              \
    X(CreatePipelineLayout)         \
    X(DestroyPipelineLayout)        \
    X(CreateDescriptorSetLayout)    \
    X(DestroyDescriptorSetLayout)   \
    X(CreateDescriptorPool)         \
    X(DestroyDescriptorPool)        \
    X(AllocateDescriptorSets)       \
    X(UpdateDescriptorSets)         \
    X(CreateCommandPool)            \
    X(DestroyCommandPool)           \
    X(AllocateCommandBuffers)       \
    X(BeginCommandBuffer)           \
    X(EndCommandBuffer)             \
    X(ResetCommandBuffer)           \
    X(CmdBindPipeline)              \
    X(CmdBindDescriptorSets)        \
    X(CmdPushConstants)             \
    X(CmdDispatch)                  \
    X(CmdDispatchBase)              \
    X(CmdPipelineBarrier)           \
    X(CmdFillBuffer)                \
    X(CmdCopyBuffer)                \
    X(CmdCopyBufferToImage)         \
    X(CmdSetEvent)                  \
    X(CreateEvent)                  \
    X(DestroyEvent)                 \
    X(GetEventStatus)               \
    X(ResetEvent)                   \
    X(CmdResetQueryPool)            \
    X(CmdWriteTimestamp)            \
    X(CreateFence)                  \
    X(DestroyFence)                 \
    X(ResetFences)                  \
    X(WaitForFences)                \
    X(CreateQueryPool)              \
    X(DestroyQueryPool)             \
    X(GetQueryPoolResults)

// Absent unless the feature or extension is enabled.
#define VKSEG_DEVICE_EXTENSION_FUNCTIONS(X) \
    X(GetBufferDeviceAddress)               \
    X(CmdWriteBufferMarkerAMD)              \
    X(CmdSetCheckpointNV)                   \
    X(GetQueueCheckpointDataNV)

#define VKSEG_MEMBER(name) PFN_vk##name name = nullptr;

struct InstanceTable {
    VKSEG_INSTANCE_FUNCTIONS(VKSEG_MEMBER)
    VKSEG_INSTANCE_EXTENSION_FUNCTIONS(VKSEG_MEMBER)
};

struct DeviceTable {
    VKSEG_DEVICE_FUNCTIONS(VKSEG_MEMBER)
    VKSEG_DEVICE_EXTENSION_FUNCTIONS(VKSEG_MEMBER)
};

#undef VKSEG_MEMBER

[[nodiscard]] InstanceTable load_instance_table(VkInstance instance, PFN_vkGetInstanceProcAddr get);
/// Core functions only. A driver may hand out functions of extensions that are not enabled, so those are for
/// `vk::Device` to fill.
[[nodiscard]] DeviceTable load_device_table(VkDevice device, PFN_vkGetDeviceProcAddr get);

}  // namespace vkseg::vk
