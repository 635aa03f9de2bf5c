#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vkseg {

enum class DeviceType : uint8_t { Other, Integrated, Discrete, Virtual, Cpu };

[[nodiscard]] const char* to_string(DeviceType type);

/// What a device can do at most. Zero where nobody says.
struct DevicePeaks {
    /// Multiply-adds count two.
    double fp32_gflops = 0;
    double fp16_gflops = 0;
    double memory_gb_per_s = 0;
    /// The same of data that a cache holds.
    double cache_gb_per_s = 0;
    /// What one more dispatch costs, its barrier included.
    double launch_us = 0;
    /// Whose figures these are.
    std::string source;

    [[nodiscard]] bool known() const { return fp32_gflops > 0 && memory_gb_per_s > 0; }
    bool operator==(const DevicePeaks&) const = default;
};

/// A GPU as a value: all that planning may know of a device. `runtime` fills it from a live device with what is
/// supported AND enabled; paper devices write it down. The defaults are the floor: what every Vulkan 1.1 device has.
struct DeviceFacts {
    std::string name = "minimal";
    /// Driver name and version as one text, e.g. "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)".
    std::string driver;
    DeviceType type = DeviceType::Other;
    uint32_t vendor_id = 0;
    uint32_t device_id = 0;
    /// VK_MAKE_API_VERSION encoding; 1.1 is the floor.
    uint32_t api_version = (1u << 22) | (1u << 12);
    uint32_t driver_version = 0;

    uint32_t max_workgroup_invocations = 128;
    uint32_t max_workgroup_size[3] = {128, 128, 64};
    uint32_t max_workgroup_count[3] = {65535, 65535, 65535};
    uint32_t max_shared_memory_bytes = 16 * 1024;
    uint32_t max_push_constant_bytes = 128;
    uint32_t max_storage_buffers_per_stage = 4;
    /// Largest range of one storage-buffer binding.
    uint64_t max_storage_buffer_range = uint64_t{1} << 27;
    uint32_t min_storage_buffer_offset_alignment = 256;
    uint32_t max_texel_buffer_elements = 65536;
    uint64_t max_allocation_bytes = uint64_t{1} << 30;
    /// Bytes of the largest device-local heap.
    uint64_t device_memory_bytes = uint64_t{1} << 30;

    /// Multiprocessors, compute units or cores; 0 where the driver does not say.
    uint32_t compute_units = 0;
    uint32_t subgroup_size = 1;
    bool subgroup_shuffle = false;
    bool subgroup_arithmetic = false;
    /// float16_t members in storage buffers (VK_KHR_16bit_storage).
    bool fp16_storage = false;
    /// float16_t arithmetic (shaderFloat16).
    bool fp16_arithmetic = false;
    /// uint8_t members in storage buffers; without it four labels are packed in a uint.
    bool int8_storage = false;
    bool buffer_device_address = false;
    /// 64-bit integers in shaders (shaderInt64).
    bool shader_int64 = false;
    bool timestamps = false;
    bool unified_memory = false;
    /// Of paper devices only: nothing that is planned may hang on them, because live devices do not tell.
    DevicePeaks peaks;

    bool operator==(const DeviceFacts&) const = default;
};

/// Whether plans for a device use the CPU-shaped kernels, unless they are denied: straight-line code with gathered
/// texel loads, 64-bit stores and weights at uniform addresses. It pays on drivers that compile shaders for a CPU with
/// wide vectors; a narrow texel view shows a driver of another kind.
[[nodiscard]] bool suits_cpu_shape(const DeviceFacts& facts);

/// Devices written down for tests and for `--paper-device`: nobody needs to own them to see their plan.
[[nodiscard]] const std::vector<DeviceFacts>& paper_devices();
/// The paper device of that name; throws `Error` listing the names.
[[nodiscard]] const DeviceFacts& paper_device(std::string_view name);

}  // namespace vkseg
