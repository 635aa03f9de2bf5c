#pragma once

#include "runtime/device_facts.hpp"

#include <string_view>

namespace vkseg {

/// Makes the loader find SwiftShader, whose driver lies beside the browser that ships it (or where the environment's
/// VKSEG_SWIFTSHADER_ICD says). Sets VK_ADD_DRIVER_FILES unless the user chose drivers; call before other threads read
/// the environment.
void make_swiftshader_visible();

/// Lets Mesa's CPU driver compute 16 numbers at a time where the processor has vectors of 512 bits (AVX-512); of itself
/// it takes 256. Sets LP_NATIVE_VECTOR_WIDTH, unless the user did, and MESA_SHADER_CACHE_DIR, because Mesa 22.3 finds
/// code of one width in the cache of the other: to a folder within the user's or ours, for all of Mesa's drivers in the
/// process. For programs that only compute, since Mesa 22.3.6 crashes where it draws with such vectors, before their
/// first Vulkan call and before other threads read the environment.
void widen_mesa_cpu_vectors();

/// "SwiftShader", "swift": a name that only SwiftShader can have.
[[nodiscard]] bool names_swiftshader(std::string_view wanted);

/// In the order of choice: discrete, integrated, virtual, other, CPU; otherwise as the loader lists them.
[[nodiscard]] std::vector<PhysicalDevice> sorted_devices(const vk::Instance& instance);

/// Index of the device that `wanted` names (see ContextOptions::device; not empty: the first usable one). Throws
/// `Error` with a sentence per device when none fits.
[[nodiscard]] size_t choose_device(const std::vector<PhysicalDevice>& devices, std::string_view wanted);

}  // namespace vkseg
