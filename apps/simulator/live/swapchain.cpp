#include "apps/simulator/live/swapchain.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>

namespace vkseg::sim {

Swapchain::Swapchain(const Gpu& gpu, VkSurfaceKHR surface, VkExtent2D wanted) : gpu_(gpu) {
    VkBool32 supported = VK_FALSE;
    expect(vkGetPhysicalDeviceSurfaceSupportKHR(gpu.physical(), gpu.queue_family(), surface, &supported),
           "ask whether the device shows windows");
    if (supported == VK_FALSE) throw error("{} cannot show pictures in this window; --headless needs none", gpu.name());
    VkSurfaceCapabilitiesKHR limits;
    expect(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(gpu.physical(), surface, &limits), "ask for the window's limits");
    if ((limits.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT) == 0)
        throw error("{} lets nothing be copied into a window; --headless needs none", gpu.name());
    uint32_t count = 0;
    expect(vkGetPhysicalDeviceSurfaceFormatsKHR(gpu.physical(), surface, &count, nullptr), "list formats");
    std::vector<VkSurfaceFormatKHR> formats(count);
    expect(vkGetPhysicalDeviceSurfaceFormatsKHR(gpu.physical(), surface, &count, formats.data()), "list formats");
    VkSurfaceFormatKHR format = formats.front();
    // The canvas holds encoded colours, which a format without SRGB shows as they are.
    for (const VkSurfaceFormatKHR& each : formats)
        if (each.format == VK_FORMAT_B8G8R8A8_UNORM || each.format == VK_FORMAT_R8G8B8A8_UNORM) {
            format = each;
            break;
        }
    size_ = limits.currentExtent.width != UINT32_MAX ? limits.currentExtent : wanted;
    size_.width = std::clamp(size_.width, limits.minImageExtent.width, limits.maxImageExtent.width);
    size_.height = std::clamp(size_.height, limits.minImageExtent.height, limits.maxImageExtent.height);
    VkSwapchainCreateInfoKHR info{VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR};
    info.surface = surface;
    info.minImageCount = std::max(limits.minImageCount, 3u);
    if (limits.maxImageCount != 0) info.minImageCount = std::min(info.minImageCount, limits.maxImageCount);
    info.imageFormat = format.format;
    info.imageColorSpace = format.colorSpace;
    info.imageExtent = size_;
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    info.preTransform = limits.currentTransform;
    info.compositeAlpha = (limits.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR) != 0
                              ? VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
                              : VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR;
    info.presentMode = VK_PRESENT_MODE_FIFO_KHR;
    info.clipped = VK_TRUE;
    swapchain_ = make_owned(gpu, vkCreateSwapchainKHR, vkDestroySwapchainKHR, info, "make a swapchain");
    expect(vkGetSwapchainImagesKHR(gpu.device(), swapchain_.get(), &count, nullptr), "list the window's pictures");
    images_.resize(count);
    expect(vkGetSwapchainImagesKHR(gpu.device(), swapchain_.get(), &count, images_.data()),
           "list the window's pictures");
    const VkSemaphoreCreateInfo semaphore{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    for (uint32_t i = 0; i < count; ++i) {
        available_.push_back(make_owned(gpu, vkCreateSemaphore, vkDestroySemaphore, semaphore, "make a semaphore"));
        written_.push_back(make_owned(gpu, vkCreateSemaphore, vkDestroySemaphore, semaphore, "make a semaphore"));
    }
}

bool Swapchain::acquire() {
    turn_ = (turn_ + 1) % available_.size();
    const VkResult result = vkAcquireNextImageKHR(gpu_.device(), swapchain_.get(), UINT64_MAX, available_[turn_].get(),
                                                  VK_NULL_HANDLE, &index_);
    if (result == VK_ERROR_OUT_OF_DATE_KHR) return false;
    if (result != VK_SUBOPTIMAL_KHR) expect(result, "get a picture of the window");
    return true;
}

void Swapchain::record(VkCommandBuffer commands, VkImage canvas, VkExtent2D canvas_size) const {
    constexpr ImageUse before{VK_PIPELINE_STAGE_TRANSFER_BIT, 0, VK_IMAGE_LAYOUT_UNDEFINED};
    constexpr ImageUse writes{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                              VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL};
    constexpr ImageUse shown{VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR};
    image_barrier(commands, images_[index_], before, writes);
    VkImageBlit blit{};
    blit.srcSubresource = blit.dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    blit.srcOffsets[1] = {static_cast<int32_t>(canvas_size.width), static_cast<int32_t>(canvas_size.height), 1};
    blit.dstOffsets[1] = {static_cast<int32_t>(size_.width), static_cast<int32_t>(size_.height), 1};
    vkCmdBlitImage(commands, canvas, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, images_[index_], writes.layout, 1, &blit,
                   VK_FILTER_NEAREST);
    image_barrier(commands, images_[index_], writes, shown);
}

bool Swapchain::present(VkQueue queue) {
    const VkSemaphore wait = written();
    const VkSwapchainKHR swapchain = swapchain_.get();
    VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
    info.waitSemaphoreCount = 1;
    info.pWaitSemaphores = &wait;
    info.swapchainCount = 1;
    info.pSwapchains = &swapchain;
    info.pImageIndices = &index_;
    const VkResult result = vkQueuePresentKHR(queue, &info);
    if (result == VK_ERROR_OUT_OF_DATE_KHR || result == VK_SUBOPTIMAL_KHR) return false;
    expect(result, "show a picture");
    return true;
}

}  // namespace vkseg::sim
