#include "runtime/recording.hpp"

#include "runtime/context.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace vkseg {

namespace {

constexpr uint32_t sets_per_pool = 256;

VkDescriptorBufferInfo whole(const BufferRange& range, uint64_t limit) {
    return {range.buffer, range.offset_bytes, std::min(range.size_bytes, limit)};
}

}  // namespace

SetContents::SetContents(const ShaderProgram& program, const Dispatch& dispatch, const PlanMemory& memory,
                         uint64_t max_storage_buffer_range) {
    for (const ShaderBinding& binding : program.bindings) {
        if (binding.set != 0) continue;
        // An operand that this specialisation never touches still needs a descriptor; the weights are only read.
        VkDescriptorBufferInfo buffer = whole(memory.weights, max_storage_buffer_range);
        if (binding.binding < dispatch.windows.size() && dispatch.windows[binding.binding].used()) {
            const ArenaSlice& window = dispatch.windows[binding.binding];
            buffer = {memory.arena.buffer, memory.arena.offset_bytes + window.offset_bytes, window.size_bytes};
        }
        add(binding, {buffer, {}}, memory.texels);
    }
}

std::vector<uint64_t> SetContents::key() const {
    std::vector<uint64_t> key;
    for (const Entry& entry : entries()) {
        key.push_back(uint64_t{entry.binding.set} << 32 | entry.binding.binding);
        const HostPart& part = entry.part;
        switch (entry.binding.type) {
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                key.push_back(reinterpret_cast<uint64_t>(entry.texels));
                break;
            case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
                key.insert(key.end(), {reinterpret_cast<uint64_t>(part.image.imageView),
                                       static_cast<uint64_t>(part.image.imageLayout)});
                break;
            default:
                key.insert(key.end(),
                           {reinterpret_cast<uint64_t>(part.buffer.buffer), part.buffer.offset, part.buffer.range});
        }
    }
    return key;
}

void SetContents::write(const vk::DeviceTable& table, VkDevice device, VkDescriptorSet set) const {
    std::array<VkWriteDescriptorSet, std::tuple_size_v<decltype(entries_)>> writes;
    uint32_t count = 0;
    for (const Entry& entry : entries()) {
        VkWriteDescriptorSet& write = writes[count++];
        write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
        write.dstSet = set;
        write.dstBinding = entry.binding.binding;
        write.descriptorCount = 1;
        write.descriptorType = entry.binding.type;
        write.pBufferInfo = &entry.part.buffer;
        write.pImageInfo = &entry.part.image;
        write.pTexelBufferView = &entry.texels;
    }
    table.UpdateDescriptorSets(device, count, writes.data(), 0, nullptr);
}

VkDescriptorSet DescriptorSets::request(VkDescriptorSetLayout layout, const SetContents& contents) {
    // Sets of layouts with the same bindings are interchangeable.
    std::vector<uint64_t> key = contents.key();
    const auto found = sets_.find(key);
    if (found != sets_.end()) return found->second;
    const VkDescriptorSet set = create(layout);
    contents.write(context_.table(), context_.device(), set);
    sets_.emplace(std::move(key), set);
    return set;
}

VkDescriptorSet DescriptorSets::create(VkDescriptorSetLayout layout) {
    const vk::DeviceTable& table = context_.table();
    if (left_ == 0) {
        const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sets_per_pool * 4},
                                              {VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, sets_per_pool},
                                              {VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, sets_per_pool}};
        VkDescriptorPoolCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
        info.maxSets = sets_per_pool;
        info.poolSizeCount = static_cast<uint32_t>(std::size(sizes));
        info.pPoolSizes = sizes;
        VkDescriptorPool pool = VK_NULL_HANDLE;
        vk::check(table.CreateDescriptorPool(context_.device(), &info, nullptr, &pool), "make a descriptor pool");
        pools_.emplace_back(context_.device(), pool, table.DestroyDescriptorPool);
        left_ = sets_per_pool;
    }
    VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    info.descriptorPool = pools_.back().get();
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    vk::check(table.AllocateDescriptorSets(context_.device(), &info, &set), "make a descriptor set");
    --left_;
    return set;
}

