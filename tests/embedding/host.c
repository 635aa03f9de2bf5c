/* A host in C99 with a Vulkan device of its own: a picture in a sampled image becomes labels in a buffer and an overlay
 * in an image, by its own command buffer. Between the marks is what docs/embedding.md shows. */
#include "vulkan_host.h"

/* [example] */
#include <vkseg/vkseg.h>

static void expect(vkseg_result result) {
    if (result == VKSEG_SUCCESS) return;
    fprintf(stderr, "%s: %s\n", vkseg_result_name(result), vkseg_last_error());
    exit(1);
}

/* Once, on a loading thread if you like. */
static vkseg_segmenter* load(vkseg_context_desc device, const char* path, uint32_t width, uint32_t height) {
    vkseg_context* context;
    vkseg_model* model;
    vkseg_segmenter* segmenter;
    device.struct_size = sizeof device;
    expect(vkseg_context_create(&device, &context));
    expect(vkseg_model_load_file(path, &model));
    vkseg_segmenter_desc desc = {.struct_size = sizeof desc, .picture_width = width, .picture_height = height};
    desc.picture_place = VKSEG_IMAGE;
    desc.picture_format = VK_FORMAT_R8G8B8A8_UNORM;
    desc.outputs = 1u << VKSEG_LABELS | 1u << VKSEG_OVERLAY;
    desc.output[VKSEG_LABELS].place = VKSEG_BUFFER;
    desc.output[VKSEG_OVERLAY].place = VKSEG_IMAGE;
    expect(vkseg_segmenter_create(context, model, &desc, &segmenter));
    expect(vkseg_segmenter_prepare(segmenter, NULL, NULL)); /* compiles, and allocates: no memory was bound */
    vkseg_model_destroy(model);                             /* both live on in the segmenter */
    vkseg_context_destroy(context);
    return segmenter;
}

/* Every frame, anywhere outside a render pass. The host wrote `picture` by a copy, and copies `overlay` next. */
static void record_frame(vkseg_segmenter* segmenter, VkCommandBuffer commands, uint32_t slot, VkImage picture,
                         VkImageView view, VkBuffer labels, VkImage overlay) {
    const vkseg_sync copied = {VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                               VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_FALSE, 0};
    const vkseg_sync host_reads = {.stages = VK_PIPELINE_STAGE_HOST_BIT, .access = VK_ACCESS_HOST_READ_BIT};
    const vkseg_sync copies = {VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_FALSE, 0};
    vkseg_record_desc frame = {.struct_size = sizeof frame, .slot = slot};
    frame.picture = (vkseg_resource){.image = picture, .view = view, .before = copied, .after = copied};
    frame.output[VKSEG_LABELS] = (vkseg_resource){.buffer = labels, .after = host_reads};
    frame.output[VKSEG_OVERLAY] = (vkseg_resource){.image = overlay, .after = copies};
    expect(vkseg_segmenter_record(segmenter, commands, &frame, NULL));
}
/* [end] */

/* The host's copies around the network: the picture into its image, the overlay out of its own. */
static void copy_in(VkCommandBuffer commands, VkBuffer from, VkImage picture, uint32_t width, uint32_t height) {
    const VkBufferImageCopy whole = host_whole_image(width, height);
    host_image_barrier(commands, picture, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                       VK_PIPELINE_STAGE_TRANSFER_BIT, 0, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
    vkCmdCopyBufferToImage(commands, from, picture, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &whole);
}

static void copy_out(VkCommandBuffer commands, VkImage overlay, VkBuffer to, uint32_t width, uint32_t height) {
    const VkBufferImageCopy whole = host_whole_image(width, height);
    vkCmdCopyImageToBuffer(commands, overlay, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, to, 1, &whole);
    host_read_barrier(commands);
}

static void print_shares(const char* path, const uint8_t* labels, size_t pixels) {
    size_t count[256] = {0};
    vkseg_model* model;
    expect(vkseg_model_load_file(path, &model));
    for (size_t i = 0; i < pixels; ++i) ++count[labels[i]];
    for (uint32_t c = 0; c < 256; ++c)
        if (count[c] != 0)
            printf("class %3u %-16s %5.1f %%\n", c, vkseg_model_class_name(model, c),
                   100.0 * (double)count[c] / (double)pixels);
    vkseg_model_destroy(model);
}

int main(int argc, char** argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: %s MODEL DEVICE PICTURE.ppm OVERLAY.ppm LABELS.pgm\n", argv[0]);
        return 2;
    }
    uint32_t width, height;
    uint8_t* rgba = read_ppm(argv[3], &width, &height);
    const VkDeviceSize size = (VkDeviceSize)width * height * 4;

    Host host;
    host_open(&host, argv[2]);
    const vkseg_context_desc device = {.flags = VKSEG_CONTEXT_CHECKED,
                                       .get_instance_proc_addr = vkGetInstanceProcAddr,
                                       .instance = host.instance,
                                       .api_version = VK_API_VERSION_1_2,
                                       .physical_device = host.physical,
                                       .device = host.device,
                                       .queue_family = host.family,
                                       .enabled_features = &host.features};
    vkseg_segmenter* segmenter = load(device, argv[1], width, height);
    vkseg_segmenter_info info = {.struct_size = sizeof info};
    expect(vkseg_segmenter_get_info(segmenter, &info));

    Buffer staging = host_buffer(&host, size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    Buffer labels = host_buffer(&host, info.output_size[VKSEG_LABELS], VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    Image picture = host_image(&host, VK_FORMAT_R8G8B8A8_UNORM, width, height,
                               VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    Image overlay = host_image(&host, VK_FORMAT_R8G8B8A8_UNORM, width, height,
                               VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    memcpy(staging.bytes, rgba, size);

    VkCommandBuffer commands = host_begin(&host, VK_NULL_HANDLE);
    expect(vkseg_segmenter_record_setup(segmenter, commands));
    copy_in(commands, staging.handle, picture.handle, width, height);
    record_frame(segmenter, commands, 0, picture.handle, picture.view, labels.handle, overlay.handle);
    copy_out(commands, overlay.handle, staging.handle, width, height);
    host_submit(&host, commands, VK_NULL_HANDLE);
    CHECK(vkQueueWaitIdle(host.queue));
    expect(vkseg_segmenter_finish_setup(segmenter));

    printf("%s, %ux%u, %u steps, %.1f MB of weights and %.1f MB of activations\n", host.properties.deviceName, width,
           height, info.step_count, (double)info.persistent.size * 1e-6, (double)info.transient.size * 1e-6);
    print_shares(argv[1], labels.bytes, (size_t)width * height);
    write_pnm(argv[4], width, height, staging.bytes, 4);
    write_pnm(argv[5], width, height, labels.bytes, 1);

    vkseg_segmenter_destroy(segmenter);
    host_free_image(&host, overlay);
    host_free_image(&host, picture);
    host_free_buffer(&host, labels);
    host_free_buffer(&host, staging);
    free(rgba);
    return host_close(&host);
}
