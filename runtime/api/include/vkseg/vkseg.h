/* vkseg: real-time segmentation networks on any Vulkan device, inside a host program.
 *
 * The C interface of libvkseg, version 1. A host makes, once: a context (its own Vulkan device, or one that the library
 * opens), a model (a file written by `vkseg bake`), a segmenter (a model planned for one size of picture on one
 * context). It gives the segmenter memory, prepares it, records its set-up once, and then records or submits a frame
 * whenever it wants one.
 *
 * Threads. Distinct objects may be used from distinct threads at once; one object is for one thread at a time, but for
 * the functions of `const` objects, and for vkseg_segmenter_prepare: several segmenters of one context may be created,
 * prepared and recorded in different threads at once. Nothing is global. A context outlives what was made on it as long
 * as any of it lives (destroying early is allowed: it goes with its last segmenter); so does a model. The host's device
 * must outlive every context on it.
 *
 * Errors. Functions return VKSEG_SUCCESS or a negative code. vkseg_last_error() then gives one sentence, for the
 * calling thread, that says what was expected, what was found, and what to do. Nothing throws, exits or aborts. A
 * function that fails has changed nothing, unless it says so.
 *
 * Structures begin with `struct_size`, which the host sets to sizeof(the structure): later versions only add members at
 * the end, and members that a host does not know are zero. Zero is the default of every member. */
#ifndef VKSEG_VKSEG_H
#define VKSEG_VKSEG_H

#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

#if defined(__GNUC__)
#define VKSEG_API __attribute__((visibility("default")))
#else
#define VKSEG_API
#endif

#define VKSEG_API_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vkseg_result {
    VKSEG_SUCCESS = 0,
    /* An argument is NULL, out of range, or does not fit what the object was made for. */
    VKSEG_ERROR_INVALID_ARGUMENT = -1,
    /* A baked model is no such file, damaged, cut short, or of a newer format. */
    VKSEG_ERROR_INVALID_MODEL = -2,
    /* Device or driver cannot do it: a limit, a needed feature, a format. */
    VKSEG_ERROR_UNSUPPORTED = -3,
    VKSEG_ERROR_OUT_OF_HOST_MEMORY = -4,
    VKSEG_ERROR_OUT_OF_DEVICE_MEMORY = -5,
    /* The device stopped answering. Destroy what was made on it. */
    VKSEG_ERROR_DEVICE_LOST = -6,
    /* Called too early: memory is not bound, or nothing is prepared, or the set-up was not recorded. */
    VKSEG_ERROR_NOT_READY = -7,
    /* VKSEG_CONTEXT_CHECKED only: what was recorded last with this frame slot has not run to its end. */
    VKSEG_ERROR_SLOT_IN_USE = -8,
    /* The host says that it is inside a render pass; compute cannot be recorded there. */
    VKSEG_ERROR_INSIDE_RENDER_PASS = -9,
    /* Anything else, such as a driver that refuses a shader. */
    VKSEG_ERROR_INTERNAL = -10
} vkseg_result;

typedef struct vkseg_context vkseg_context;
typedef struct vkseg_model vkseg_model;
typedef struct vkseg_segmenter vkseg_segmenter;

/* "0.1.0" */
VKSEG_API const char* vkseg_version(void);
/* VKSEG_API_VERSION of the library, to be compared with the header's. */
VKSEG_API uint32_t vkseg_api_version(void);
/* The sentence of the calling thread's last failure; "" when its last call succeeded. Valid until the next call. */
VKSEG_API const char* vkseg_last_error(void);
/* "VKSEG_ERROR_NOT_READY" */
VKSEG_API const char* vkseg_result_name(vkseg_result result);

/* ---- Context ------------------------------------------------------------------------------------------------------
 */

typedef enum vkseg_context_flags {
    /* Checks that cost a little: a frame slot recorded again before its last recording has run. For debug
     * builds; a recording must then not be thrown away without running. */
    VKSEG_CONTEXT_CHECKED = 1,
    /* A device of the library's own keeps compiled pipelines under XDG_CACHE_HOME. */
    VKSEG_CONTEXT_DISK_CACHE = 2
} vkseg_context_flags;

