#include "runtime/breadcrumbs.hpp"

#include "runtime/context.hpp"

#include <algorithm>
#include <cstring>

namespace vkseg {

Breadcrumbs::Breadcrumbs(const Context& context) : context_(context) {
    const BreadcrumbMode mode = context.options().breadcrumbs;
    if (mode == BreadcrumbMode::Off) return;
    const vk::DeviceTable& table = context.table();
    if (table.CmdSetCheckpointNV != nullptr && table.GetQueueCheckpointDataNV != nullptr)
        method_ = Method::Checkpoint;
    else if (table.CmdWriteBufferMarkerAMD != nullptr)
        method_ = Method::Marker;
    else if (mode == BreadcrumbMode::Always || context.facts().type == DeviceType::Cpu)
        method_ = Method::Fill;
}

void Breadcrumbs::reserve(size_t dispatch_count) {
    const uint64_t size = dispatch_count * sizeof(uint32_t);
    if ((method_ != Method::Fill && method_ != Method::Marker) || words_.size_bytes() >= size) return;
    words_ = {};
    // Coherent: after a loss nothing can be invalidated.
    words_ = vk::Buffer(context_, "breadcrumbs", size, VK_BUFFER_USAGE_TRANSFER_DST_BIT, vk::MemoryUse::Upload);
}

void Breadcrumbs::clear() const {
    std::ranges::fill(words_.mapped(), uint8_t{0});
}

void Breadcrumbs::record(VkCommandBuffer commands, uint32_t index) const {
    const vk::DeviceTable& table = context_.table();
    const VkDeviceSize offset = index * sizeof(uint32_t);
    switch (method_) {
        case Method::Off:
            break;
        case Method::Fill:
            table.CmdFillBuffer(commands, words_.get(), offset, sizeof(uint32_t), 1);
            break;
        case Method::Marker:
            table.CmdWriteBufferMarkerAMD(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, words_.get(), offset, 1);
            break;
        case Method::Checkpoint:
            table.CmdSetCheckpointNV(commands, reinterpret_cast<const void*>(static_cast<uintptr_t>(index) + 1));
            break;
    }
}

std::optional<uint32_t> Breadcrumbs::last() const {
    std::optional<uint32_t> found;
    const auto begun = [&](uint32_t index) { found = std::max(found.value_or(0), index); };
    if (method_ == Method::Checkpoint) {
        uint32_t count = 0;
        context_.table().GetQueueCheckpointDataNV(context_.queue(), &count, nullptr);
        std::vector<VkCheckpointDataNV> checkpoints(count, {VK_STRUCTURE_TYPE_CHECKPOINT_DATA_NV});
        context_.table().GetQueueCheckpointDataNV(context_.queue(), &count, checkpoints.data());
        for (const VkCheckpointDataNV& checkpoint : checkpoints)
            if (const auto marker = reinterpret_cast<uintptr_t>(checkpoint.pCheckpointMarker); marker != 0)
                begun(static_cast<uint32_t>(marker - 1));
    }
    const std::span<const uint8_t> bytes = words_.mapped();
    for (uint32_t i = 0; i < bytes.size() / sizeof(uint32_t); ++i) {
        uint32_t word = 0;
        std::memcpy(&word, bytes.data() + i * sizeof(word), sizeof(word));
        if (word != 0) begun(i);
    }
    return found;
}

}  // namespace vkseg
