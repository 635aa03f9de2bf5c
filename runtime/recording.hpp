#pragma once

#include "graph/plan/plan.hpp"
#include "runtime/pipeline_store.hpp"
#include "runtime/vk/owned.hpp"

#include <array>
#include <cassert>
#include <map>
#include <span>
#include <vector>

// What every recording of a plan is made of, whoever owns memory and command buffer.

namespace vkseg {

constexpr VkAccessFlags shader_access = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
/// What a session or a host clears of an arena whose plan wants `clears_zero_texel`.
constexpr uint64_t zero_texel_bytes = 256;

/// A part of a buffer. `address` is that of the part's start, 0 without buffer device addresses.
struct BufferRange {
    VkBuffer buffer = VK_NULL_HANDLE;
    uint64_t offset_bytes = 0;
    uint64_t size_bytes = 0;
    uint64_t address = 0;
};

/// Where a plan's own memory is.
struct PlanMemory {
    BufferRange arena, weights;
    /// The arena as texels; null when the plan has no use for it.
    VkBufferView texels = VK_NULL_HANDLE;
};

/// What is bound at one binding of set 1.
struct HostPart {
    VkDescriptorBufferInfo buffer{};
    /// For a sampled image.
    VkDescriptorImageInfo image{};
};

/// The resource of each binding of a descriptor set, ready to be written or to be compared.
class SetContents {
public:
    /// Internal bindings: set 0 of `dispatch`.
    SetContents(const ShaderProgram& program, const Dispatch& dispatch, const PlanMemory& memory,
                uint64_t max_storage_buffer_range);
    /// Set 1 of `program`; `part` gives the resource of a binding.
    template <typename Part>
    SetContents(const ShaderProgram& program, const Part& part) {
        for (const ShaderBinding& binding : program.bindings)
            if (binding.set == 1) add(binding, part(binding.binding), VK_NULL_HANDLE);
    }

    /// Equal keys mean equal contents.
    [[nodiscard]] std::vector<uint64_t> key() const;
    void write(const vk::DeviceTable& table, VkDevice device, VkDescriptorSet set) const;

private:
    struct Entry {
        ShaderBinding binding;
        HostPart part;
        VkBufferView texels = VK_NULL_HANDLE;
    };
    void add(const ShaderBinding& binding, const HostPart& part, VkBufferView texels) {
        assert(count_ < entries_.size());
        entries_[count_++] = {binding, part, texels};
    }
    [[nodiscard]] std::span<const Entry> entries() const { return {entries_.data(), count_}; }

    // No kernel has more bindings in a set; the array spares every recording an allocation.
    std::array<Entry, 5> entries_;
    size_t count_ = 0;
};

/// Descriptor sets by their contents, so that dispatches and plans share them. Sets live until `clear`.
class DescriptorSets {
public:
    explicit DescriptorSets(const Context& context) : context_(context) {}
    VkDescriptorSet request(VkDescriptorSetLayout layout, const SetContents& contents);
    /// A set that is not shared, for contents that change.
    VkDescriptorSet create(VkDescriptorSetLayout layout);
    [[nodiscard]] size_t size() const { return sets_.size(); }
    void clear();

private:
    const Context& context_;
    std::vector<vk::Owned<VkDescriptorPool>> pools_;
    uint32_t left_ = 0;
    std::map<std::vector<uint64_t>, VkDescriptorSet> sets_;
};

/// The dispatch's push constants with the addresses of `memory` in them.
[[nodiscard]] std::vector<uint8_t> resolve_push(const Dispatch& dispatch, const PlanMemory& memory);

/// Workgroups of a dispatch, a box of its grid.
struct GridPart {
    std::array<uint32_t, 3> base{}, count{};
    [[nodiscard]] bool empty() const { return count[0] == 0 || count[1] == 0 || count[2] == 0; }
};
/// Pieces [first, end) of `pieces` into which the grid is cut along its longest axis.
[[nodiscard]] GridPart part_of_grid(const std::array<uint32_t, 3>& grid, uint32_t first, uint32_t end, uint32_t pieces);

/// Pipeline, descriptor sets (null ones are skipped), push constants, and a dispatch of the part; within a debug label
/// when the context wants those. A kernel that asks for the size of its grid gets that of the part.
void record_dispatch(const Context& context, VkCommandBuffer commands, const Dispatch& dispatch, VkPipeline pipeline,
                     const ShaderProgram& program, std::span<const VkDescriptorSet> sets, std::span<const uint8_t> push,
                     const GridPart& part);

void record_barrier(const vk::DeviceTable& table, VkCommandBuffer commands, VkPipelineStageFlags from_stage,
                    VkAccessFlags from, VkPipelineStageFlags to_stage, VkAccessFlags to);

/// The texel view that a plan reads its arena through.
[[nodiscard]] vk::Owned<VkBufferView> make_texel_view(const Context& context, const BufferRange& arena, bool fp16);

}  // namespace vkseg