typedef struct vkseg_context_desc {
    size_t struct_size;
    uint32_t flags; /* vkseg_context_flags */

    /* A host's device. All six are needed; all zero: the library opens a device of its own. */
    PFN_vkGetInstanceProcAddr get_instance_proc_addr;
    VkInstance instance;
    uint32_t api_version; /* VkApplicationInfo::apiVersion of the instance; 1.1 or later */
    VkPhysicalDevice physical_device;
    VkDevice device;
    /* Where recordings run: a family that computes. */
    uint32_t queue_family;
    /* Needed by vkseg_segmenter_submit and vkseg_segmenter_run alone. */
    VkQueue queue;

    /* What the host enabled: the pNext chain of its VkDeviceCreateInfo, or a VkPhysicalDeviceFeatures2, and its
     * extensions. Only read during the call. What is not told is not used, and every network still runs. */
    const void* enabled_features;
    const char* const* enabled_extensions;
    uint32_t enabled_extension_count;

    /* Called in place of vkQueueSubmit by the functions that submit, for hosts that guard their queue. Its answer is
     * that of vkQueueSubmit. */
    VkResult (*submit)(void* user, VkQueue queue, const VkSubmitInfo* info, VkFence fence);

    /* A device of the library's own: an index in `vkseg devices`, part of a name, NULL for the first. */
    const char* device_name;

    /* From vkseg_context_get_cache of an earlier run. A blob of another device, driver or version is ignored. */
    const void* cache;
    size_t cache_size;

    /* One sentence at a time about what is no error, such as an ignored blob. From the thread that calls. */
    void (*note)(void* user, const char* sentence);
    /* First argument of the callbacks. */
    void* user;
} vkseg_context_desc;

VKSEG_API vkseg_result vkseg_context_create(const vkseg_context_desc* desc, vkseg_context** context);
VKSEG_API void vkseg_context_destroy(vkseg_context* context);

typedef struct vkseg_context_info {
    size_t struct_size;
    const char* device_name;
    const char* driver;
    /* What the host could enable on this device for more speed: one sentence each, lines end with '\n'; "" for nothing.
     * Lives as long as the context. */
    const char* would_be_faster_with;
    /* The device and what it was made with, for a device of the library's own too. */
    VkInstance instance;
    VkPhysicalDevice physical_device;
    VkDevice device;
    VkQueue queue;
    uint32_t queue_family;
} vkseg_context_info;
VKSEG_API vkseg_result vkseg_context_get_info(const vkseg_context* context, vkseg_context_info* info);

/* Compiled pipelines, to be kept by the host and given to a later context. With `data` NULL, only `*size` is set. A
 * `*size` that is too small fails with VKSEG_ERROR_INVALID_ARGUMENT and sets it. */
VKSEG_API vkseg_result vkseg_context_get_cache(vkseg_context* context, void* data, size_t* size);

/* ---- Model --------------------------------------------------------------------------------------------------------
 */

/* What `vkseg bake` wrote. The bytes are not needed after the call. */
VKSEG_API vkseg_result vkseg_model_load(const void* bytes, size_t size, vkseg_model** model);
VKSEG_API vkseg_result vkseg_model_load_file(const char* path, vkseg_model** model);
VKSEG_API void vkseg_model_destroy(vkseg_model* model);

typedef struct vkseg_model_info {
    size_t struct_size;
    const char* network; /* "espnet" */
    uint32_t class_count;
    uint32_t default_width; /* the size that the network sees unless told, in pixels */
    uint32_t default_height;
    uint64_t parameter_count;
} vkseg_model_info;
VKSEG_API vkseg_result vkseg_model_get_info(const vkseg_model* model, vkseg_model_info* info);
/* Name and 0xAABBGGRR colour of a class; "" and opaque black when the file has none, or the index is beyond the last.
 */
VKSEG_API const char* vkseg_model_class_name(const vkseg_model* model, uint32_t index);
VKSEG_API uint32_t vkseg_model_class_colour(const vkseg_model* model, uint32_t index);

