#pragma once

#include "runtime/device_facts.hpp"

#include <string_view>

namespace vkseg {

/// Makes the loader find SwiftShader, whose driver lies beside the browser that ships it (or where the environment's
/// VKSEG_SWIFTSHADER_ICD says). Sets VK_ADD_DRIVER_FILES unless the user chose drivers; call before other threads read
/// the environment.
void make_swiftshader_visible();

/// "SwiftShader", "swift": a name that only SwiftShader can have.
[[nodiscard]] bool names_swiftshader(std::string_view wanted);

/// In the order of choice: discrete, integrated, virtual, other, CPU; otherwise as the loader lists them.
[[nodiscard]] std::vector<PhysicalDevice> sorted_devices(const vk::Instance& instance);

/// Index of the device that `wanted` names (see ContextOptions::device; not empty: the first usable one). Throws
/// `Error` with a sentence per device when none fits.
[[nodiscard]] size_t choose_device(const std::vector<PhysicalDevice>& devices, std::string_view wanted);

}  // namespace vkseg
