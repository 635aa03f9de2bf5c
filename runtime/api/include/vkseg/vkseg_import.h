/* vkseg: from trained weights to a baked network.
 *
 * The C interface of libvkseg_import, version 0. It holds the networks and the readers of weights files, which hosts of
 * libvkseg need once or never: bake ahead with it or with `vkseg bake`, and ship the bytes. Functions may be called from
 * any thread. Nothing throws across this interface. */
#ifndef VKSEG_VKSEG_IMPORT_H
#define VKSEG_VKSEG_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VKSEG_IMPORT_API __attribute__((visibility("default")))
#else
#define VKSEG_IMPORT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vkseg_import_result {
    VKSEG_IMPORT_SUCCESS = 0,
    /* A wrong argument, file, tensor or configuration, or a size that the network cannot take. */
    VKSEG_IMPORT_ERROR_INVALID = 1,
    VKSEG_IMPORT_ERROR_OUT_OF_MEMORY = 3
} vkseg_import_result;

typedef enum vkseg_import_precision {
    /* The device decides: fp16 on GPUs, fp32 on CPU drivers. */
    VKSEG_IMPORT_PRECISION_AUTO = 0,
    VKSEG_IMPORT_PRECISION_FP32 = 1,
    /* Activations stored in 16 bits, sums in 32. */
    VKSEG_IMPORT_PRECISION_FP16 = 2
} vkseg_import_precision;

typedef struct vkseg_import_desc {
    /* sizeof(vkseg_import_desc): later versions may add members behind. */
    size_t struct_size;
    /* "espnet", ...; `vkseg networks` lists them. */
    const char* network;
    /* PyTorch state dict or safetensors. */
    const char* weights_path;
    /* Configuration as a JSON object; NULL for the network's defaults. */
    const char* config_json;
    /* cityscapes19, cityscapes20, camvid11, camvid12 or pascal21; NULL to choose by the number of classes. */
    const char* classes;
    /* Size that the network sees, in pixels; 0 for its default. */
    uint32_t width;
    uint32_t height;
    vkseg_import_precision precision;
} vkseg_import_desc;

/* Writes the address and the number of the baked bytes; give them to vkseg_import_free(). On failure both are 0. */
VKSEG_IMPORT_API vkseg_import_result vkseg_import(const vkseg_import_desc* desc, uint8_t** bytes, size_t* size);

/* NULL is allowed. */
VKSEG_IMPORT_API void vkseg_import_free(uint8_t* bytes);

/* The sentence of the calling thread's last failure; "" when there was none. Valid until the thread's next call. */
VKSEG_IMPORT_API const char* vkseg_import_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
