#include "runtime/device_choice.hpp"

#include "graph/ir/error.hpp"
#include "runtime/pipeline_cache_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace vkseg {

namespace {

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

int rank(DeviceType type) {
    switch (type) {
        case DeviceType::Discrete:
            return 0;
        case DeviceType::Integrated:
            return 1;
        case DeviceType::Virtual:
            return 2;
        case DeviceType::Other:
            return 3;
        case DeviceType::Cpu:
            return 4;
    }
    return 5;
}

bool matches(const PhysicalDevice& device, const std::string& wanted) {
    // Mesa's CPU driver calls its device llvmpipe; people know the Vulkan driver as lavapipe.
    const std::string word = wanted == "lavapipe" ? "llvmpipe" : wanted;
    return lower_case(device.facts.name).find(word) != std::string::npos ||
           lower_case(device.facts.driver).find(word) != std::string::npos;
}

bool processor_has_512_bits() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
    return false;
#endif
}

std::string describe_all(const std::vector<PhysicalDevice>& devices) {
    std::string text;
    for (size_t i = 0; i < devices.size(); ++i) {
        text += fmt::format("\n  [{}] {} ({})", i, devices[i].facts.name, to_string(devices[i].facts.type));
        if (!devices[i].lacks.empty()) text += fmt::format(": {}", fmt::join(devices[i].lacks, ", "));
    }
    return text;
}

}  // namespace

void make_swiftshader_visible() {
    for (const char* own : {"VK_ADD_DRIVER_FILES", "VK_DRIVER_FILES", "VK_ICD_FILENAMES"})
        if (std::getenv(own) != nullptr) return;  // the user has said which drivers there are
    const char* named = std::getenv("VKSEG_SWIFTSHADER_ICD");
    for (const char* file :
         {named, "/usr/lib/chromium/vk_swiftshader_icd.json", "/usr/lib64/chromium/vk_swiftshader_icd.json",
          "/usr/lib64/chromium-browser/vk_swiftshader_icd.json", "/opt/google/chrome/vk_swiftshader_icd.json"}) {
        std::error_code ignored;
        if (file == nullptr || !std::filesystem::exists(file, ignored)) continue;
        setenv("VK_ADD_DRIVER_FILES", file, 0);
        return;
    }
}

void widen_mesa_cpu_vectors() {
    if (!processor_has_512_bits() || std::getenv("LP_NATIVE_VECTOR_WIDTH") != nullptr) return;
    const char* users = std::getenv("MESA_SHADER_CACHE_DIR");
    const std::filesystem::path cache = users != nullptr && *users != 0 ? users : cache_folder();
    if (cache.empty()) return;
    std::error_code status;
    std::filesystem::create_directories(cache, status);  // Mesa makes the last folder only
    setenv("MESA_SHADER_CACHE_DIR", (cache / "mesa-512-bits").c_str(), 1);
    setenv("LP_NATIVE_VECTOR_WIDTH", "512", 1);
}

bool names_swiftshader(std::string_view wanted) {
    return lower_case(wanted).find("swift") != std::string::npos;
}

std::vector<PhysicalDevice> sorted_devices(const vk::Instance& instance) {
    std::vector<PhysicalDevice> devices;
    for (VkPhysicalDevice handle : instance.physical_devices()) devices.push_back(describe(instance, handle));
    std::ranges::stable_sort(devices, {}, [](const PhysicalDevice& device) {
        // SwiftShader is the slower of the two CPU drivers, and joins the list only where it was made visible.
        return rank(device.facts.type) * 2 + (matches(device, "swiftshader") ? 1 : 0);
    });
    return devices;
}

size_t choose_device(const std::vector<PhysicalDevice>& devices, std::string_view wanted) {
    if (devices.empty())
        throw error(
            "no Vulkan device was found; on Debian 'apt-get install mesa-vulkan-drivers' brings drivers for AMD and "
            "Intel GPUs and for the CPU");
    if (wanted.empty()) {
        for (size_t i = 0; i < devices.size(); ++i)
            if (devices[i].lacks.empty()) return i;
        throw error("no Vulkan device can be used:{}", describe_all(devices));
    }
    size_t found = devices.size();
    size_t index = 0;
    const auto [end, status] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
    if (status == std::errc() && end == wanted.data() + wanted.size()) {
        found = std::min(index, devices.size());
    } else {
        const std::string word = lower_case(wanted);
        found = static_cast<size_t>(
            std::ranges::find_if(devices, [&](const PhysicalDevice& device) { return matches(device, word); }) -
            devices.begin());
    }
    if (found == devices.size()) throw error("there is no device '{}'; found are:{}", wanted, describe_all(devices));
    if (!devices[found].lacks.empty())
        throw error("device '{}' cannot be used: {}", devices[found].facts.name, fmt::join(devices[found].lacks, ", "));
    return found;
}

}  // namespace vkseg
