#include "runtime/api/c_objects.hpp"
#include "runtime/pipeline_store.hpp"

#include <string_view>

using namespace vkseg::capi;

namespace {

template <typename T>
T read(const VkBaseInStructure* structure) {
    T value;
    std::memcpy(&value, structure, sizeof(T));
    return value;
}

/// What a host enabled, of what this library knows how to use.
vkseg::DeviceFeatures read_features(const vkseg_context_desc& desc) {
    vkseg::DeviceFeatures features;
    for (const auto* next = static_cast<const VkBaseInStructure*>(desc.enabled_features); next != nullptr;
         next = next->pNext) {
        switch (next->sType) {
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2:
                features.shader_int64 |= read<VkPhysicalDeviceFeatures2>(next).features.shaderInt64 != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES:
                features.storage_16bit |=
                    read<VkPhysicalDevice16BitStorageFeatures>(next).storageBuffer16BitAccess != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES:
                features.storage_8bit |= read<VkPhysicalDevice8BitStorageFeatures>(next).storageBuffer8BitAccess != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES:
                features.shader_float16 |= read<VkPhysicalDeviceShaderFloat16Int8Features>(next).shaderFloat16 != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
                features.buffer_device_address |=
                    read<VkPhysicalDeviceBufferDeviceAddressFeatures>(next).bufferDeviceAddress != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
                features.storage_16bit |= read<VkPhysicalDeviceVulkan11Features>(next).storageBuffer16BitAccess != 0;
                break;
            case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES: {
                const auto found = read<VkPhysicalDeviceVulkan12Features>(next);
                features.storage_8bit |= found.storageBuffer8BitAccess != 0;
                features.shader_float16 |= found.shaderFloat16 != 0;
                features.buffer_device_address |= found.bufferDeviceAddress != 0;
                break;
            }
            default:
                break;
        }
    }
    return features;
}

vkseg::ContextOptions read_options(const vkseg_context_desc& desc) {
    vkseg::ContextOptions options;
    if (desc.device_name != nullptr) options.device = desc.device_name;
    options.disk_cache = (desc.flags & VKSEG_CONTEXT_DISK_CACHE) != 0;
    // Marks in a host's command buffers would be the host's to read.
    options.breadcrumbs = vkseg::BreadcrumbMode::Off;
    if (desc.cache != nullptr) {
        const auto* bytes = static_cast<const uint8_t*>(desc.cache);
        options.pipeline_cache.assign(bytes, bytes + desc.cache_size);
    }
    if (desc.note != nullptr)
        options.log = [note = desc.note, user = desc.user](const std::string& text) { note(user, text.c_str()); };
    if (desc.submit != nullptr)
        options.submit = [submit = desc.submit, user = desc.user](VkQueue queue, const VkSubmitInfo& info,
                                                                  VkFence fence) {
            return submit(user, queue, &info, fence);
        };
    return options;
}

std::shared_ptr<vkseg::Context> make_context(const vkseg_context_desc& desc) {
    const bool some = desc.get_instance_proc_addr != nullptr || desc.instance != nullptr || desc.api_version != 0 ||
                      desc.physical_device != nullptr || desc.device != nullptr || desc.queue != nullptr;
    if (!some) return std::make_shared<vkseg::Context>(read_options(desc));
    const auto need = [](bool present, const char* name) {
        if (!present)
            throw bad_argument(
                "desc->{} is zero; a host's device takes get_instance_proc_addr, instance, api_version, "
                "physical_device, "
                "device and queue_family, and a device of the library's own none of them",
                name);
    };
    need(desc.get_instance_proc_addr != nullptr, "get_instance_proc_addr");
    need(desc.instance != nullptr, "instance");
    need(desc.api_version != 0, "api_version");
    need(desc.physical_device != nullptr, "physical_device");
    need(desc.device != nullptr, "device");
    vkseg::HostDevice host;
    host.get_instance_proc_addr = desc.get_instance_proc_addr;
    host.instance = desc.instance;
    host.api_version = desc.api_version;
    host.physical_device = desc.physical_device;
    host.device = desc.device;
    host.queue = desc.queue;
    host.queue_family = desc.queue_family;
    host.features = read_features(desc);
    return std::make_shared<vkseg::Context>(host, read_options(desc));
}

/// What is there and was not enabled.
std::string advice(const vkseg::Context& context) {
    const vkseg::PhysicalDevice all = vkseg::describe(context.instance(), context.physical().handle);
    std::string text;
    if (all.features.buffer_device_address && !context.facts().buffer_device_address)
        text +=
            "Enable bufferDeviceAddress (Vulkan 1.2, or VK_KHR_buffer_device_address): activations may then be larger "
            "than one storage buffer shows.\n";
    if (vkseg::suits_cpu_shape(all.facts) && !vkseg::suits_cpu_shape(context.facts()))
        text += "Enable bufferDeviceAddress and shaderInt64: this CPU driver then runs straight-line kernels.\n";
    if (!context.facts().timestamps)
        text += "Use a queue family with timestamps: budgets in microseconds are then measured instead of estimated.\n";
    return text;
}

}  // namespace

vkseg_result vkseg_context_create(const vkseg_context_desc* desc, vkseg_context** context) {
    return guarded(
        [&] {
            required(context, "context") = nullptr;
            const vkseg_context_desc given = whole(desc, "desc");
            auto made = std::make_unique<vkseg_context>();
            made->context = make_context(given);
            made->checked = (given.flags & VKSEG_CONTEXT_CHECKED) != 0;
            made->would_be_faster_with = advice(*made->context);
            *context = made.release();
        },
        VKSEG_ERROR_UNSUPPORTED);
}

void vkseg_context_destroy(vkseg_context* context) {
    delete context;
}

vkseg_result vkseg_context_get_info(const vkseg_context* context, vkseg_context_info* info) {
    return guarded([&] {
        const vkseg::Context& found = *required(context, "context").context;
        vkseg_context_info result{};
        result.device_name = found.facts().name.c_str();
        result.driver = found.facts().driver.c_str();
        result.would_be_faster_with = context->would_be_faster_with.c_str();
        result.instance = found.instance().get();
        result.physical_device = found.physical().handle;
        result.device = found.device();
        result.queue = found.queue();
        result.queue_family = found.physical().queue_family;
        fill(info, "info", result);
    });
}

vkseg_result vkseg_context_get_cache(vkseg_context* context, void* data, size_t* size) {
    return guarded([&] {
        const std::vector<uint8_t> bytes = required(context, "context").context->pipelines().export_cache();
        const size_t room = required(size, "size");
        *size = bytes.size();
        if (data == nullptr) return;
        if (room < bytes.size())
            throw bad_argument("the cache has {} bytes, but there is room for {}", bytes.size(), room);
        std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t*>(data));
    });
}
