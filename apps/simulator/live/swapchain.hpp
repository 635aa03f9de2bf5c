#pragma once

#include "apps/simulator/gpu/resources.hpp"

namespace vkseg::sim {

/// The pictures of a window. Canvases are copied into them.
class Swapchain {
public:
    Swapchain(const Gpu& gpu, VkSurfaceKHR surface, VkExtent2D wanted);

    [[nodiscard]] VkExtent2D size() const { return size_; }
    /// False when the window has changed and a new swapchain is needed.
    [[nodiscard]] bool acquire();
    /// Copies the canvas (in TRANSFER_SRC_OPTIMAL) into the acquired picture.
    void record(VkCommandBuffer commands, VkImage canvas, VkExtent2D canvas_size) const;
    [[nodiscard]] bool present(VkQueue queue);
    /// Signalled when the acquired picture may be written.
    [[nodiscard]] VkSemaphore available() const { return available_[turn_].get(); }
    /// To be signalled when it was.
    [[nodiscard]] VkSemaphore written() const { return written_[index_].get(); }

private:
    const Gpu& gpu_;
    VkExtent2D size_{};
    Owned<VkSwapchainKHR> swapchain_;
    std::vector<VkImage> images_;
    std::vector<Owned<VkSemaphore>> available_, written_;
    uint32_t index_ = 0;
    size_t turn_ = 0;
};

}  // namespace vkseg::sim
