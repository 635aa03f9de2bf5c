/* A host outside the tree, in C: knows the installed header and library only. host [BAKED_NETWORK] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vkseg/vkseg.h>

#define TRY(call) \
    if ((call) != VKSEG_SUCCESS) return __LINE__

/* On a device of the library's own, from host memory to host memory. */
static int segment(const char* network) {
    static uint8_t rgb[40 * 30 * 3], labels[40 * 30];
    vkseg_context_desc context_desc = {.struct_size = sizeof context_desc};
    vkseg_segmenter_desc desc = {.struct_size = sizeof desc,
                                 .picture_width = 40,
                                 .picture_height = 30,
                                 .picture_place = VKSEG_HOST_MEMORY,
                                 .picture_format = VK_FORMAT_R8G8B8_UNORM,
                                 .network_width = 128,
                                 .network_height = 64,
                                 .output = {[VKSEG_LABELS] = {.place = VKSEG_HOST_MEMORY}}};
    vkseg_run_desc run = {.struct_size = sizeof run, .picture = rgb, .output = {[VKSEG_LABELS] = labels}};
    vkseg_model_info info = {.struct_size = sizeof info};
    vkseg_context* context = NULL;
    vkseg_model* model = NULL;
    vkseg_segmenter* segmenter = NULL;
    TRY(vkseg_model_load_file(network, &model));
    TRY(vkseg_model_get_info(model, &info));
    if (info.class_count != 20 || strcmp(vkseg_model_class_name(model, 0), "road") != 0) return __LINE__;
    TRY(vkseg_context_create(&context_desc, &context));
    TRY(vkseg_segmenter_create(context, model, &desc, &segmenter));
    /* In any order. */
    vkseg_context_destroy(context);
    vkseg_model_destroy(model);
    memset(labels, 255, sizeof labels);
    TRY(vkseg_segmenter_run(segmenter, &run));
    if (labels[0] >= 20) return __LINE__;
    vkseg_segmenter_destroy(segmenter);
    return 0;
}

int main(int argc, char** argv) {
    vkseg_model* model = NULL;
    if (vkseg_api_version() != VKSEG_API_VERSION) return __LINE__;
    if (vkseg_model_load_file("no such file.vkseg", &model) != VKSEG_ERROR_INVALID_MODEL || model != NULL)
        return __LINE__;
    if (strstr(vkseg_last_error(), "no such file.vkseg") == NULL) return __LINE__;
    vkseg_model_destroy(NULL);
    vkseg_segmenter_destroy(NULL);
    vkseg_context_destroy(NULL);
    printf("vkseg %s: %s\n", vkseg_version(), vkseg_last_error());
    const int line = argc > 1 ? segment(argv[1]) : 0;
    if (line != 0) printf("line %d: %s\n", line, vkseg_last_error());
    return line != 0;
}
