/* vkseg: real-time segmentation networks on any Vulkan device.
 *
 * The C interface of libvkseg, version 0: a segmenter that owns its device. Functions return VKSEG_SUCCESS or a code;
 * vkseg_last_error() then gives one sentence for the calling thread. Nothing throws across this interface.
 * A segmenter is for one thread at a time; several segmenters are independent of each other. */
#ifndef VKSEG_VKSEG_H
#define VKSEG_VKSEG_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VKSEG_API __attribute__((visibility("default")))
#else
#define VKSEG_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vkseg_result {
    VKSEG_SUCCESS = 0,
    /* A wrong argument, file, tensor or configuration, or a size that network or device cannot take. */
    VKSEG_ERROR_INVALID = 1,
    /* The device stopped answering; destroy the segmenter. A new one may work. */
    VKSEG_ERROR_DEVICE_LOST = 2,
    VKSEG_ERROR_OUT_OF_MEMORY = 3
} vkseg_result;

typedef struct vkseg_segmenter vkseg_segmenter;

typedef struct vkseg_segmenter_desc {
    /* sizeof(vkseg_segmenter_desc): later versions may add members behind. */
    size_t struct_size;
    /* A file of `vkseg bake` or of vkseg_import(). */
    const char* network_path;
    /* Index in the listing of `vkseg devices` or part of a device's name; NULL for VKSEG_DEVICE or the first. */
    const char* device;
    /* Size that the network sees, in pixels; 0 for the one that was baked. */
    uint32_t network_width;
    uint32_t network_height;
} vkseg_segmenter_desc;

/* "0.1.0" */
VKSEG_API const char* vkseg_version(void);

/* The sentence of the calling thread's last failure; "" when there was none. Valid until the thread's next call. */
VKSEG_API const char* vkseg_last_error(void);

VKSEG_API vkseg_result vkseg_segmenter_create(const vkseg_segmenter_desc* desc, vkseg_segmenter** segmenter);
VKSEG_API void vkseg_segmenter_destroy(vkseg_segmenter* segmenter);

/* Number of classes; labels are below it. */
VKSEG_API uint32_t vkseg_segmenter_class_count(const vkseg_segmenter* segmenter);

/* Segments `width` x `height` pixels, 8-bit red, green, blue, row after row, and writes one class index per pixel to
 * `labels` (width * height bytes). The first call at a size plans it and compiles what is missing. */
VKSEG_API vkseg_result vkseg_segmenter_run(vkseg_segmenter* segmenter, const uint8_t* rgb, uint32_t width,
                                           uint32_t height, uint8_t* labels);

#ifdef __cplusplus
}
#endif

#endif
