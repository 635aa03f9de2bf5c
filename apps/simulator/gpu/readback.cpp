#include "apps/simulator/gpu/readback.hpp"

#include <cstring>

namespace vkseg::sim {

Readback::Readback(const Gpu& gpu, const Renderer& renderer) : renderer_(renderer) {
    const VkDeviceSize pixels = VkDeviceSize{renderer.size().width} * renderer.size().height;
    for (uint32_t slot = 0; slot < renderer.slots(); ++slot) {
        pictures_.emplace_back(gpu, pixels * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT, Buffer::Use::Download);
        labels_.emplace_back(gpu, pixels, VK_BUFFER_USAGE_TRANSFER_DST_BIT, Buffer::Use::Download);
    }
}

void Readback::record(VkCommandBuffer commands, uint32_t slot, const ImageUse& picture_before) const {
    constexpr ImageUse copies{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                              VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};
    const VkBufferImageCopy whole = whole_image(renderer_.size());
    image_barrier(commands, renderer_.picture(slot).get(), picture_before, copies);
    image_barrier(commands, renderer_.labels(slot).get(), Renderer::after_record, copies);
    vkCmdCopyImageToBuffer(commands, renderer_.picture(slot).get(), copies.layout, pictures_[slot].get(), 1, &whole);
    vkCmdCopyImageToBuffer(commands, renderer_.labels(slot).get(), copies.layout, labels_[slot].get(), 1, &whole);
    host_barrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
}

app::Image Readback::picture(uint32_t slot) const {
    app::Image image(static_cast<int>(renderer_.size().width), static_cast<int>(renderer_.size().height), 3);
    const uint8_t* from = pictures_[slot].mapped();
    for (size_t i = 0; i < image.pixels.size() / 3; ++i) std::memcpy(image.pixels.data() + 3 * i, from + 4 * i, 3);
    return image;
}

app::Image Readback::labels(uint32_t slot) const {
    app::Image image(static_cast<int>(renderer_.size().width), static_cast<int>(renderer_.size().height), 1);
    std::memcpy(image.pixels.data(), labels_[slot].mapped(), image.pixels.size());
    return image;
}

}  // namespace vkseg::sim