/* ---- Segmenter ----------------------------------------------------------------------------------------------------
 */

typedef enum vkseg_place {
    /* A VkImage: read through a sampled view, written by a copy from a buffer. */
    VKSEG_IMAGE = 0,
    /* A VkBuffer with storage usage: rows without padding, read and written directly. */
    VKSEG_BUFFER = 1,
    /* Host memory; for vkseg_segmenter_run alone. Picture and outputs are in host memory together. */
    VKSEG_HOST_MEMORY = 2
} vkseg_place;

typedef enum vkseg_output {
    VKSEG_LABELS = 0,     /* class indices, 8 bits a pixel; as image: a colour format of one 8-bit component */
    VKSEG_CONFIDENCE = 1, /* softmax probability of the winning class, 0..255; formats as for labels */
    VKSEG_COLOUR = 2,     /* class colours, 32 bits a pixel */
    VKSEG_OVERLAY = 3,    /* class colours blended over the picture that is given with the last step, 32 bits a pixel */
    VKSEG_SCORES = 4,     /* scores before softmax, float32, class after class, at the network's output size; buffer */
    VKSEG_OUTPUT_COUNT = 5
} vkseg_output;

typedef enum vkseg_precision {
    VKSEG_PRECISION_AUTO = 0, /* as baked; else fp16 on GPUs and fp32 on CPU drivers */
    VKSEG_PRECISION_FP32 = 1,
    VKSEG_PRECISION_FP16 = 2 /* activations stored in 16 bits, sums in 32; needs no feature */
} vkseg_precision;

typedef enum vkseg_upsampling {
    VKSEG_NEAREST = 0, /* the class of the score below the pixel's centre */
    VKSEG_BILINEAR = 1 /* scores are interpolated, then compared: with aligned corners where the published network does */
} vkseg_upsampling;

typedef struct vkseg_output_desc {
    vkseg_place place;
    /* Colour and overlay: R8G8B8A8 or B8G8R8A8, UNORM or SRGB (the bytes are the same); zero: R8G8B8A8_UNORM. Labels
     * and confidence: R8_UINT or R8_UNORM; zero: R8_UINT. Scores: R32_SFLOAT or zero. */
    VkFormat format;
} vkseg_output_desc;

typedef struct vkseg_segmenter_desc {
    size_t struct_size;

    /* Size of the picture and of every output but the scores, 1 to 32767 pixels a side. */
    uint32_t picture_width;
    uint32_t picture_height;
    vkseg_place picture_place;
    /* Image: any colour format with floating-point, UNORM or SRGB components that the device samples. Buffer and host
     * memory: R8G8B8A8, B8G8R8A8, R8G8B8 or B8G8R8, _UNORM or _SRGB. */
    VkFormat picture_format;
    /* The texels of a format without SRGB are linear light and are to be encoded first; networks were trained on
     * encoded pictures. */
    VkBool32 picture_is_linear;

    /* What the network sees; 0: the model's default. */
    uint32_t network_width;
    uint32_t network_height;
    vkseg_precision precision;
    vkseg_upsampling upsampling;

    /* Bit 1 << vkseg_output for each that is wanted; 0: labels. */
    uint32_t outputs;
    vkseg_output_desc output[VKSEG_OUTPUT_COUNT];
    /* 0xAABBGGRR by class; NULL: the model's. */
    const uint32_t* palette;
    uint32_t palette_size;
    /* Of the colours in the overlay, 0 to 1; 0 stands for 0.5. */
    float opacity;

    /* Frames that the host has in flight at once; 0: 2. At most 16. */
    uint32_t frame_slots;
} vkseg_segmenter_desc;

/* Plans, without touching the device's memory. Fails with VKSEG_ERROR_INVALID_ARGUMENT and the nearest size when the
 * network cannot take the size, and with VKSEG_ERROR_UNSUPPORTED when the device cannot. */
VKSEG_API vkseg_result vkseg_segmenter_create(vkseg_context* context, const vkseg_model* model,
                                              const vkseg_segmenter_desc* desc, vkseg_segmenter** segmenter);
