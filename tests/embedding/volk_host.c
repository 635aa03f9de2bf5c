/* A host that loads Vulkan through volk: its functions are global pointers, called like the loader's. libvkseg keeps
 * tables of its own, so that both live side by side, and runs here without a command buffer of the host (submit). */
#define VOLK_IMPLEMENTATION
#include <volk.h>

#include "vulkan_host.h"

#include <vkseg/vkseg.h>

static void expect(vkseg_result result) {
    if (result == VKSEG_SUCCESS) return;
    fprintf(stderr, "%s: %s\n", vkseg_result_name(result), vkseg_last_error());
    exit(1);
}

static unsigned submissions = 0;

static VkResult submit(void* user, VkQueue queue, const VkSubmitInfo* info, VkFence fence) {
    (void)user;
    ++submissions;
    return vkQueueSubmit(queue, 1, info, fence);
}

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s MODEL DEVICE PICTURE.ppm LABELS.pgm\n", argv[0]);
        return 2;
    }
    uint32_t width, height;
    uint8_t* rgba = read_ppm(argv[3], &width, &height);

    Host host;
    host_open(&host, argv[2]);
    const PFN_vkCmdDispatch dispatch = vkCmdDispatch;
    const PFN_vkGetInstanceProcAddr get = vkGetInstanceProcAddr;

    const vkseg_context_desc device = {.struct_size = sizeof device,
                                       .flags = VKSEG_CONTEXT_CHECKED,
                                       .get_instance_proc_addr = vkGetInstanceProcAddr,
                                       .instance = host.instance,
                                       .api_version = VK_API_VERSION_1_2,
                                       .physical_device = host.physical,
                                       .device = host.device,
                                       .queue_family = host.family,
                                       .queue = host.queue,
                                       .enabled_features = &host.features,
                                       .submit = submit};
    vkseg_context* context;
    vkseg_model* model;
    vkseg_segmenter* segmenter;
    expect(vkseg_context_create(&device, &context));
    expect(vkseg_model_load_file(argv[1], &model));
    vkseg_segmenter_desc wanted = {.struct_size = sizeof wanted,
                                   .picture_width = width,
                                   .picture_height = height,
                                   .picture_place = VKSEG_BUFFER,
                                   .picture_format = VK_FORMAT_R8G8B8A8_UNORM};
    wanted.output[VKSEG_LABELS].place = VKSEG_BUFFER;
    expect(vkseg_segmenter_create(context, model, &wanted, &segmenter));
    expect(vkseg_segmenter_prepare(segmenter, NULL, NULL));
    vkseg_segmenter_info info = {.struct_size = sizeof info};
    expect(vkseg_segmenter_get_info(segmenter, &info));

    Buffer picture = host_buffer(&host, (VkDeviceSize)width * height * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    Buffer labels = host_buffer(&host, info.output_size[VKSEG_LABELS], VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    memcpy(picture.bytes, rgba, (size_t)width * height * 4);
    VkFence fence;
    VkFenceCreateInfo fence_info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    CHECK(vkCreateFence(host.device, &fence_info, NULL, &fence));

    /* Two frames, the second in slices: what the host wrote is visible to every submission, what it reads is asked for.
     */
    const vkseg_sync host_reads = {.stages = VK_PIPELINE_STAGE_HOST_BIT, .access = VK_ACCESS_HOST_READ_BIT};
    uint8_t* first = (uint8_t*)malloc((size_t)width * height);
    for (int frame = 0; frame < 2; ++frame) {
        vkseg_progress progress = {.struct_size = sizeof progress};
        for (uint32_t slice = 0; !progress.finished; ++slice) {
            vkseg_record_desc record = {.struct_size = sizeof record, .slot = slice % 2};
            record.max_steps = frame == 0 ? 0 : 5;
            record.picture.buffer = picture.handle;
            record.output[VKSEG_LABELS].buffer = labels.handle;
            record.output[VKSEG_LABELS].after = host_reads;
            const vkseg_submit_desc now = {.struct_size = sizeof now, .record = &record, .fence = fence};
            expect(vkseg_segmenter_submit(segmenter, &now, &progress));
            CHECK(vkWaitForFences(host.device, 1, &fence, VK_TRUE, UINT64_MAX));
            CHECK(vkResetFences(host.device, 1, &fence));
        }
        if (frame == 0) memcpy(first, labels.bytes, (size_t)width * height);
    }
    const int differs = memcmp(first, labels.bytes, (size_t)width * height) != 0;
    const int disturbed = dispatch != vkCmdDispatch || get != vkGetInstanceProcAddr;
    printf("%s: %u submissions through the host's callback\n", host.properties.deviceName, submissions);
    if (differs) fprintf(stderr, "the frame in slices differs from the frame in one piece\n");
    if (disturbed) fprintf(stderr, "volk's pointers are not what they were\n");
    write_pnm(argv[4], width, height, labels.bytes, 1);

    vkseg_segmenter_destroy(segmenter);
    vkseg_model_destroy(model);
    vkseg_context_destroy(context);
    vkDestroyFence(host.device, fence, NULL);
    host_free_buffer(&host, labels);
    host_free_buffer(&host, picture);
    free(first);
    free(rgba);
    return host_close(&host) | differs | disturbed;
}
