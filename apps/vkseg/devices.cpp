#include "apps/vkseg/support.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vkseg::app {

namespace {

std::string version(uint32_t api) {
    return fmt::format("{}.{}", api >> 22 & 0x7f, api >> 12 & 0x3ff);
}

std::string yes_or_no(bool value) {
    return value ? "yes" : "no";
}

}  // namespace

int run_devices(const DevicesOptions& options) {
    const std::vector<DeviceEntry> devices = list_devices();
    if (!options.json.empty()) {
        nlohmann::json list = nlohmann::json::array();
        for (const DeviceEntry& device : devices) {
            const DeviceFacts& facts = device.facts;
            list.push_back({{"index", device.index},
                            {"name", facts.name},
                            {"type", to_string(facts.type)},
                            {"driver", facts.driver},
                            {"vulkan", version(facts.api_version)},
                            {"vendor_id", facts.vendor_id},
                            {"device_id", facts.device_id},
                            {"usable", device.lacks.empty()},
                            {"lacks", device.lacks},
                            {"memory_bytes", facts.device_memory_bytes},
                            {"unified_memory", facts.unified_memory},
                            {"max_storage_buffer_range", facts.max_storage_buffer_range},
                            {"max_texel_buffer_elements", facts.max_texel_buffer_elements},
                            {"max_workgroup_invocations", facts.max_workgroup_invocations},
                            {"max_shared_memory_bytes", facts.max_shared_memory_bytes},
                            {"compute_units", facts.compute_units},
                            {"subgroup_size", facts.subgroup_size},
                            {"fp16_storage", facts.fp16_storage},
                            {"fp16_arithmetic", facts.fp16_arithmetic},
                            {"int8_storage", facts.int8_storage},
                            {"buffer_device_address", facts.buffer_device_address},
                            {"shader_int64", facts.shader_int64},
                            {"timestamps", facts.timestamps}});
        }
        write_json({{"devices", list}}, options.json);
        return 0;
    }
    for (const DeviceEntry& device : devices) {
        const DeviceFacts& facts = device.facts;
        fmt::print("[{}] {} ({})\n", device.index, facts.name, to_string(facts.type));
        fmt::print("    driver {}, Vulkan {}\n", facts.driver, version(facts.api_version));
        for (const std::string& lack : device.lacks) fmt::print("    cannot be used: {}\n", lack);
        if (!device.lacks.empty()) continue;
        fmt::print(
            "    memory {} MB{}, binding range {} MB, shared {} KB, workgroup {}, subgroup {}, compute "
            "units {}\n",
            facts.device_memory_bytes >> 20, facts.unified_memory ? " unified" : "",
            facts.max_storage_buffer_range >> 20, facts.max_shared_memory_bytes >> 10, facts.max_workgroup_invocations,
            facts.subgroup_size, facts.compute_units == 0 ? "unknown" : fmt::to_string(facts.compute_units));
        fmt::print(
            "    fp16 storage {}, fp16 arithmetic {}, 8-bit storage {}, device addresses {}, 64-bit integers {}, "
            "timestamps "
            "{}\n",
            yes_or_no(facts.fp16_storage), yes_or_no(facts.fp16_arithmetic), yes_or_no(facts.int8_storage),
            yes_or_no(facts.buffer_device_address), yes_or_no(facts.shader_int64), yes_or_no(facts.timestamps));
    }
    return 0;
}

}  // namespace vkseg::app
