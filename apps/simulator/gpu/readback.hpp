#pragma once

#include "apps/common/image.hpp"
#include "apps/simulator/gpu/renderer.hpp"

namespace vkseg::sim {

/// Brings the pictures and labels of a renderer to the host.
class Readback {
public:
    Readback(const Gpu& gpu, const Renderer& renderer);

    /// Behind Renderer::record. Both images are left in TRANSFER_SRC_OPTIMAL.
    void record(VkCommandBuffer commands, uint32_t slot, const ImageUse& picture_before = Renderer::after_record) const;
    /// Once the frame is through.
    [[nodiscard]] app::Image picture(uint32_t slot) const;
    [[nodiscard]] app::Image labels(uint32_t slot) const;

private:
    const Renderer& renderer_;
    std::vector<Buffer> pictures_, labels_;
};

}  // namespace vkseg::sim
