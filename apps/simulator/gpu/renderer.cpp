#include "apps/simulator/gpu/renderer.hpp"

#include "apps/simulator/gpu/passes.hpp"
#include "apps/simulator/gpu/shaders.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vkseg::sim {

namespace {

/// As shaders/frame.glsl reads it.
struct FrameUniforms {
    glm::mat4 view_projection, shadow_matrix;
    glm::vec4 camera, ray_right, ray_up, ray_forward, sun_direction, sun_colour, zenith, horizon, ground, bend;
};

/// As shaders/post.frag reads it.
struct LensConstants {
    glm::vec4 white, tone, optics;
    uint32_t seed;
};

FrameUniforms uniforms_of(const Frame& frame, const DrawList& list, VkExtent2D size) {
    const Camera& camera = frame.camera;
    const Weather& weather = frame.weather;
    const glm::mat4 back = glm::inverse(camera.view());
    const float tan_x = std::tan(camera.horizontal_fov * 0.5f);
    const float tan_y = tan_x * static_cast<float>(size.height) / static_cast<float>(size.width);
    FrameUniforms u{};
    u.view_projection = list.view_projection;
    u.shadow_matrix = list.shadow_matrix;
    u.camera = {glm::vec3(back[3]), frame.time_s};
    u.ray_right = {glm::vec3(back[0]) * tan_x, 0};
    u.ray_up = {glm::vec3(back[1]) * tan_y, 0};
    u.ray_forward = {-glm::vec3(back[2]), 0};
    u.sun_direction = {weather.sun_direction, weather.shadow};
    u.sun_colour = {weather.sun_colour, weather.night};
    u.zenith = {weather.zenith, weather.clouds};
    u.horizon = {weather.horizon, weather.fog_per_m};
    u.ground = {weather.ground, weather.wet};
    u.bend = {frame.bend.side_per_m, frame.bend.up_per_m, frame.bend.origin_s, weather.dust};
    return u;
}

}  // namespace

Renderer::Renderer(const Gpu& gpu, const RendererOptions& options)
    : gpu_(gpu), options_(options), meshes_(make_meshes()) {
    choose_samples();
    upload_meshes();
    make_passes();
    make_targets();
    make_descriptors();
    make_pipelines();
}

Renderer::~Renderer() {
    gpu_.wait_idle();
}

void Renderer::choose_samples() {
    const VkPhysicalDeviceLimits& limits = gpu_.properties().limits;
    VkSampleCountFlags common = limits.framebufferColorSampleCounts & limits.framebufferDepthSampleCounts &
                                limits.sampledImageIntegerSampleCounts;
    VkImageFormatProperties labels{};
    const VkResult result = vkGetPhysicalDeviceImageFormatProperties(
        gpu_.physical(), label_format, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT, 0, &labels);
    common &= result == VK_SUCCESS ? labels.sampleCounts : VkSampleCountFlags{VK_SAMPLE_COUNT_1_BIT};
    uint32_t samples = std::max(1u, options_.samples);
    while (samples > 1 && (common & samples) == 0) samples /= 2;
    samples_ = static_cast<VkSampleCountFlagBits>(samples);
}

void Renderer::upload_meshes() {
    // Read over and over by every frame, but small: memory that the host sees is good enough.
    const auto fill = [&](VkBufferUsageFlags usage, const void* data, size_t size) {
        Buffer buffer(gpu_, size, usage, Buffer::Use::Upload);
        std::memcpy(buffer.mapped(), data, size);
        return buffer;
    };
    vertices_ =
        fill(VK_BUFFER_USAGE_VERTEX_BUFFER_BIT, meshes_.vertices.data(), meshes_.vertices.size() * sizeof(Vertex));
    indices_ =
        fill(VK_BUFFER_USAGE_INDEX_BUFFER_BIT, meshes_.indices.data(), meshes_.indices.size() * sizeof(uint32_t));
}

void Renderer::make_passes() {
    shadow_pass_ = make_shadow_pass(gpu_);
    scene_pass_ = make_scene_pass(gpu_, samples_);
    post_pass_ = make_post_pass(gpu_, picture_format);
}

