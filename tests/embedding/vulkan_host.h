/* What a Vulkan program has anyway: a device, memory, an image, files. Here so that the hosts show what vkseg adds.
 * Calls vk* by name, which are the loader's functions, or volk's pointers where volk.h was included before. */
#ifndef VULKAN_HOST_H
#define VULKAN_HOST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef VOLK_H_
#include <vulkan/vulkan.h>
#endif

#define CHECK(call) check_vk((call), #call)

typedef struct Host {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties properties;
    /* What is enabled: device addresses, where there are any. */
    VkPhysicalDeviceFeatures2 features;
    VkPhysicalDeviceBufferDeviceAddressFeatures addresses;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    VkCommandPool pool;
    VkDebugUtilsMessengerEXT messenger;
    unsigned messages; /* of the validation layer */
} Host;

typedef struct Buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    uint8_t* bytes;
} Buffer;

typedef struct Image {
    VkImage handle;
    VkDeviceMemory memory;
    VkImageView view;
} Image;

static inline void check_vk(VkResult result, const char* call) {
    if (result >= VK_SUCCESS) return;
    fprintf(stderr, "%s gives VkResult %d\n", call, result);
    exit(1);
}

static inline VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                        VkDebugUtilsMessageTypeFlagsEXT type,
                                                        const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) {
    (void)severity;
    (void)type;
    fprintf(stderr, "%s\n", data->pMessage);
    ++*(unsigned*)user;
    return VK_FALSE;
}

/* The first device whose name contains `name` and that has a queue family for graphics and compute. The validation
 * layer listens unless VALIDATION=0. */
