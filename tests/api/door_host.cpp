#include "tests/api/door_host.hpp"

#include "models/class_sets.hpp"

#include <cstring>

namespace vkseg::test {

namespace {

constexpr VkBufferUsageFlags host_buffer_usage =
    VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

bool is_bytes(int output) {
    return output == VKSEG_LABELS || output == VKSEG_CONFIDENCE;
}

VkFormat image_format(int output, const vkseg_segmenter_desc& desc) {
    const VkFormat format = desc.output[output].format;
    if (format != VK_FORMAT_UNDEFINED) return format;
    return is_bytes(output) ? VK_FORMAT_R8_UINT : VK_FORMAT_R8G8B8A8_UNORM;
}

void move(const vk::DeviceTable& table, VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to) {
    VkImageMemoryBarrier barrier{VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
    barrier.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    barrier.oldLayout = from;
    barrier.newLayout = to;
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    table.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0,
                             nullptr, 0, nullptr, 1, &barrier);
}

}  // namespace

std::vector<uint8_t> bake_small_network() {
    ModelOptions options;
    options.config = {{"alpha2", 1.0}, {"alpha3", 1.0}};
    const auto model = load_model(options, network_width, network_height);
    return bake(*model, {}, default_class_set("espnet", model->classes), true);
}

HostImage::HostImage(const Context& context, VkFormat format, uint32_t width, uint32_t height) : context_(context) {
    const vk::DeviceTable& table = context.table();
    VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = format;
    info.extent = {width, height, 1};
    info.mipLevels = info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    vk::check(load<PFN_vkCreateImage>("vkCreateImage")(context.device(), &info, nullptr, &image_), "make an image");
    VkMemoryRequirements needs{};
    load<PFN_vkGetImageMemoryRequirements>("vkGetImageMemoryRequirements")(context.device(), image_, &needs);
    VkMemoryAllocateInfo allocation{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
    allocation.allocationSize = needs.size;
    while ((needs.memoryTypeBits >> allocation.memoryTypeIndex & 1) == 0) ++allocation.memoryTypeIndex;
    vk::check(table.AllocateMemory(context.device(), &allocation, nullptr, &memory_), "allocate an image");
    vk::check(load<PFN_vkBindImageMemory>("vkBindImageMemory")(context.device(), image_, memory_, 0), "bind an image");
    VkImageViewCreateInfo view{VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
    view.image = image_;
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = format;
    view.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    vk::check(load<PFN_vkCreateImageView>("vkCreateImageView")(context.device(), &view, nullptr, &view_),
              "make a view");
}

HostImage::~HostImage() {
    load<PFN_vkDestroyImageView>("vkDestroyImageView")(context_.device(), view_, nullptr);
    load<PFN_vkDestroyImage>("vkDestroyImage")(context_.device(), image_, nullptr);
    context_.table().FreeMemory(context_.device(), memory_, nullptr);
}

DoorHost::DoorHost(Context& context) : context_(context) {
    const vk::DeviceTable& table = context.table();
    VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    info.queueFamilyIndex = context.physical().queue_family;
    VkCommandPool pool = VK_NULL_HANDLE;
    vk::check(table.CreateCommandPool(context.device(), &info, nullptr, &pool), "make a pool");
    pool_ = {context.device(), pool, table.DestroyCommandPool};
    VkCommandBufferAllocateInfo allocation{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    allocation.commandPool = pool;
    allocation.commandBufferCount = 1;
    vk::check(table.AllocateCommandBuffers(context.device(), &allocation, &commands_), "make a command buffer");
    const VkFenceCreateInfo fence_info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    vk::check(table.CreateFence(context.device(), &fence_info, nullptr, &fence), "make a fence");
    fence_ = {context.device(), fence, table.DestroyFence};
}

vkseg_context_desc DoorHost::context_desc() const {
    vkseg_context_desc desc{};
    desc.struct_size = sizeof desc;
    desc.get_instance_proc_addr = library_->get_instance_proc_addr();
    desc.instance = context_.instance().get();
    desc.api_version = context_.instance().api_version();
    desc.physical_device = context_.physical().handle;
    desc.device = context_.device();
    desc.queue = context_.queue();
    desc.queue_family = context_.physical().queue_family;
    return desc;
}

ContextHandle DoorHost::make_context(uint32_t flags) const {
    vkseg_context_desc desc = context_desc();
    desc.flags = flags;
    VkPhysicalDeviceVulkan12Features enabled{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    enabled.bufferDeviceAddress = context_.facts().buffer_device_address ? VK_TRUE : VK_FALSE;
    VkPhysicalDeviceFeatures2 core{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &enabled};
    core.features.shaderInt64 = context_.facts().shader_int64 ? VK_TRUE : VK_FALSE;
    desc.enabled_features = &core;
    vkseg_context* context = nullptr;
    EXPECT_EQ(vkseg_context_create(&desc, &context), VKSEG_SUCCESS) << vkseg_last_error();
    return ContextHandle(context);
}

void DoorHost::run(const std::function<void(VkCommandBuffer)>& body) {
    const vk::DeviceTable& table = context_.table();
    const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    vk::check(table.BeginCommandBuffer(commands_, &begin), "begin");
    body(commands_);
    vk::check(table.EndCommandBuffer(commands_), "end");
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands_;
    const VkFence fence = fence_.get();
    vk::check(table.QueueSubmit(context_.queue(), 1, &info, fence), "submit");
    vk::check(table.WaitForFences(context_.device(), 1, &fence, VK_TRUE, UINT64_MAX), "wait");
    vk::check(table.ResetFences(context_.device(), 1, &fence), "reset");
}

vk::Buffer DoorHost::make_buffer(uint64_t size_bytes) const {
    return {context_, "the host's", size_bytes, host_buffer_usage, vk::MemoryUse::Download};
}

std::vector<uint8_t> DoorHost::read(const vk::Buffer& buffer, uint64_t size_bytes) const {
    buffer.invalidate(context_);
    const auto bytes = buffer.mapped().first(size_bytes);
    return {bytes.begin(), bytes.end()};
}

void DoorHost::upload(const HostImage& image, std::span<const uint8_t> bytes, uint32_t width, uint32_t height) {
    const vk::Buffer staging = make_buffer(bytes.size());
    std::ranges::copy(bytes, staging.mapped().begin());
    run([&](VkCommandBuffer commands) {
        const vk::DeviceTable& table = context_.table();
        move(table, commands, image.get(), VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        VkBufferImageCopy region{};
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = {width, height, 1};
        table.CmdCopyBufferToImage(commands, staging.get(), image.get(), VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1,
                                   &region);
        move(table, commands, image.get(), VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
             VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    });
}

std::vector<uint8_t> DoorHost::download(const HostImage& image, uint32_t width, uint32_t height, uint32_t texel_bytes) {
    const uint64_t size = uint64_t{width} * height * texel_bytes;
    const vk::Buffer target = make_buffer(size);
    const auto copy = reinterpret_cast<PFN_vkCmdCopyImageToBuffer>(
        context_.instance_table().GetDeviceProcAddr(context_.device(), "vkCmdCopyImageToBuffer"));
    run([&](VkCommandBuffer commands) {
        VkBufferImageCopy region{};
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = {width, height, 1};
        copy(commands, image.get(), VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, target.get(), 1, &region);
        record_barrier(context_.table(), commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                       VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    });
    return read(target, size);
}

std::vector<uint8_t> noise_picture() {
    std::mt19937 random(7);
    std::vector<uint8_t> bytes(size_t{picture_width} * picture_height * 4);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
}

vkseg_segmenter_desc small_desc(vkseg_place place, uint32_t outputs) {
    vkseg_segmenter_desc desc{};
    desc.struct_size = sizeof desc;
    desc.picture_width = picture_width;
    desc.picture_height = picture_height;
    desc.picture_place = place;
    desc.picture_format = VK_FORMAT_R8G8B8A8_UNORM;
    desc.outputs = outputs;
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
        desc.output[output].place = place == VKSEG_IMAGE && output == VKSEG_SCORES ? VKSEG_BUFFER : place;
    return desc;
}

SegmenterHandle make_segmenter(vkseg_context* context, const vkseg_model* model, const vkseg_segmenter_desc& desc) {
    vkseg_segmenter* segmenter = nullptr;
    EXPECT_EQ(vkseg_segmenter_create(context, model, &desc, &segmenter), VKSEG_SUCCESS) << vkseg_last_error();
    return SegmenterHandle(segmenter);
}

Frame::Frame(DoorHost& host, vkseg_context* context, const vkseg_model* model, vkseg_segmenter_desc desc,
             std::span<const uint8_t> picture, bool ready)
    : host_(host), desc_(desc), segmenter_(make_segmenter(context, model, desc)) {
    record_.struct_size = sizeof record_;
    constexpr VkImageLayout readable = VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL;
    if (desc.picture_place == VKSEG_IMAGE) {
        picture_image_ =
            std::make_unique<HostImage>(host.device(), desc.picture_format, desc.picture_width, desc.picture_height);
        host.upload(*picture_image_, picture, desc.picture_width, desc.picture_height);
        record_.picture.image = picture_image_->get();
        record_.picture.view = picture_image_->view();
        record_.picture.before.layout = record_.picture.after.layout = readable;
    } else {
        picture_buffer_ = host.make_buffer((picture.size() + 3) / 4 * 4);
        std::ranges::copy(picture, picture_buffer_.mapped().begin());
        record_.picture.buffer = picture_buffer_.get();
        record_.picture.before = {VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_WRITE_BIT, {}, 0, 0};
    }
    vkseg_segmenter_info info{};
    info.struct_size = sizeof info;
    EXPECT_EQ(vkseg_segmenter_get_info(segmenter_.get(), &info), VKSEG_SUCCESS) << vkseg_last_error();
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output) {
        if ((desc.outputs >> output & 1) == 0) continue;
        vkseg_resource& resource = record_.output[output];
        if (desc.output[output].place == VKSEG_IMAGE) {
            auto& image = images_[output] = std::make_unique<HostImage>(host.device(), image_format(output, desc),
                                                                        desc.picture_width, desc.picture_height);
            resource.image = image->get();
            resource.after = {VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                              VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 0, 0};
        } else {
            vk::Buffer& buffer = buffers_[output] = host.make_buffer(info.output_size[output]);
            std::ranges::fill(buffer.mapped(), uint8_t{0xa5});
            resource.buffer = buffer.get();
            resource.after = {VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT, {}, 0, 0};
        }
    }
    if (!ready) return;
    EXPECT_EQ(vkseg_segmenter_prepare(segmenter_.get(), nullptr, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
    host.run([&](VkCommandBuffer commands) {
        EXPECT_EQ(vkseg_segmenter_record_setup(segmenter_.get(), commands), VKSEG_SUCCESS) << vkseg_last_error();
    });
    EXPECT_EQ(vkseg_segmenter_finish_setup(segmenter_.get()), VKSEG_SUCCESS) << vkseg_last_error();
}

vkseg_progress Frame::advance() {
    vkseg_progress progress{};
    progress.struct_size = sizeof progress;
    host_.run([&](VkCommandBuffer commands) {
        EXPECT_EQ(vkseg_segmenter_record(segmenter_.get(), commands, &record_, &progress), VKSEG_SUCCESS)
            << vkseg_last_error();
    });
    // From now on images are where the recording left them.
    for (auto& resource : record_.output)
        if (resource.image != VK_NULL_HANDLE) resource.before = resource.after;
    record_.slot = (record_.slot + 1) % (desc_.frame_slots == 0 ? 2 : desc_.frame_slots);
    return progress;
}

int Frame::finish() {
    for (int slices = 1;; ++slices)
        if (const vkseg_progress progress = advance(); progress.finished != 0 || slices > 1000) return slices;
}

std::map<int, std::vector<uint8_t>> Frame::results() {
    std::map<int, std::vector<uint8_t>> results;
    for (const auto& [output, image] : images_)
        results[output] = host_.download(*image, desc_.picture_width, desc_.picture_height, is_bytes(output) ? 1 : 4);
    for (const auto& [output, buffer] : buffers_) {
        uint64_t size = buffer.size_bytes();
        if (output != VKSEG_SCORES)
            size = uint64_t{desc_.picture_width} * desc_.picture_height * (is_bytes(output) ? 1 : 4);
        results[output] = host_.read(buffer, size);
    }
    return results;
}

std::map<int, std::vector<uint8_t>> standalone(vkseg_context* context, const vkseg_model* model,
                                               vkseg_segmenter_desc desc, std::span<const uint8_t> picture) {
    desc.picture_place = VKSEG_HOST_MEMORY;
    for (vkseg_output_desc& output : desc.output) output.place = VKSEG_HOST_MEMORY;
    const SegmenterHandle segmenter = make_segmenter(context, model, desc);
    vkseg_segmenter_info info{};
    info.struct_size = sizeof info;
    EXPECT_EQ(vkseg_segmenter_get_info(segmenter.get(), &info), VKSEG_SUCCESS);
    std::map<int, std::vector<uint8_t>> results;
    vkseg_run_desc run{};
    run.struct_size = sizeof run;
    run.picture = picture.data();
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
        if (info.output_size[output] != 0) {
            results[output].resize(info.output_size[output]);
            run.output[output] = results[output].data();
        }
    EXPECT_EQ(vkseg_segmenter_run(segmenter.get(), &run), VKSEG_SUCCESS) << vkseg_last_error();
    for (auto& [output, bytes] : results)
        if (is_bytes(output)) bytes.resize(size_t{desc.picture_width} * desc.picture_height);
    return results;
}

void Door::SetUp() {
    EachDriver::SetUp();
    if (IsSkipped()) return;
    host_ = std::make_unique<DoorHost>(context());
    static const std::vector<uint8_t> bytes = bake_small_network();
    vkseg_model* model = nullptr;
    ASSERT_EQ(vkseg_model_load(bytes.data(), bytes.size(), &model), VKSEG_SUCCESS) << vkseg_last_error();
    model_.reset(model);
}

void Door::TearDown() {
    host_.reset();
    model_.reset();
    EachDriver::TearDown();
}

}  // namespace vkseg::test
