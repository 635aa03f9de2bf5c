#include "runtime/vk/tables.hpp"

#include "graph/ir/error.hpp"

namespace vkseg::vk {

InstanceTable load_instance_table(VkInstance instance, PFN_vkGetInstanceProcAddr get) {
    InstanceTable table;
#define VKSEG_LOAD(name) table.name = reinterpret_cast<PFN_vk##name>(get(instance, "vk" #name));
#define VKSEG_LOAD_REQUIRED(name) \
    VKSEG_LOAD(name)              \
    if (table.name == nullptr) throw error("the Vulkan loader has no vk" #name "; Vulkan 1.1 is needed");
    VKSEG_INSTANCE_FUNCTIONS(VKSEG_LOAD_REQUIRED)
    VKSEG_INSTANCE_EXTENSION_FUNCTIONS(VKSEG_LOAD)
#undef VKSEG_LOAD
#undef VKSEG_LOAD_REQUIRED
    return table;
}

DeviceTable load_device_table(VkDevice device, PFN_vkGetDeviceProcAddr get) {
    DeviceTable table;
#define VKSEG_LOAD(name)                                                  \
    table.name = reinterpret_cast<PFN_vk##name>(get(device, "vk" #name)); \
    if (table.name == nullptr) throw error("the Vulkan driver has no vk" #name);
    VKSEG_DEVICE_FUNCTIONS(VKSEG_LOAD)
#undef VKSEG_LOAD
    return table;
}

}  // namespace vkseg::vk