/* The host promises that no recording of it is running or will run. Memory that the library allocated is freed. */
VKSEG_API void vkseg_segmenter_destroy(vkseg_segmenter* segmenter);

typedef struct vkseg_memory_needs {
    VkDeviceSize size;
    VkDeviceSize alignment;
    uint32_t memory_type_bits;
    /* Of a VkBuffer that the host gives. */
    VkBufferUsageFlags usage;
    /* The memory must be allocated with VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT. */
    VkBool32 device_address;
} vkseg_memory_needs;

typedef struct vkseg_segmenter_info {
    size_t struct_size;
    /* Weights, and the last result of outputs that are images. Contents stay until the segmenter is destroyed. */
    vkseg_memory_needs persistent;
    /* Activations. Contents are undefined between runs (not between the slices of one run), so that the host may use
     * the memory for something else meanwhile, with barriers of its own on both sides. */
    vkseg_memory_needs transient;
    uint32_t step_count;
    uint32_t dispatch_count;
    uint32_t class_count;
    uint32_t scores_width;
    uint32_t scores_height;
    /* Bytes of one output in a buffer, padded to 4; 0 when it was not asked for. */
    VkDeviceSize output_size[VKSEG_OUTPUT_COUNT];
} vkseg_segmenter_info;
VKSEG_API vkseg_result vkseg_segmenter_get_info(const vkseg_segmenter* segmenter, vkseg_segmenter_info* info);

typedef struct vkseg_memory {
    /* A buffer with the needed usage, or memory of an allowed type; NULL both: the library allocates. */
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceSize offset; /* a multiple of the needed alignment */
} vkseg_memory;
typedef struct vkseg_memory_binding {
    size_t struct_size;
    vkseg_memory persistent;
    vkseg_memory transient;
    /* Called for what has neither buffer nor memory, when given: sets `memory` and `offset`. */
    vkseg_result (*allocate)(void* user, const vkseg_memory_needs* needs, vkseg_memory* memory);
    void* user;
} vkseg_memory_binding;
/* Once. `binding` NULL: the library allocates both. Not for segmenters with pictures in host memory, which own theirs.
 */
VKSEG_API vkseg_result vkseg_segmenter_bind_memory(vkseg_segmenter* segmenter, const vkseg_memory_binding* binding);

/* Compiles what is missing; for a loading thread, while others record other segmenters. `progress` may be NULL; it is
 * called from the calling thread and may return nonzero to stop, which fails with VKSEG_ERROR_NOT_READY (what was
 * compiled is kept, and the function may be called again). Binds memory first when that was not done. */
VKSEG_API vkseg_result vkseg_segmenter_prepare(vkseg_segmenter* segmenter,
                                               int (*progress)(void* user, uint32_t done, uint32_t total), void* user);

/* Records, once: the upload of the weights, and where the driver compiles at first dispatch, one small dispatch of each
 * pipeline. The host submits it off its frame; it must be complete, or precede in submission order on the same queue,
 * before the first frame. */
VKSEG_API vkseg_result vkseg_segmenter_record_setup(vkseg_segmenter* segmenter, VkCommandBuffer commands);
/* The host promises that the set-up has run: its staging memory is freed. Optional; else it is freed at the end. */
VKSEG_API vkseg_result vkseg_segmenter_finish_setup(vkseg_segmenter* segmenter);

/* One side of a dependency. All zero: none. */
typedef struct vkseg_sync {
    VkPipelineStageFlags stages;
    VkAccessFlags access;
    VkImageLayout layout;        /* of images */
    VkBool32 transfer_ownership; /* the resource belongs to `queue_family` on that side */
    uint32_t queue_family;
} vkseg_sync;

typedef struct vkseg_resource {
    /* Picture as image: `image`, and `view`, a 2D view of one level and one layer of the format and size that the
     * segmenter was made for, of an image with sampled usage. Output as image: `image`, with transfer-destination
     * usage; level 0 and layer 0 are written. */
    VkImage image;
    VkImageView view;
    /* Buffer: with storage usage; `offset` a multiple of minStorageBufferOffsetAlignment. */
    VkBuffer buffer;
    VkDeviceSize offset;
    /* Who used it last, and who will next. Every recording moves an image from `before.layout` to `after.layout`
     * (UNDEFINED there: to what the recording leaves it in), whether or not the slice touches it; `before.layout`
     * UNDEFINED drops the content. With ownership, the recording acquires from `before.queue_family` and releases to
     * `after.queue_family`, and the host records the other halves; these four barriers keep the layout. */
    vkseg_sync before;
    vkseg_sync after;
} vkseg_resource;

