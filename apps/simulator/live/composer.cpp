#include "apps/simulator/live/composer.hpp"

#include "apps/simulator/gpu/passes.hpp"
#include "apps/simulator/gpu/shaders.hpp"

#include <algorithm>

namespace vkseg::sim {

namespace {

/// As shaders/compose.frag reads it.
struct ViewConstants {
    float width, height, panel_top, panel_alpha, opacity;
    int32_t left, right;
    float aspect;
};

constexpr ImageUse written{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL};
constexpr ImageUse drawn = Segmentation::drawn_from;
constexpr ImageUse unused{VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0, VK_IMAGE_LAYOUT_UNDEFINED};

}  // namespace

Composer::Composer(const Gpu& gpu, const Renderer& renderer, VkExtent2D canvas)
    : gpu_(gpu), renderer_(renderer), size_(canvas), panel_height_(std::clamp(canvas.width / 8, 96u, 220u)) {
    panel_height_ = std::min(panel_height_, canvas.height / 2);
    canvas_ = Image(gpu, canvas_format, canvas, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    constexpr VkImageUsageFlags sampled = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    panel_ = Image(gpu, VK_FORMAT_R8G8B8A8_UNORM, {canvas.width, panel_height_}, sampled);
    no_mask_ = Image(gpu, VK_FORMAT_R8G8B8A8_UNORM, {1, 1}, sampled);
    pass_ = make_canvas_pass(gpu, canvas_format);
    VkFramebufferCreateInfo framebuffer{VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO};
    const VkImageView view = canvas_.view();
    framebuffer.renderPass = pass_.get();
    framebuffer.attachmentCount = 1;
    framebuffer.pAttachments = &view;
    framebuffer.width = canvas.width;
    framebuffer.height = canvas.height;
    framebuffer.layers = 1;
    framebuffer_ = make_owned(gpu, vkCreateFramebuffer, vkDestroyFramebuffer, framebuffer, "make a framebuffer");

    VkSamplerCreateInfo sampler{VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    sampler.addressModeU = sampler.addressModeV = sampler.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE;
    exact_ = make_owned(gpu, vkCreateSampler, vkDestroySampler, sampler, "make a sampler");
    sampler.magFilter = sampler.minFilter = VK_FILTER_LINEAR;
    smooth_ = make_owned(gpu, vkCreateSampler, vkDestroySampler, sampler, "make a sampler");

    VkDescriptorSetLayoutBinding bindings[4]{};
    for (uint32_t i = 0; i < 4; ++i)
        bindings[i] = {i, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_FRAGMENT_BIT, nullptr};
    VkDescriptorSetLayoutCreateInfo layout{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    layout.bindingCount = 4;
    layout.pBindings = bindings;
    layout_ = make_owned(gpu, vkCreateDescriptorSetLayout, vkDestroyDescriptorSetLayout, layout, "make a set layout");
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4 * renderer.slots()};
    VkDescriptorPoolCreateInfo pool{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
    pool.maxSets = renderer.slots();
    pool.poolSizeCount = 1;
    pool.pPoolSizes = &size;
    pool_ = make_owned(gpu, vkCreateDescriptorPool, vkDestroyDescriptorPool, pool, "make a descriptor pool");
    slots_.resize(renderer.slots());
    const VkDescriptorSetLayout set_layout = layout_.get();
    for (Slot& slot : slots_) {
        VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
        info.descriptorPool = pool_.get();
        info.descriptorSetCount = 1;
        info.pSetLayouts = &set_layout;
        expect(vkAllocateDescriptorSets(gpu.device(), &info, &slot.set), "allocate a descriptor set");
        slot.staging = Buffer(gpu, VkDeviceSize{4} * canvas.width * panel_height_, VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                              Buffer::Use::Upload);
    }
    const VkPushConstantRange range{VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(ViewConstants)};
    VkPipelineLayoutCreateInfo pipeline_layout{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    pipeline_layout.setLayoutCount = 1;
    pipeline_layout.pSetLayouts = &set_layout;
    pipeline_layout.pushConstantRangeCount = 1;
    pipeline_layout.pPushConstantRanges = &range;
    pipeline_layout_ =
        make_owned(gpu, vkCreatePipelineLayout, vkDestroyPipelineLayout, pipeline_layout, "make a pipeline layout");
    PipelineRequest request{pass_.get(), pipeline_layout_.get(), shaders::screen_vert(), shaders::compose_frag()};
    request.colour_attachments = 1;
    request.meshes = request.depth_test = request.depth_write = false;
    pipeline_ = make_pipeline(gpu, request);
}

void Composer::set_panel(const app::Image& panel) {
    new_panel_ = panel;
}

void Composer::record(VkCommandBuffer commands, uint32_t slot_index, const Image* mask, const ComposeState& state) {
    Slot& slot = slots_[slot_index];
    if (fresh_) {
        const VkClearColorValue nothing{};
        const VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        for (const Image* image : {&no_mask_, &panel_}) {
            image_barrier(commands, image->get(), unused, written);
            vkCmdClearColorImage(commands, image->get(), written.layout, &nothing, 1, &whole);
            image_barrier(commands, image->get(), written, drawn);
        }
        fresh_ = false;
    }
    if (!new_panel_.pixels.empty()) {
        const size_t pixels = size_t{size_.width} * panel_height_;
        uint8_t* to = slot.staging.mapped();
        for (size_t i = 0; i < pixels; ++i) {
            std::copy_n(new_panel_.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, to + 4 * i);
            to[4 * i + 3] = 255;
        }
        const VkBufferImageCopy copy = whole_image({size_.width, panel_height_});
        image_barrier(commands, panel_.get(), drawn, written);
        vkCmdCopyBufferToImage(commands, slot.staging.get(), panel_.get(), written.layout, 1, &copy);
        image_barrier(commands, panel_.get(), written, drawn);
        new_panel_.pixels.clear();
    }
    image_barrier(commands, renderer_.labels(slot_index).get(), Renderer::after_record, drawn);

    const VkDescriptorImageInfo images[4] = {
        {smooth_.get(), renderer_.picture(slot_index).view(), drawn.layout},
        {exact_.get(), mask != nullptr ? mask->view() : no_mask_.view(), drawn.layout},
        {exact_.get(), renderer_.labels(slot_index).view(), drawn.layout},
        {exact_.get(), panel_.view(), drawn.layout}};
    VkWriteDescriptorSet write{VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    write.dstSet = slot.set;
    write.descriptorCount = 4;
    write.descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    write.pImageInfo = images;
    // Four bindings in a row of the same kind are one write.
    vkUpdateDescriptorSets(gpu_.device(), 1, &write, 0, nullptr);

    VkRenderPassBeginInfo begin{VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO};
    begin.renderPass = pass_.get();
    begin.framebuffer = framebuffer_.get();
    begin.renderArea.extent = size_;
    vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    const VkViewport viewport{0, 0, static_cast<float>(size_.width), static_cast<float>(size_.height), 0, 1};
    const VkRect2D scissor{{0, 0}, size_};
    vkCmdSetViewport(commands, 0, 1, &viewport);
    vkCmdSetScissor(commands, 0, 1, &scissor);
    static constexpr int32_t lefts[] = {0, 0, 1, 2, 3};
    const VkExtent2D picture = renderer_.size();
    const auto height = static_cast<float>(size_.height);
    const bool both = state.view == View::Both;
    const ViewConstants constants{static_cast<float>(size_.width),
                                  height,
                                  state.panel ? height - static_cast<float>(panel_height_) : height,
                                  both ? 1.0f : 0.8f,
                                  state.opacity,
                                  lefts[static_cast<size_t>(state.view)],
                                  both ? 1 : -1,
                                  static_cast<float>(picture.width) / static_cast<float>(picture.height)};
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline_.get());
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline_layout_.get(), 0, 1, &slot.set, 0,
                            nullptr);
    vkCmdPushConstants(commands, pipeline_layout_.get(), VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof constants, &constants);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
}

}  // namespace vkseg::sim
