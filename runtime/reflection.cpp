#include "runtime/reflection.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace vkseg {

namespace {

// From the SPIR-V specification, unified1.
constexpr uint32_t magic = 0x07230203;
constexpr size_t header_words = 5;
constexpr uint32_t op_type_image = 25, op_type_pointer = 32, op_variable = 59, op_decorate = 71;
constexpr uint32_t dim_2d = 1;
constexpr uint32_t decoration_binding = 33, decoration_set = 34;
constexpr uint32_t storage_uniform_constant = 0, storage_buffer = 12;

struct Variable {
    uint32_t pointer = 0;
    uint32_t id = 0;
    uint32_t storage_class = 0;
};

/// The kernels' opaque resources are the arena's texel view and a host's sampled image.
VkDescriptorType opaque_type(uint32_t dim) {
    return dim == dim_2d ? VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE : VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
}

}  // namespace

std::vector<ShaderBinding> reflect_bindings(std::span<const uint32_t> spirv) {
    if (spirv.size() < header_words || spirv[0] != magic) throw error("this is not a SPIR-V module");
    std::map<uint32_t, uint32_t> binding_of, set_of, pointee_of, dim_of;
    std::vector<Variable> variables;
    for (size_t at = header_words; at < spirv.size();) {
        const uint32_t opcode = spirv[at] & 0xffff, length = spirv[at] >> 16;
        if (length == 0 || at + length > spirv.size()) throw error("the SPIR-V module is damaged at word {}", at);
        if (opcode == op_decorate && length >= 4) {
            if (spirv[at + 2] == decoration_binding) binding_of[spirv[at + 1]] = spirv[at + 3];
            if (spirv[at + 2] == decoration_set) set_of[spirv[at + 1]] = spirv[at + 3];
        }
        if (opcode == op_type_image && length >= 4) dim_of[spirv[at + 1]] = spirv[at + 3];
        if (opcode == op_type_pointer && length >= 4) pointee_of[spirv[at + 1]] = spirv[at + 3];
        if (opcode == op_variable && length >= 4) variables.push_back({spirv[at + 1], spirv[at + 2], spirv[at + 3]});
        at += length;
    }
    std::vector<ShaderBinding> bindings;
    for (const Variable& variable : variables) {
        if (variable.storage_class != storage_buffer && variable.storage_class != storage_uniform_constant) continue;
        const auto binding = binding_of.find(variable.id), set = set_of.find(variable.id);
        if (binding == binding_of.end() || set == set_of.end()) continue;
        bindings.push_back({set->second, binding->second,
                            variable.storage_class == storage_buffer
                                ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                : opaque_type(dim_of[pointee_of[variable.pointer]])});
    }
    std::ranges::sort(bindings, {}, [](const ShaderBinding& b) { return std::tuple(b.set, b.binding); });
    return bindings;
}

}  // namespace vkseg
