#include "graph/plan/device_facts.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>

namespace vkseg {

const char* to_string(DeviceType type) {
    switch (type) {
        case DeviceType::Other:
            return "other";
        case DeviceType::Integrated:
            return "integrated";
        case DeviceType::Discrete:
            return "discrete";
        case DeviceType::Virtual:
            return "virtual";
        case DeviceType::Cpu:
            return "cpu";
    }
    return "";
}

bool suits_cpu_shape(const DeviceFacts& facts) {
    return facts.type == DeviceType::Cpu && facts.buffer_device_address && facts.shader_int64 &&
           facts.subgroup_size >= 8 && facts.max_texel_buffer_elements >= (1u << 24);
}

namespace {

constexpr uint64_t MiB = uint64_t{1} << 20;
constexpr uint64_t GiB = uint64_t{1} << 30;

constexpr uint32_t api(uint32_t major, uint32_t minor) {
    return major << 22 | minor << 12;
}

/// Multiply-adds a clock, times clock in GHz.
constexpr double gflops(double lanes, double ghz) {
    return 2.0 * lanes * ghz;
}

/// Launches are assumptions, not published figures: what a small dispatch and its barrier cost on devices of that
/// class.
constexpr double discrete_launch_us = 3, integrated_launch_us = 6, phone_launch_us = 25;

/// Limits as the drivers publish them; where a driver's value varies between versions, the lower one.
std::vector<DeviceFacts> describe_devices() {
    std::vector<DeviceFacts> devices;
    const auto add = [&](const DeviceFacts& device) { devices.push_back(device); };

    add(DeviceFacts{});  // "minimal": what the specification guarantees on Vulkan 1.1

    DeviceFacts nvidia;
    nvidia.name = "nvidia-discrete";
    nvidia.driver = "NVIDIA (on paper)";
    nvidia.type = DeviceType::Discrete;
    nvidia.vendor_id = 0x10de;
    nvidia.api_version = api(1, 3);
    nvidia.max_workgroup_invocations = 1024;
    nvidia.max_workgroup_size[0] = nvidia.max_workgroup_size[1] = 1024;
    nvidia.max_workgroup_count[0] = 2147483647;
    nvidia.max_shared_memory_bytes = 48 * 1024;
    nvidia.max_push_constant_bytes = 256;
    nvidia.max_storage_buffers_per_stage = 1048576;
    nvidia.max_storage_buffer_range = 4 * GiB - 1;
    nvidia.min_storage_buffer_offset_alignment = 16;
    nvidia.max_texel_buffer_elements = 134217728;
    nvidia.max_allocation_bytes = 4 * GiB - 1;
    nvidia.device_memory_bytes = 12 * GiB;
    nvidia.subgroup_size = 32;
    nvidia.subgroup_shuffle = nvidia.subgroup_arithmetic = true;
    nvidia.fp16_storage = nvidia.fp16_arithmetic = nvidia.int8_storage = true;
    nvidia.buffer_device_address = nvidia.shader_int64 = true;
    nvidia.timestamps = true;
    // Of the cards with 12 GB the slowest: NVIDIA's product page has 3584 CUDA cores at 1.78 GHz boost, 192 bits of
    // GDDR6 at 15 Gbit/s; the GA10x whitepaper has 128 cores a multiprocessor, and fp16 at the rate of fp32.
    nvidia.compute_units = 28;
    nvidia.peaks = {gflops(3584, 1.777), gflops(3584, 1.777), 360, 0, discrete_launch_us, "GeForce RTX 3060 12 GB"};
    add(nvidia);

    DeviceFacts orin = nvidia;
    orin.name = "jetson-orin";
    orin.type = DeviceType::Integrated;
    orin.device_memory_bytes = 8 * GiB;
    orin.unified_memory = true;
    // Jetson Orin Nano series data sheet: 1024 CUDA cores at 625 MHz, 68 GB/s (before the faster "Super" modes); 128
    // cores a multiprocessor. fp16 as above.
    orin.compute_units = 8;
    orin.peaks = {gflops(1024, 0.625), gflops(1024, 0.625), 68, 0, integrated_launch_us, "Jetson Orin Nano 8 GB"};
    add(orin);

    DeviceFacts tx2 = orin;
    tx2.name = "jetson-tx2";
    tx2.api_version = api(1, 2);
    tx2.device_memory_bytes = 7 * GiB;
    // Jetson TX2 data sheet: 256 Pascal cores at 1.3 GHz, "1.33 TFLOPS" in fp16, 59.7 GB/s; two multiprocessors.
    tx2.compute_units = 2;
    tx2.peaks = {gflops(256, 1.3), gflops(512, 1.3), 59.7, 0, integrated_launch_us, "Jetson TX2"};
    add(tx2);

    DeviceFacts nano = tx2;
    nano.name = "jetson-nano";
    nano.fp16_arithmetic = true;
    nano.device_memory_bytes = 4 * GiB;
    nano.max_allocation_bytes = 2 * GiB;
    // Jetson Nano data sheet: 128 Maxwell cores at 921 MHz, "472 GFLOPS" in fp16, 25.6 GB/s; one multiprocessor.
    nano.compute_units = 1;
    nano.peaks = {gflops(128, 0.9216), gflops(256, 0.9216), 25.6, 0, integrated_launch_us, "Jetson Nano"};
    add(nano);

    DeviceFacts amd = nvidia;
    amd.name = "amd-rdna2";
    amd.driver = "radv (on paper)";
    amd.vendor_id = 0x1002;
    amd.max_workgroup_count[0] = 4294967295u;
    amd.max_shared_memory_bytes = 64 * 1024;
    amd.max_storage_buffer_range = 4 * GiB - 1;
    amd.min_storage_buffer_offset_alignment = 4;
    amd.max_texel_buffer_elements = 4294967295u;
    amd.subgroup_size = 64;
    // AMD's product page: 40 compute units of 64 lanes, 2581 MHz boost, 384 GB/s; packed fp16 at twice the rate. Its
    // 96 MB of Infinity Cache are in no floor.
    amd.compute_units = 40;
    amd.peaks = {gflops(2560, 2.581), gflops(5120, 2.581), 384, 0, discrete_launch_us, "Radeon RX 6700 XT"};
    add(amd);

    DeviceFacts arc = nvidia;
    arc.name = "intel-arc";
    arc.driver = "anv (on paper)";
    arc.vendor_id = 0x8086;
    arc.max_workgroup_count[0] = 65535;
    arc.max_shared_memory_bytes = 64 * 1024;
    arc.max_storage_buffer_range = 1 * GiB;
    arc.min_storage_buffer_offset_alignment = 4;
    arc.max_push_constant_bytes = 128;
    arc.device_memory_bytes = 8 * GiB;
    // Intel's product page: 28 Xe cores of 128 lanes at 2050 MHz, 512 GB/s; fp16 at twice the rate.
    arc.compute_units = 28;
    arc.peaks = {gflops(3584, 2.05), gflops(7168, 2.05), 512, 0, discrete_launch_us, "Arc A750"};
    add(arc);

    DeviceFacts mali;
    mali.name = "mali-g78";
    mali.driver = "Arm proprietary (on paper)";
    mali.type = DeviceType::Integrated;
    mali.vendor_id = 0x13b5;
    mali.max_workgroup_invocations = 512;
    mali.max_workgroup_size[0] = mali.max_workgroup_size[1] = mali.max_workgroup_size[2] = 512;
    mali.max_shared_memory_bytes = 32 * 1024;
    mali.max_storage_buffers_per_stage = 35;
    mali.max_storage_buffer_range = 128 * MiB;
    mali.min_storage_buffer_offset_alignment = 256;
    mali.max_texel_buffer_elements = 65536;
    mali.device_memory_bytes = 4 * GiB;
    mali.subgroup_size = 16;
    mali.subgroup_arithmetic = true;
    mali.fp16_storage = mali.fp16_arithmetic = mali.int8_storage = true;
    mali.timestamps = true;
    mali.unified_memory = true;
    // Exynos 2100: 14 cores (Samsung); 32 multiply-adds a core and clock in fp32, twice that in fp16 (Arm's Valhall
    // pages); 854 MHz and 51.2 GB/s of LPDDR5 as reviewers measured and computed (AnandTech).
    mali.compute_units = 14;
    mali.peaks = {gflops(14 * 32, 0.854), gflops(14 * 64, 0.854),      51.2, 0,
                  phone_launch_us,        "Mali-G78 MP14, Exynos 2100"};
    add(mali);

    DeviceFacts adreno = mali;
    adreno.name = "adreno-640";
    adreno.driver = "Qualcomm proprietary (on paper)";
    adreno.vendor_id = 0x5143;
    adreno.max_workgroup_invocations = 1024;
    adreno.max_workgroup_size[0] = adreno.max_workgroup_size[1] = 1024;
    adreno.max_workgroup_size[2] = 64;
    adreno.max_storage_buffers_per_stage = 24;
    adreno.min_storage_buffer_offset_alignment = 64;
    adreno.subgroup_size = 64;
    adreno.int8_storage = false;
    // Snapdragon 855: 768 multiply-adds a clock at 585 MHz in two cores, 34.1 GB/s of LPDDR4X (notebookcheck and
    // nanoreview; Qualcomm publishes neither clock nor lanes); fp16 at twice the rate.
    adreno.compute_units = 2;
    adreno.peaks = {gflops(768, 0.585), gflops(1536, 0.585), 34.1, 0, phone_launch_us, "Adreno 640, Snapdragon 855"};
    add(adreno);

    DeviceFacts lavapipe;
    lavapipe.name = "lavapipe";
    lavapipe.driver = "llvmpipe Mesa 22.3.6 (LLVM 15.0.6) (on paper)";
    lavapipe.type = DeviceType::Cpu;
    lavapipe.vendor_id = 0x10005;
    lavapipe.api_version = api(1, 3);
    lavapipe.max_workgroup_invocations = 1024;
    lavapipe.max_workgroup_size[0] = lavapipe.max_workgroup_size[1] = lavapipe.max_workgroup_size[2] = 1024;
    lavapipe.max_shared_memory_bytes = 32 * 1024;
    lavapipe.max_storage_buffers_per_stage = 32;
    lavapipe.max_storage_buffer_range = 128 * MiB;
    lavapipe.min_storage_buffer_offset_alignment = 16;
    lavapipe.max_texel_buffer_elements = 134217728;
    lavapipe.max_allocation_bytes = 2 * GiB;
    lavapipe.device_memory_bytes = 2 * GiB;
    lavapipe.subgroup_size = 8;
    lavapipe.subgroup_arithmetic = true;
    lavapipe.fp16_storage = lavapipe.fp16_arithmetic = lavapipe.int8_storage = true;
    lavapipe.buffer_device_address = lavapipe.shader_int64 = true;
    lavapipe.timestamps = true;
    lavapipe.unified_memory = true;
    add(lavapipe);

    DeviceFacts swiftshader;
    swiftshader.name = "swiftshader";
    swiftshader.driver = "SwiftShader driver (on paper)";
    swiftshader.type = DeviceType::Cpu;
    swiftshader.vendor_id = 0x1ae0;
    swiftshader.api_version = api(1, 3);
    swiftshader.max_workgroup_invocations = 256;
    swiftshader.max_workgroup_size[0] = swiftshader.max_workgroup_size[1] = 256;
    swiftshader.max_shared_memory_bytes = 32 * 1024;
    swiftshader.max_storage_buffers_per_stage = 30;
    swiftshader.max_storage_buffer_range = 1 * GiB;
    swiftshader.max_texel_buffer_elements = 65536;
    swiftshader.device_memory_bytes = 4 * GiB;
    swiftshader.max_allocation_bytes = 2 * GiB;
    swiftshader.subgroup_size = 4;
    swiftshader.subgroup_shuffle = swiftshader.subgroup_arithmetic = true;
    swiftshader.buffer_device_address = true;
    swiftshader.timestamps = true;
    swiftshader.unified_memory = true;
    add(swiftshader);
    return devices;
}

}  // namespace

const std::vector<DeviceFacts>& paper_devices() {
    static const std::vector<DeviceFacts> devices = describe_devices();
    return devices;
}

const DeviceFacts& paper_device(std::string_view name) {
    std::string names;
    for (const DeviceFacts& device : paper_devices()) {
        if (device.name == name) return device;
        names += (names.empty() ? "" : ", ") + device.name;
    }
    throw error("there is no paper device '{}'; known are {}", name, names);
}

}  // namespace vkseg