void Renderer::make_targets() {
    constexpr VkImageUsageFlags target = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT;
    const bool resolve = samples_ != VK_SAMPLE_COUNT_1_BIT;
    shadow_map_ = Image(gpu_, shadow_format, {shadow_side_px, shadow_side_px},
                        VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT);
    light_ = Image(gpu_, light_format, options_.size, target, samples_);
    scene_labels_ = Image(gpu_, label_format, options_.size, target, samples_);
    depth_ = Image(gpu_, depth_format, options_.size, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT, samples_);
    if (resolve) light_resolved_ = Image(gpu_, light_format, options_.size, target);
    const auto framebuffer = [&](VkRenderPass pass, std::vector<VkImageView> views, VkExtent2D size) {
        VkFramebufferCreateInfo info{VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO};
        info.renderPass = pass;
        info.attachmentCount = static_cast<uint32_t>(views.size());
        info.pAttachments = views.data();
        info.width = size.width;
        info.height = size.height;
        info.layers = 1;
        return make_owned(gpu_, vkCreateFramebuffer, vkDestroyFramebuffer, info, "make a framebuffer");
    };
    shadow_framebuffer_ = framebuffer(shadow_pass_.get(), {shadow_map_.view()}, {shadow_side_px, shadow_side_px});
    std::vector<VkImageView> views{light_.view(), scene_labels_.view(), depth_.view()};
    if (resolve) views.push_back(light_resolved_.view());
    scene_framebuffer_ = framebuffer(scene_pass_.get(), views, options_.size);
    slots_.resize(options_.slots);
    for (Slot& slot : slots_) {
        slot.picture = Image(gpu_, picture_format, options_.size, target | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
        slot.labels = Image(gpu_, label_format, options_.size, target | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
        slot.framebuffer = framebuffer(post_pass_.get(), {slot.picture.view(), slot.labels.view()}, options_.size);
        slot.uniforms = Buffer(gpu_, sizeof(FrameUniforms), VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT, Buffer::Use::Upload);
    }
}

void Renderer::make_descriptors() {
    VkFormatProperties shadow{};
    vkGetPhysicalDeviceFormatProperties(gpu_.physical(), shadow_format, &shadow);
    const bool smooth = (shadow.optimalTilingFeatures & VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT) != 0;
    VkSamplerCreateInfo sampler{VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    sampler.magFilter = sampler.minFilter = VK_FILTER_LINEAR;
    sampler.addressModeU = sampler.addressModeV = sampler.addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE;
    sampler_ = make_owned(gpu_, vkCreateSampler, vkDestroySampler, sampler, "make a sampler");
    sampler.magFilter = sampler.minFilter = VK_FILTER_NEAREST;
    label_sampler_ = make_owned(gpu_, vkCreateSampler, vkDestroySampler, sampler, "make a sampler");
    if (smooth) sampler.magFilter = sampler.minFilter = VK_FILTER_LINEAR;
    sampler.compareEnable = VK_TRUE;
    sampler.compareOp = VK_COMPARE_OP_LESS_OR_EQUAL;
    shadow_sampler_ = make_owned(gpu_, vkCreateSampler, vkDestroySampler, sampler, "make a sampler");

    const auto layout = [&](VkDescriptorType first, VkShaderStageFlags stages) {
        const VkDescriptorSetLayoutBinding bindings[2] = {
            {0, first, 1, stages, nullptr},
            {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_FRAGMENT_BIT, nullptr}};
        VkDescriptorSetLayoutCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
        info.bindingCount = 2;
        info.pBindings = bindings;
        return make_owned(gpu_, vkCreateDescriptorSetLayout, vkDestroyDescriptorSetLayout, info, "make a set layout");
    };
    scene_layout_ =
        layout(VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT);
    post_layout_ = layout(VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, VK_SHADER_STAGE_FRAGMENT_BIT);

    const VkDescriptorPoolSize sizes[2] = {{VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, options_.slots},
                                           {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 3 * options_.slots}};
    VkDescriptorPoolCreateInfo pool{VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
    pool.maxSets = 2 * options_.slots;
    pool.poolSizeCount = 2;
    pool.pPoolSizes = sizes;
    pool_ = make_owned(gpu_, vkCreateDescriptorPool, vkDestroyDescriptorPool, pool, "make a descriptor pool");
    const VkImageView light = samples_ == VK_SAMPLE_COUNT_1_BIT ? light_.view() : light_resolved_.view();
    for (Slot& slot : slots_) {
        const VkDescriptorSetLayout layouts[2] = {scene_layout_.get(), post_layout_.get()};
        VkDescriptorSet sets[2];
        VkDescriptorSetAllocateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
        info.descriptorPool = pool_.get();
        info.descriptorSetCount = 2;
        info.pSetLayouts = layouts;
        expect(vkAllocateDescriptorSets(gpu_.device(), &info, sets), "allocate descriptor sets");
        slot.scene_set = sets[0];
        slot.post_set = sets[1];
        const VkDescriptorBufferInfo uniforms{slot.uniforms.get(), 0, VK_WHOLE_SIZE};
        const VkDescriptorImageInfo images[3] = {
            {shadow_sampler_.get(), shadow_map_.view(), VK_IMAGE_LAYOUT_DEPTH_STENCIL_READ_ONLY_OPTIMAL},
            {sampler_.get(), light, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL},
            {label_sampler_.get(), scene_labels_.view(), VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL}};
        VkWriteDescriptorSet writes[4];
        for (int i = 0; i < 4; ++i) {
            writes[i] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
            writes[i].dstSet = sets[i / 2];
            writes[i].dstBinding = static_cast<uint32_t>(i % 2);
            writes[i].descriptorCount = 1;
            writes[i].descriptorType =
                i == 0 ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER : VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
            if (i == 0)
                writes[i].pBufferInfo = &uniforms;
            else
                writes[i].pImageInfo = &images[i - 1];
        }
        vkUpdateDescriptorSets(gpu_.device(), 4, writes, 0, nullptr);
    }
}

void Renderer::make_pipelines() {
    const auto layout = [&](VkDescriptorSetLayout set, uint32_t push_bytes) {
        const VkPushConstantRange range{VK_SHADER_STAGE_FRAGMENT_BIT, 0, push_bytes};
        VkPipelineLayoutCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
        info.setLayoutCount = 1;
        info.pSetLayouts = &set;
        info.pushConstantRangeCount = push_bytes > 0 ? 1 : 0;
        info.pPushConstantRanges = &range;
        return make_owned(gpu_, vkCreatePipelineLayout, vkDestroyPipelineLayout, info, "make a pipeline layout");
    };
    scene_pipeline_layout_ = layout(scene_layout_.get(), 0);
    post_pipeline_layout_ = layout(post_layout_.get(), sizeof(LensConstants));

    PipelineRequest shadow{shadow_pass_.get(), scene_pipeline_layout_.get(), shaders::shadow_vert()};
    shadow.reverse_depth = false;
    shadow.depth_bias = shadow.places_only = true;
    shadow.two_sided = true;
    shadow_pipeline_ = make_pipeline(gpu_, shadow);

    PipelineRequest object{
        scene_pass_.get(), scene_pipeline_layout_.get(), shaders::object_vert(), shaders::object_frag(), samples_, 2};
    for (size_t i = 0; i < materials_.size(); ++i) {
        const auto material = static_cast<Material>(i);
        object.material = static_cast<int32_t>(i);
        object.blended = material >= first_blended_material;
        // A shadow is no thing of its own: what it falls on keeps its class and its depth.
        object.depth_write = object.labels = material != Material::ContactShadow;
        materials_[i] = make_pipeline(gpu_, object);
    }
    PipelineRequest sky{
        scene_pass_.get(), scene_pipeline_layout_.get(), shaders::screen_vert(), shaders::sky_frag(), samples_, 2};
    sky.meshes = sky.depth_write = false;
    sky_pipeline_ = make_pipeline(gpu_, sky);
    PipelineRequest post{post_pass_.get(), post_pipeline_layout_.get(), shaders::screen_vert(),
                         samples_ == VK_SAMPLE_COUNT_1_BIT ? shaders::post_frag() : shaders::post_multisampled_frag()};
    post.colour_attachments = 2;
    post.meshes = post.depth_test = post.depth_write = false;
    post_pipeline_ = make_pipeline(gpu_, post);
}

void Renderer::fill_slot(Slot& slot, const Frame& frame, const DrawList& list) {
    const size_t bytes = list.instances.size() * sizeof(Instance);
    if (slot.instances.size_bytes() < bytes)
        slot.instances = Buffer(gpu_, bytes + bytes / 2, VK_BUFFER_USAGE_VERTEX_BUFFER_BIT, Buffer::Use::Upload);
    std::memcpy(slot.instances.mapped(), list.instances.data(), bytes);
    const FrameUniforms uniforms = uniforms_of(frame, list, options_.size);
    std::memcpy(slot.uniforms.mapped(), &uniforms, sizeof uniforms);
}

void Renderer::draw(VkCommandBuffer commands, const std::vector<Batch>& batches, bool with_materials) const {
    const Batch* before = nullptr;
    for (const Batch& batch : batches) {
        if (with_materials && (before == nullptr || before->material != batch.material))
            vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS,
                              materials_[static_cast<size_t>(batch.material)].get());
        before = &batch;
        const MeshRange& range = meshes_.ranges[static_cast<size_t>(batch.mesh)];
        vkCmdDrawIndexed(commands, range.index_count, batch.instance_count, range.first_index, 0, batch.first_instance);
    }
}

void Renderer::record(VkCommandBuffer commands, uint32_t slot_index, const Frame& frame) {
    Slot& slot = slots_[slot_index];
    const DrawList list = make_draw_list(frame, options_.size.width, options_.size.height);
    fill_slot(slot, frame, list);

    const auto begin = [&](VkRenderPass pass, VkFramebuffer framebuffer, VkExtent2D size, uint32_t clear_count) {
        VkClearValue clears[4]{};
        // Depth: far away is 0 in the scene and 1 in the shadow map. The sky covers what nothing else does.
        clears[0].depthStencil.depth = 1;
        if (clear_count > 1) clears[0].color = {{0, 0, 0, 1}};
        clears[1].color.uint32[0] = static_cast<uint32_t>(Label::Sky);
        VkRenderPassBeginInfo info{VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO};
        info.renderPass = pass;
        info.framebuffer = framebuffer;
        info.renderArea.extent = size;
        info.clearValueCount = clear_count;
        info.pClearValues = clears;
        vkCmdBeginRenderPass(commands, &info, VK_SUBPASS_CONTENTS_INLINE);
        const VkViewport viewport{0, 0, static_cast<float>(size.width), static_cast<float>(size.height), 0, 1};
        const VkRect2D scissor{{0, 0}, size};
        vkCmdSetViewport(commands, 0, 1, &viewport);
        vkCmdSetScissor(commands, 0, 1, &scissor);
    };
    const VkBuffer buffers[2] = {vertices_.get(), slot.instances.get()};
    const VkDeviceSize offsets[2] = {0, 0};
    vkCmdBindVertexBuffers(commands, 0, 2, buffers, offsets);
    vkCmdBindIndexBuffer(commands, indices_.get(), 0, VK_INDEX_TYPE_UINT32);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, scene_pipeline_layout_.get(), 0, 1,
                            &slot.scene_set, 0, nullptr);

    begin(shadow_pass_.get(), shadow_framebuffer_.get(), {shadow_side_px, shadow_side_px}, 1);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, shadow_pipeline_.get());
    draw(commands, list.shadows, false);
    vkCmdEndRenderPass(commands);

    begin(scene_pass_.get(), scene_framebuffer_.get(), options_.size, 4);
    draw(commands, list.opaque, true);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, sky_pipeline_.get());
    vkCmdDraw(commands, 3, 1, 0, 0);
    draw(commands, list.blended, true);
    vkCmdEndRenderPass(commands);

    begin(post_pass_.get(), slot.framebuffer.get(), options_.size, 2);
    const Lens& lens = frame.lens;
    const float scale = static_cast<float>(options_.size.width) / 1024.0f;
    const LensConstants constants{{lens.white, lens.exposure},
                                  {lens.contrast, lens.saturation, lens.gamma, lens.vignette},
                                  {lens.blur_px * std::max(scale, 0.5f), lens.bloom, lens.noise, 0},
                                  static_cast<uint32_t>(mix_bits(frame.noise_seed))};
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, post_pipeline_.get());
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, post_pipeline_layout_.get(), 0, 1,
                            &slot.post_set, 0, nullptr);
    vkCmdPushConstants(commands, post_pipeline_layout_.get(), VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof constants,
                       &constants);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
}

}  // namespace vkseg::sim
