#include "apps/simulator/gpu/passes.hpp"

#include "apps/simulator/scene/meshes.hpp"

#include <cstddef>

namespace vkseg::sim {

namespace {

VkAttachmentDescription attachment(VkFormat format, VkSampleCountFlagBits samples, VkAttachmentStoreOp store,
                                   VkImageLayout final_layout) {
    VkAttachmentDescription description{};
    description.format = format;
    description.samples = samples;
    description.loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR;
    description.storeOp = store;
    description.stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    description.stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE;
    description.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
    description.finalLayout = final_layout;
    return description;
}

Owned<VkRenderPass> make_pass(const Gpu& gpu, const std::vector<VkAttachmentDescription>& attachments,
                              const VkSubpassDescription& subpass, const VkSubpassDependency (&dependencies)[2]) {
    VkRenderPassCreateInfo info{VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO};
    info.attachmentCount = static_cast<uint32_t>(attachments.size());
    info.pAttachments = attachments.data();
    info.subpassCount = 1;
    info.pSubpasses = &subpass;
    info.dependencyCount = 2;
    info.pDependencies = dependencies;
    return make_owned(gpu, vkCreateRenderPass, vkDestroyRenderPass, info, "make a render pass");
}

constexpr VkPipelineStageFlags depth_stages =
    VK_PIPELINE_STAGE_EARLY_FRAGMENT_TESTS_BIT | VK_PIPELINE_STAGE_LATE_FRAGMENT_TESTS_BIT;
constexpr VkAccessFlags depth_access =
    VK_ACCESS_DEPTH_STENCIL_ATTACHMENT_READ_BIT | VK_ACCESS_DEPTH_STENCIL_ATTACHMENT_WRITE_BIT;
constexpr VkAccessFlags colour_access = VK_ACCESS_COLOR_ATTACHMENT_READ_BIT | VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;
constexpr VkPipelineStageFlags colour_stage = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
constexpr VkPipelineStageFlags fragment_stage = VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT;

}  // namespace

Owned<VkRenderPass> make_shadow_pass(const Gpu& gpu) {
    const std::vector attachments{attachment(shadow_format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_STORE_OP_STORE,
                                             VK_IMAGE_LAYOUT_DEPTH_STENCIL_READ_ONLY_OPTIMAL)};
    const VkAttachmentReference depth{0, VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL};
    VkSubpassDescription subpass{};
    subpass.pDepthStencilAttachment = &depth;
    // The frame before may still read the map.
    const VkSubpassDependency dependencies[2] = {
        {VK_SUBPASS_EXTERNAL, 0, fragment_stage | depth_stages, depth_stages, depth_access, depth_access, 0},
        {0, VK_SUBPASS_EXTERNAL, depth_stages, fragment_stage, VK_ACCESS_DEPTH_STENCIL_ATTACHMENT_WRITE_BIT,
         VK_ACCESS_SHADER_READ_BIT, 0}};
    return make_pass(gpu, attachments, subpass, dependencies);
}

Owned<VkRenderPass> make_scene_pass(const Gpu& gpu, VkSampleCountFlagBits samples) {
    const bool resolve = samples != VK_SAMPLE_COUNT_1_BIT;
    constexpr VkImageLayout sampled = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
    constexpr VkImageLayout colour = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
    std::vector attachments{
        attachment(light_format, samples, resolve ? VK_ATTACHMENT_STORE_OP_DONT_CARE : VK_ATTACHMENT_STORE_OP_STORE,
                   resolve ? colour : sampled),
        attachment(label_format, samples, VK_ATTACHMENT_STORE_OP_STORE, sampled),
        attachment(depth_format, samples, VK_ATTACHMENT_STORE_OP_DONT_CARE,
                   VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL)};
    if (resolve) {
        attachments.push_back(attachment(light_format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_STORE_OP_STORE, sampled));
        attachments.back().loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    }
    const VkAttachmentReference colours[2] = {{0, colour}, {1, colour}};
    const VkAttachmentReference resolves[2] = {{3, colour}, {VK_ATTACHMENT_UNUSED, VK_IMAGE_LAYOUT_UNDEFINED}};
    const VkAttachmentReference depth{2, VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL};
    VkSubpassDescription subpass{};
    subpass.colorAttachmentCount = 2;
    subpass.pColorAttachments = colours;
    subpass.pResolveAttachments = resolve ? resolves : nullptr;
    subpass.pDepthStencilAttachment = &depth;
    const VkSubpassDependency dependencies[2] = {
        {VK_SUBPASS_EXTERNAL, 0, fragment_stage | colour_stage | depth_stages, colour_stage | depth_stages,
         colour_access | depth_access, colour_access | depth_access, 0},
        {0, VK_SUBPASS_EXTERNAL, colour_stage, fragment_stage, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
         VK_ACCESS_SHADER_READ_BIT, 0}};
    return make_pass(gpu, attachments, subpass, dependencies);
}

Owned<VkRenderPass> make_post_pass(const Gpu& gpu, VkFormat picture_format) {
    constexpr VkImageLayout colour = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
    std::vector attachments{attachment(picture_format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_STORE_OP_STORE, colour),
                            attachment(label_format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_STORE_OP_STORE, colour)};
    for (VkAttachmentDescription& each : attachments) each.loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    const VkAttachmentReference colours[2] = {{0, colour}, {1, colour}};
    VkSubpassDescription subpass{};
    subpass.colorAttachmentCount = 2;
    subpass.pColorAttachments = colours;
    // Whoever reads the picture places the barrier behind the pass: only they know how they read.
    constexpr VkPipelineStageFlags readers =
        VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | fragment_stage;
    const VkSubpassDependency dependencies[2] = {
        {VK_SUBPASS_EXTERNAL, 0, readers | colour_stage, colour_stage, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
         VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, 0},
        {0, VK_SUBPASS_EXTERNAL, colour_stage, colour_stage, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
         VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, 0}};
    return make_pass(gpu, attachments, subpass, dependencies);
}

Owned<VkRenderPass> make_canvas_pass(const Gpu& gpu, VkFormat format) {
    std::vector attachments{
        attachment(format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_STORE_OP_STORE, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL)};
    attachments[0].loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE;
    const VkAttachmentReference colour{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    VkSubpassDescription subpass{};
    subpass.colorAttachmentCount = 1;
    subpass.pColorAttachments = &colour;
    const VkSubpassDependency dependencies[2] = {
        {VK_SUBPASS_EXTERNAL, 0, VK_PIPELINE_STAGE_TRANSFER_BIT | colour_stage, colour_stage,
         VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, 0},
        {0, VK_SUBPASS_EXTERNAL, colour_stage, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
         VK_ACCESS_TRANSFER_READ_BIT, 0}};
    return make_pass(gpu, attachments, subpass, dependencies);
}

Owned<VkPipeline> make_pipeline(const Gpu& gpu, const PipelineRequest& request) {
    const Owned<VkShaderModule> vertex = make_shader(gpu, request.vertex);
    const Owned<VkShaderModule> fragment =
        request.fragment.empty() ? Owned<VkShaderModule>() : make_shader(gpu, request.fragment);
    const VkSpecializationMapEntry entry{0, 0, sizeof request.material};
    const VkSpecializationInfo constants{1, &entry, sizeof request.material, &request.material};
    VkPipelineShaderStageCreateInfo stages[2] = {{VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO},
                                                 {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO}};
    stages[0].stage = VK_SHADER_STAGE_VERTEX_BIT;
    stages[0].module = vertex.get();
    stages[1].stage = VK_SHADER_STAGE_FRAGMENT_BIT;
    stages[1].module = fragment.get();
    stages[1].pSpecializationInfo = &constants;
    stages[0].pName = stages[1].pName = "main";

    const VkVertexInputBindingDescription bindings[2] = {{0, sizeof(Vertex), VK_VERTEX_INPUT_RATE_VERTEX},
                                                         {1, sizeof(Instance), VK_VERTEX_INPUT_RATE_INSTANCE}};
    const VkVertexInputAttributeDescription attributes[] = {
        {0, 0, VK_FORMAT_R32G32B32_SFLOAT, offsetof(Vertex, position)},
        {3, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, rows)},
        {4, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, rows) + 16},
        {5, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, rows) + 32},
        {1, 0, VK_FORMAT_R32G32B32_SFLOAT, offsetof(Vertex, normal)},
        {2, 0, VK_FORMAT_R32G32B32_SFLOAT, offsetof(Vertex, uv)},
        {6, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, colour)},
        {7, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, colour2)},
        {8, 1, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(Instance, params)},
        {9, 1, VK_FORMAT_R32_UINT, offsetof(Instance, label)}};
    VkPipelineVertexInputStateCreateInfo input{VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
    if (request.meshes) {
        input.vertexBindingDescriptionCount = 2;
        input.pVertexBindingDescriptions = bindings;
        input.vertexAttributeDescriptionCount = request.places_only ? 4 : static_cast<uint32_t>(std::size(attributes));
        input.pVertexAttributeDescriptions = attributes;
    }
    VkPipelineInputAssemblyStateCreateInfo assembly{VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO};
    assembly.topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST;
    VkPipelineViewportStateCreateInfo viewport{VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO};
    viewport.viewportCount = viewport.scissorCount = 1;
    VkPipelineRasterizationStateCreateInfo raster{VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO};
    raster.cullMode = request.two_sided || !request.meshes ? VK_CULL_MODE_NONE : VK_CULL_MODE_BACK_BIT;
    raster.frontFace = VK_FRONT_FACE_COUNTER_CLOCKWISE;
    raster.lineWidth = 1;
    raster.depthBiasEnable = request.depth_bias ? VK_TRUE : VK_FALSE;
    raster.depthBiasConstantFactor = 8;
    raster.depthBiasSlopeFactor = 2.5f;
    VkPipelineMultisampleStateCreateInfo multisample{VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO};
    multisample.rasterizationSamples = request.samples;
    VkPipelineDepthStencilStateCreateInfo depth{VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO};
    depth.depthTestEnable = request.depth_test ? VK_TRUE : VK_FALSE;
    depth.depthWriteEnable = request.depth_write ? VK_TRUE : VK_FALSE;
    depth.depthCompareOp = request.reverse_depth ? VK_COMPARE_OP_GREATER_OR_EQUAL : VK_COMPARE_OP_LESS;
    VkPipelineColorBlendAttachmentState blends[2]{};
    for (VkPipelineColorBlendAttachmentState& blend : blends) blend.colorWriteMask = 0xf;
    if (!request.labels) blends[1].colorWriteMask = 0;
    if (request.blended) {
        blends[0].blendEnable = VK_TRUE;
        blends[0].srcColorBlendFactor = VK_BLEND_FACTOR_SRC_ALPHA;
        blends[0].dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA;
        blends[0].dstAlphaBlendFactor = VK_BLEND_FACTOR_ONE;
    }
    VkPipelineColorBlendStateCreateInfo blend{VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO};
    blend.attachmentCount = request.colour_attachments;
    blend.pAttachments = blends;
    const VkDynamicState dynamics[] = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
    VkPipelineDynamicStateCreateInfo dynamic{VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO};
    dynamic.dynamicStateCount = 2;
    dynamic.pDynamicStates = dynamics;

    VkGraphicsPipelineCreateInfo info{VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO};
    info.stageCount = request.fragment.empty() ? 1 : 2;
    info.pStages = stages;
    info.pVertexInputState = &input;
    info.pInputAssemblyState = &assembly;
    info.pViewportState = &viewport;
    info.pRasterizationState = &raster;
    info.pMultisampleState = &multisample;
    info.pDepthStencilState = &depth;
    info.pColorBlendState = &blend;
    info.pDynamicState = &dynamic;
    info.layout = request.layout;
    info.renderPass = request.pass;
    VkPipeline pipeline = VK_NULL_HANDLE;
    expect(vkCreateGraphicsPipelines(gpu.device(), VK_NULL_HANDLE, 1, &info, nullptr, &pipeline), "make a pipeline");
    return {gpu.device(), pipeline, vkDestroyPipeline};
}

}  // namespace vkseg::sim
