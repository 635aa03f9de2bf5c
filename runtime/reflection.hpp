#pragma once

#include "runtime/vk/tables.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace vkseg {

struct ShaderBinding {
    uint32_t set = 0;
    uint32_t binding = 0;
    VkDescriptorType type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bool operator==(const ShaderBinding&) const = default;
};

/// The resources that a SPIR-V module declares, sorted by set and binding: layouts hold only what is used, because some
/// devices allow no more than four storage buffers in a shader. Throws `Error` on words that are no SPIR-V module.
[[nodiscard]] std::vector<ShaderBinding> reflect_bindings(std::span<const uint32_t> spirv);

}  // namespace vkseg