static inline void host_open(Host* host, const char* name) {
    const char* wanted = getenv("VALIDATION");
    const VkBool32 validate = wanted == NULL || strcmp(wanted, "0") != 0;
    memset(host, 0, sizeof *host);
#ifdef VOLK_H_
    CHECK(volkInitialize());
#endif
    VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.apiVersion = VK_API_VERSION_1_2;
    VkDebugUtilsMessengerCreateInfoEXT listen = {VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
    listen.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    listen.messageType =
        VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
    listen.pfnUserCallback = on_message;
    listen.pUserData = &host->messages;
    const VkValidationFeatureEnableEXT synchronisation = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    VkValidationFeaturesEXT features = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT};
    features.pNext = &listen;
    features.enabledValidationFeatureCount = 1;
    features.pEnabledValidationFeatures = &synchronisation;
    const char* const layers[] = {"VK_LAYER_KHRONOS_validation"};
    const char* const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
    VkInstanceCreateInfo instance = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    instance.pApplicationInfo = &application;
    if (validate) {
        instance.pNext = &features;
        instance.enabledLayerCount = 1;
        instance.ppEnabledLayerNames = layers;
        instance.enabledExtensionCount = 2;
        instance.ppEnabledExtensionNames = extensions;
    }
    CHECK(vkCreateInstance(&instance, NULL, &host->instance));
#ifdef VOLK_H_
    volkLoadInstance(host->instance);
#endif
    if (validate) {
        PFN_vkCreateDebugUtilsMessengerEXT create =
            (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(host->instance, "vkCreateDebugUtilsMessengerEXT");
        CHECK(create(host->instance, &listen, NULL, &host->messenger));
    }

    VkPhysicalDevice devices[16];
    uint32_t count = 16;
    CHECK(vkEnumeratePhysicalDevices(host->instance, &count, devices));
    for (uint32_t i = 0; i < count && host->physical == VK_NULL_HANDLE; ++i) {
        vkGetPhysicalDeviceProperties(devices[i], &host->properties);
        if (strstr(host->properties.deviceName, name) == NULL) continue;
        VkQueueFamilyProperties families[16];
        uint32_t family_count = 16;
        vkGetPhysicalDeviceQueueFamilyProperties(devices[i], &family_count, families);
        const VkQueueFlags needed = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
        for (uint32_t f = family_count; f-- > 0;)
            if ((families[f].queueFlags & needed) == needed) {
                host->physical = devices[i];
                host->family = f;
            }
    }
    if (host->physical == VK_NULL_HANDLE) {
        fprintf(stderr, "no Vulkan device is called '%s'\n", name);
        exit(1);
    }
    host->addresses.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
    host->features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    if (host->properties.apiVersion >= VK_API_VERSION_1_2) {
        host->features.pNext = &host->addresses;
        vkGetPhysicalDeviceFeatures2(host->physical, &host->features);
        const VkBool32 has_int64 = host->features.features.shaderInt64;
        memset(&host->features.features, 0, sizeof host->features.features);
        host->features.features.shaderInt64 = has_int64;
        host->addresses.bufferDeviceAddressCaptureReplay = host->addresses.bufferDeviceAddressMultiDevice = VK_FALSE;
    }
    const float priority = 1.0f;
    VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = host->family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo device = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    device.pNext = &host->features;
    device.queueCreateInfoCount = 1;
    device.pQueueCreateInfos = &queue;
    CHECK(vkCreateDevice(host->physical, &device, NULL, &host->device));
#ifdef VOLK_H_
    volkLoadDevice(host->device);
#endif
    vkGetDeviceQueue(host->device, host->family, 0, &host->queue);
    VkCommandPoolCreateInfo pool = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool.queueFamilyIndex = host->family;
    CHECK(vkCreateCommandPool(host->device, &pool, NULL, &host->pool));
}

/* 0, or 1 when the validation layer said something. */
static inline int host_close(Host* host) {
    vkDestroyCommandPool(host->device, host->pool, NULL);
    vkDestroyDevice(host->device, NULL);
    if (host->messenger != VK_NULL_HANDLE) {
        PFN_vkDestroyDebugUtilsMessengerEXT destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(
            host->instance, "vkDestroyDebugUtilsMessengerEXT");
        destroy(host->instance, host->messenger, NULL);
    }
    vkDestroyInstance(host->instance, NULL);
    if (host->messages != 0) fprintf(stderr, "%u messages of the validation layer\n", host->messages);
    return host->messages != 0;
}

static inline VkDeviceMemory host_allocate(const Host* host, const VkMemoryRequirements* needs,
                                           VkMemoryPropertyFlags wanted) {
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(host->physical, &memory);
    VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
    info.allocationSize = needs->size;
    for (uint32_t type = memory.memoryTypeCount; type-- > 0;)
        if ((needs->memoryTypeBits >> type & 1) != 0 && (memory.memoryTypes[type].propertyFlags & wanted) == wanted)
            info.memoryTypeIndex = type;
    VkDeviceMemory result = VK_NULL_HANDLE;
    CHECK(vkAllocateMemory(host->device, &info, NULL, &result));
    return result;
}

/* In memory that the host sees. */
static inline Buffer host_buffer(const Host* host, VkDeviceSize size, VkBufferUsageFlags usage) {
    Buffer buffer = {VK_NULL_HANDLE, VK_NULL_HANDLE, NULL};
    VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = size;
    info.usage = usage;
    CHECK(vkCreateBuffer(host->device, &info, NULL, &buffer.handle));
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(host->device, buffer.handle, &needs);
    buffer.memory =
        host_allocate(host, &needs, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    CHECK(vkBindBufferMemory(host->device, buffer.handle, buffer.memory, 0));
    CHECK(vkMapMemory(host->device, buffer.memory, 0, VK_WHOLE_SIZE, 0, (void**)&buffer.bytes));
    return buffer;
}

static inline void host_free_buffer(const Host* host, Buffer buffer) {
    vkDestroyBuffer(host->device, buffer.handle, NULL);
    vkFreeMemory(host->device, buffer.memory, NULL);
}

/* Of one level and one layer. A view is made for images that are sampled. */
static inline Image host_image(const Host* host, VkFormat format, uint32_t width, uint32_t height,
                               VkImageUsageFlags usage) {
    Image image = {VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE};
    VkImageCreateInfo info = {VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = format;
    info.extent.width = width;
    info.extent.height = height;
    info.extent.depth = info.mipLevels = info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = usage;
    CHECK(vkCreateImage(host->device, &info, NULL, &image.handle));
    VkMemoryRequirements needs;
    vkGetImageMemoryRequirements(host->device, image.handle, &needs);
    image.memory = host_allocate(host, &needs, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    CHECK(vkBindImageMemory(host->device, image.handle, image.memory, 0));
    VkImageViewCreateInfo view = {VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
    view.image = image.handle;
    view.viewType = VK_IMAGE_VIEW_TYPE_2D;
    view.format = format;
    view.subresourceRange.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT;
    view.subresourceRange.levelCount = view.subresourceRange.layerCount = 1;
    if ((usage & VK_IMAGE_USAGE_SAMPLED_BIT) != 0) CHECK(vkCreateImageView(host->device, &view, NULL, &image.view));
    return image;
}

static inline void host_free_image(const Host* host, Image image) {
    vkDestroyImageView(host->device, image.view, NULL);
    vkDestroyImage(host->device, image.handle, NULL);
    vkFreeMemory(host->device, image.memory, NULL);
}

static inline void host_image_barrier(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to,
                                      VkPipelineStageFlags before, VkAccessFlags written, VkPipelineStageFlags after,
                                      VkAccessFlags used) {
    VkImageMemoryBarrier barrier = {VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
    barrier.srcAccessMask = written;
    barrier.dstAccessMask = used;
    barrier.oldLayout = from;
    barrier.newLayout = to;
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT;
    barrier.subresourceRange.levelCount = barrier.subresourceRange.layerCount = 1;
    vkCmdPipelineBarrier(commands, before, after, 0, 0, NULL, 0, NULL, 1, &barrier);
}

/* What was copied to a buffer may be read by the host when the commands are through. */
static inline void host_read_barrier(VkCommandBuffer commands) {
    VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL,
                         0, NULL);
}

static inline VkBufferImageCopy host_whole_image(uint32_t width, uint32_t height) {
    VkBufferImageCopy copy;
    memset(&copy, 0, sizeof copy);
    copy.imageSubresource.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT;
    copy.imageSubresource.layerCount = 1;
    copy.imageExtent.width = width;
    copy.imageExtent.height = height;
    copy.imageExtent.depth = 1;
    return copy;
}

/* Begins a command buffer; host_submit ends it, submits it, and lets `fence` say when it is through. */
static inline VkCommandBuffer host_begin(const Host* host, VkCommandBuffer commands) {
    VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = host->pool;
    info.commandBufferCount = 1;
    if (commands == VK_NULL_HANDLE) CHECK(vkAllocateCommandBuffers(host->device, &info, &commands));
    VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    CHECK(vkBeginCommandBuffer(commands, &begin));
    return commands;
}

static inline void host_submit(const Host* host, VkCommandBuffer commands, VkFence fence) {
    CHECK(vkEndCommandBuffer(commands));
    VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    CHECK(vkQueueSubmit(host->queue, 1, &info, fence));
}

/* A picture as R8G8B8A8: what the PPM file (P6) holds. */
static inline uint8_t* read_ppm(const char* path, uint32_t* width, uint32_t* height) {
    FILE* file = fopen(path, "rb");
    if (file == NULL || fscanf(file, "P6 %u %u 255", width, height) != 2 || fgetc(file) == EOF) {
        fprintf(stderr, "'%s' is no PPM file (P6)\n", path);
        exit(1);
    }
    const size_t pixels = (size_t)*width * *height;
    uint8_t* rgba = (uint8_t*)malloc(pixels * 4);
    for (size_t i = 0; i < pixels * 4; ++i) rgba[i] = i % 4 == 3 ? 255 : (uint8_t)fgetc(file);
    fclose(file);
    return rgba;
}

/* `channels` 4: the red, green and blue of R8G8B8A8 as PPM; 1: as PGM. */
static inline void write_pnm(const char* path, uint32_t width, uint32_t height, const uint8_t* bytes, int channels) {
    FILE* file = fopen(path, "wb");
    if (file == NULL) {
        fprintf(stderr, "'%s' cannot be written\n", path);
        exit(1);
    }
    fprintf(file, "P%d\n%u %u\n255\n", channels == 1 ? 5 : 6, width, height);
    for (size_t i = 0; i < (size_t)width * height; ++i)
        fwrite(bytes + i * (size_t)channels, 1, channels == 1 ? 1 : 3, file);
    fclose(file);
}

#endif
