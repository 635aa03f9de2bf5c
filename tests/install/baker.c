/* A program outside the tree that bakes: baker [WEIGHTS OUTPUT] */
#include <stdio.h>
#include <string.h>
#include <vkseg/vkseg_import.h>

static int refused(const vkseg_import_desc* desc, const char* sentence_part) {
    uint8_t* bytes = (uint8_t*)1;
    size_t size = 1;
    if (vkseg_import(desc, &bytes, &size) != VKSEG_IMPORT_ERROR_INVALID || bytes != NULL || size != 0) return 0;
    if (strstr(vkseg_import_last_error(), sentence_part) != NULL) return 1;
    printf("%s\n", vkseg_import_last_error());
    return 0;
}

int main(int argc, char** argv) {
    vkseg_import_desc desc = {.struct_size = sizeof desc, .network = "espnet", .weights_path = "no such file.pth"};
    if (!refused(&desc, "no such file.pth") || !refused(NULL, "NULL")) return 1;
    desc.network = "no such network";
    if (!refused(&desc, "known are")) return 2;
    vkseg_import_free(NULL);
    if (argc < 3) return 0;

    uint8_t* bytes = NULL;
    size_t size = 0;
    desc.network = "espnet";
    desc.weights_path = argv[1];
    desc.config_json = "{\"unknown\": 1}";
    if (!refused(&desc, "unknown")) return 3;
    desc.config_json = "{\"classes\": 20}";
    if (vkseg_import(&desc, &bytes, &size) != VKSEG_IMPORT_SUCCESS || vkseg_import_last_error()[0] != '\0') return 4;
    FILE* file = fopen(argv[2], "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) return 5;
    vkseg_import_free(bytes);
    return 0;
}
