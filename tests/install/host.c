/* A host outside the tree, in C: knows the installed header and library only. host [BAKED_NETWORK] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vkseg/vkseg.h>

static int segment(const char* network) {
    vkseg_segmenter_desc desc = {sizeof desc, network, NULL, 128, 64};
    vkseg_segmenter* segmenter = NULL;
    static uint8_t rgb[40 * 30 * 3], labels[40 * 30];
    if (vkseg_segmenter_create(&desc, &segmenter) != VKSEG_SUCCESS) return 10;
    if (vkseg_segmenter_class_count(segmenter) != 20) return 11;
    memset(labels, 255, sizeof labels);
    if (vkseg_segmenter_run(segmenter, rgb, 40, 30, labels) != VKSEG_SUCCESS) return 12;
    if (labels[0] >= 20) return 13;
    vkseg_segmenter_destroy(segmenter);
    return 0;
}

int main(int argc, char** argv) {
    vkseg_segmenter_desc desc = {sizeof desc, "no such file.vkseg", NULL, 0, 0};
    vkseg_segmenter* segmenter = NULL;
    if (vkseg_segmenter_create(&desc, &segmenter) != VKSEG_ERROR_INVALID || segmenter != NULL) return 1;
    if (strstr(vkseg_last_error(), "no such file.vkseg") == NULL) return 2;
    vkseg_segmenter_destroy(NULL);
    printf("vkseg %s: %s\n", vkseg_version(), vkseg_last_error());
    const int code = argc > 1 ? segment(argv[1]) : 0;
    if (code != 0) printf("%s\n", vkseg_last_error());
    return code;
}