typedef struct vkseg_record_desc {
    size_t struct_size;
    /* 0 to frame_slots - 1. The host promises that what it recorded last with this slot has run to its end, or will
     * never run. */
    uint32_t slot;
    /* The host is inside a render pass: nothing is recorded, VKSEG_ERROR_INSIDE_RENDER_PASS. */
    VkBool32 inside_render_pass;
    vkseg_resource picture;
    vkseg_resource output[VKSEG_OUTPUT_COUNT]; /* those that were asked for */
    /* The slice to record: as many steps as fit in either limit; 0: no limit. At least one step of `max_steps`. A step
     * that takes longer than `budget_us` is divided into parts, but for those that read the picture or write the
     * outputs; the latter count as one. Estimates of time are refined by timestamps, which are read without waiting. */
    uint32_t max_steps;
    uint32_t budget_us;
    /* Drops an unfinished run and begins a new one. */
    VkBool32 restart;
} vkseg_record_desc;

typedef struct vkseg_progress {
    size_t struct_size;
    /* Steps before first_step of step_count were complete before, steps before end_step are now. They are the same
     * after a slice that holds a part of one step. */
    uint32_t first_step;
    uint32_t end_step;
    uint32_t step_count;
    /* The outputs are written by this recording; the next one begins a new run. Until then they keep what they held. */
    VkBool32 finished;
    /* Of the steps that were recorded. */
    uint32_t estimated_us;
} vkseg_progress;

/* Records one frame, or a slice of one, into the host's command buffer: primary or secondary, in the recording state,
 * outside a render pass, of the context's queue family. No submission, no wait, no allocation; descriptor updates of
 * that slot only. Left changed: the compute bind point's pipeline, descriptor sets 0 and 1, and push constants;
 * graphics state is untouched. Slices of one run go to one queue in order. `progress` may be NULL. */
VKSEG_API vkseg_result vkseg_segmenter_record(vkseg_segmenter* segmenter, VkCommandBuffer commands,
                                              const vkseg_record_desc* desc, vkseg_progress* progress);

typedef struct vkseg_submit_desc {
    size_t struct_size;
    const vkseg_record_desc* record;
    uint32_t wait_count;
    const VkSemaphore* wait_semaphores;
    const VkPipelineStageFlags* wait_stages;
    const uint64_t* wait_values; /* NULL unless some are timeline semaphores */
    uint32_t signal_count;
    const VkSemaphore* signal_semaphores;
    const uint64_t* signal_values; /* NULL unless some are timeline semaphores */
    VkFence fence;
} vkseg_submit_desc;

/* The same in a command buffer of the library's own, submitted to the context's queue, for hosts that hand out no
 * command buffer. Does not wait. Records the set-up before the first frame when that was not done. The slot's promise
 * holds here as well: wait for `fence` or a semaphore before a slot is used again. */
VKSEG_API vkseg_result vkseg_segmenter_submit(vkseg_segmenter* segmenter, const vkseg_submit_desc* desc,
                                              vkseg_progress* progress);

typedef struct vkseg_run_desc {
    size_t struct_size;
    /* Rows without padding, in picture_format. */
    const void* picture;
    /* Where each output goes, vkseg_segmenter_info::output_size bytes; NULL for those that were not asked for. */
    void* output[VKSEG_OUTPUT_COUNT];
} vkseg_run_desc;

/* For pictures in host memory: copies, runs on the context's queue, waits, copies back. Needs no bind, prepare or
 * set-up.
 */
VKSEG_API vkseg_result vkseg_segmenter_run(vkseg_segmenter* segmenter, const vkseg_run_desc* desc);

#ifdef __cplusplus
}
#endif

#endif
