/* A host outside the tree, in C: knows the installed header and library only. */
#include <stdio.h>
#include <string.h>
#include <vkseg/vkseg.h>

int main(void) {
    vkseg_segmenter_desc desc = {sizeof desc, "espnet", "no such file.pth", NULL, 0, 0};
    vkseg_segmenter* segmenter = NULL;
    if (vkseg_segmenter_create(&desc, &segmenter) != VKSEG_ERROR_INVALID || segmenter != NULL) return 1;
    if (strstr(vkseg_last_error(), "no such file.pth") == NULL) return 2;
    desc.network = "no such network";
    if (vkseg_segmenter_create(&desc, &segmenter) != VKSEG_ERROR_INVALID) return 3;
    if (strstr(vkseg_last_error(), "espnet") == NULL) return 4;
    vkseg_segmenter_destroy(NULL);
    printf("vkseg %s: %s\n", vkseg_version(), vkseg_last_error());
    return 0;
}
