#pragma once

#include "runtime/api/baked_model.hpp"
#include "runtime/api/c_common.hpp"
#include "runtime/context.hpp"
#include "runtime/recorder.hpp"
#include "runtime/session.hpp"

#include <memory>

// What the C handles stand for. Shared ownership lets a host destroy in any order.

struct vkseg_context {
    /// Lives as long as any segmenter on it.
    std::shared_ptr<vkseg::Context> context;
    bool checked = false;
    std::string would_be_faster_with;
};

struct vkseg_model {
    std::shared_ptr<const vkseg::BakedModel> baked;
};

struct vkseg_segmenter {
    std::shared_ptr<vkseg::Context> context;
    std::shared_ptr<const vkseg::BakedModel> baked;
    vkseg_segmenter_desc desc{};
    std::vector<uint32_t> palette;
    /// Index in the plan's outputs by vkseg_output, -1 for those that were not asked for.
    int plan_output[VKSEG_OUTPUT_COUNT] = {-1, -1, -1, -1, -1};
    vkseg::Graph graph;
    std::shared_ptr<const vkseg::Plan> plan;
    /// For pictures in images and buffers.
    std::unique_ptr<vkseg::Recorder> recorder;
    /// For pictures in host memory.
    std::unique_ptr<vkseg::Session> session;
    /// Command buffers of the library's own: one per slot, made when first asked for.
    vkseg::vk::Owned<VkCommandPool> pool;
    std::vector<VkCommandBuffer> commands;

    [[nodiscard]] std::vector<uint8_t> pack() const { return pack_weights(*plan, graph); }
};

namespace vkseg::capi {

/// Throws a `Refusal` for a segmenter of pictures in host memory.
[[nodiscard]] Recorder& recorder_of(vkseg_segmenter* segmenter);
/// Gives the regions that have no memory yet what the host said, or lets them allocate.
void bind_memory(Recorder& recorder, const vkseg_memory_binding& binding);

}  // namespace vkseg::capi