void DescriptorSets::clear() {
    sets_.clear();
    pools_.clear();
    left_ = 0;
}

std::vector<uint8_t> resolve_push(const Dispatch& dispatch, const PlanMemory& memory) {
    assert(dispatch.push.size() <= PipelineStore::push_constant_bytes && dispatch.push.size() % 4 == 0);
    std::vector<uint8_t> push = dispatch.push;
    for (const Relocation& relocation : dispatch.relocations) {
        const BufferRange& base = relocation.base == Relocation::Base::Weights ? memory.weights : memory.arena;
        assert(base.address != 0 && relocation.push_offset_bytes + sizeof(uint64_t) <= push.size());
        const uint64_t address = base.address + relocation.offset_bytes;
        std::memcpy(push.data() + relocation.push_offset_bytes, &address, sizeof(address));
    }
    return push;
}

GridPart part_of_grid(const std::array<uint32_t, 3>& grid, uint32_t first, uint32_t end, uint32_t pieces) {
    GridPart part{{}, grid};
    const auto longest = static_cast<size_t>(std::ranges::max_element(grid) - grid.begin());
    const auto bound = [&](uint32_t piece) { return static_cast<uint32_t>(uint64_t{grid[longest]} * piece / pieces); };
    part.base[longest] = bound(first);
    part.count[longest] = bound(end) - bound(first);
    return part;
}

void record_dispatch(const Context& context, VkCommandBuffer commands, const Dispatch& dispatch, VkPipeline pipeline,
                     const ShaderProgram& program, std::span<const VkDescriptorSet> sets, std::span<const uint8_t> push,
                     const GridPart& part) {
    const vk::DeviceTable& table = context.table();
    const vk::InstanceTable& debug = context.instance_table();
    if (context.labels_dispatches()) {
        VkDebugUtilsLabelEXT label{VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT};
        label.pLabelName = dispatch.label.c_str();
        debug.CmdBeginDebugUtilsLabelEXT(commands, &label);
    }
    table.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    for (uint32_t index = 0; index < sets.size(); ++index)
        if (sets[index] != VK_NULL_HANDLE)
            table.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, program.layout.get(), index, 1,
                                        &sets[index], 0, nullptr);
    for (size_t axis = 0; axis < 3; ++axis)
        assert(dispatch.group_count[axis] > 0 &&
               dispatch.group_count[axis] <= context.facts().max_workgroup_count[axis]);
    table.CmdPushConstants(commands, program.layout.get(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                           static_cast<uint32_t>(push.size()), push.data());
    if (part.count == dispatch.group_count)
        table.CmdDispatch(commands, part.count[0], part.count[1], part.count[2]);
    else
        table.CmdDispatchBase(commands, part.base[0], part.base[1], part.base[2], part.count[0], part.count[1],
                              part.count[2]);
    if (context.labels_dispatches()) debug.CmdEndDebugUtilsLabelEXT(commands);
}

void record_barrier(const vk::DeviceTable& table, VkCommandBuffer commands, VkPipelineStageFlags from_stage,
                    VkAccessFlags from, VkPipelineStageFlags to_stage, VkAccessFlags to) {
    VkMemoryBarrier memory{VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    memory.srcAccessMask = from;
    memory.dstAccessMask = to;
    table.CmdPipelineBarrier(commands, from_stage, to_stage, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

vk::Owned<VkBufferView> make_texel_view(const Context& context, const BufferRange& arena, bool fp16) {
    const uint64_t texel_bytes = fp16 ? 8 : 16;
    VkBufferViewCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
    info.buffer = arena.buffer;
    info.format = fp16 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT;
    info.offset = arena.offset_bytes;
    info.range = std::min(arena.size_bytes, uint64_t{context.facts().max_texel_buffer_elements} * texel_bytes);
    VkBufferView view = VK_NULL_HANDLE;
    vk::check(context.table().CreateBufferView(context.device(), &info, nullptr, &view),
              "view the activations as texels");
    return {context.device(), view, context.table().DestroyBufferView};
}

}  // namespace vkseg
