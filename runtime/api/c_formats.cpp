#include "runtime/api/c_formats.hpp"

namespace vkseg::capi {

namespace {

const char* output_name(int output) {
    constexpr const char* names[] = {"labels", "confidence", "colour", "overlay", "scores"};
    return names[output];
}

PictureReading read_image_format(VkFormat format, bool linear) {
    switch (format) {
        case VK_FORMAT_R8G8B8A8_UNORM:
        case VK_FORMAT_B8G8R8A8_UNORM:
        case VK_FORMAT_A8B8G8R8_UNORM_PACK32:
        case VK_FORMAT_R8G8B8_UNORM:
        case VK_FORMAT_B8G8R8_UNORM:
            return {PixelFormat::Image, {linear, !linear}};
        case VK_FORMAT_R8G8B8A8_SRGB:
        case VK_FORMAT_B8G8R8A8_SRGB:
        case VK_FORMAT_A8B8G8R8_SRGB_PACK32:
        case VK_FORMAT_R8G8B8_SRGB:
        case VK_FORMAT_B8G8R8_SRGB:
            // Sampling decodes; encoding again gives the bytes that were stored.
            return {PixelFormat::Image, {true, true}};
        case VK_FORMAT_R5G6B5_UNORM_PACK16:
        case VK_FORMAT_A2R10G10B10_UNORM_PACK32:
        case VK_FORMAT_A2B10G10R10_UNORM_PACK32:
        case VK_FORMAT_B10G11R11_UFLOAT_PACK32:
        case VK_FORMAT_R16G16B16A16_UNORM:
        case VK_FORMAT_R16G16B16A16_SFLOAT:
        case VK_FORMAT_R32G32B32A32_SFLOAT:
            return {PixelFormat::Image, {linear, false}};
        default:
            throw refusal(VKSEG_ERROR_UNSUPPORTED,
                          "desc->picture_format is {} for an image; expected R8G8B8A8, B8G8R8A8, A8B8G8R8, R8G8B8 or "
                          "B8G8R8 as UNORM or SRGB, R5G6B5, A2R10G10B10, A2B10G10R10 or R16G16B16A16 as UNORM, or "
                          "R16G16B16A16, R32G32B32A32 or B10G11R11 as floats",
                          static_cast<int>(format));
    }
}

PixelFormat read_byte_format(VkFormat format) {
    switch (format) {
        case VK_FORMAT_R8G8B8A8_UNORM:
        case VK_FORMAT_R8G8B8A8_SRGB:
            return PixelFormat::RGBA8;
        case VK_FORMAT_B8G8R8A8_UNORM:
        case VK_FORMAT_B8G8R8A8_SRGB:
            return PixelFormat::BGRA8;
        case VK_FORMAT_R8G8B8_UNORM:
        case VK_FORMAT_R8G8B8_SRGB:
            return PixelFormat::RGB8;
        case VK_FORMAT_B8G8R8_UNORM:
        case VK_FORMAT_B8G8R8_SRGB:
            return PixelFormat::BGR8;
        default:
            throw refusal(VKSEG_ERROR_UNSUPPORTED,
                          "desc->picture_format is {} for a buffer or host memory; expected R8G8B8A8, B8G8R8A8, R8G8B8 "
                          "or B8G8R8, as UNORM or SRGB",
                          static_cast<int>(format));
    }
}

bool is_bgra(VkFormat format) {
    return format == VK_FORMAT_B8G8R8A8_UNORM || format == VK_FORMAT_B8G8R8A8_SRGB;
}

bool fits(int output, VkFormat format) {
    if (format == VK_FORMAT_UNDEFINED) return true;
    if (output == VKSEG_SCORES) return format == VK_FORMAT_R32_SFLOAT;
    if (output == VKSEG_LABELS || output == VKSEG_CONFIDENCE)
        return format == VK_FORMAT_R8_UINT || format == VK_FORMAT_R8_UNORM;
    return format == VK_FORMAT_R8G8B8A8_UNORM || format == VK_FORMAT_R8G8B8A8_SRGB || is_bgra(format);
}

}  // namespace

PictureReading read_picture_format(const vkseg_segmenter_desc& desc) {
    if (desc.picture_place == VKSEG_IMAGE) return read_image_format(desc.picture_format, desc.picture_is_linear != 0);
    if (desc.picture_place != VKSEG_BUFFER && desc.picture_place != VKSEG_HOST_MEMORY)
        throw bad_argument("desc->picture_place is {}, expected 0 to 2", static_cast<int>(desc.picture_place));
    if (desc.picture_is_linear != 0)
        throw refusal(VKSEG_ERROR_UNSUPPORTED, "desc->picture_is_linear is for images; bytes are taken as encoded");
    return {read_byte_format(desc.picture_format), {}};
}

bool check_output_formats(const vkseg_segmenter_desc& desc) {
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output) {
        if ((desc.outputs >> output & 1) == 0) continue;
        const vkseg_output_desc& wanted = desc.output[output];
        const bool in_host_memory = wanted.place == VKSEG_HOST_MEMORY;
        if (wanted.place < VKSEG_IMAGE || wanted.place > VKSEG_HOST_MEMORY ||
            in_host_memory != (desc.picture_place == VKSEG_HOST_MEMORY))
            throw bad_argument(
                "the place of output {} is {}; expected an image or a buffer (0 or 1) for a picture in one of them, "
                "and "
                "host memory (2) for a picture there",
                output_name(output), static_cast<int>(wanted.place));
        if (output == VKSEG_SCORES && wanted.place == VKSEG_IMAGE)
            throw refusal(VKSEG_ERROR_UNSUPPORTED, "scores go to a buffer or to host memory, not to an image");
        if (!fits(output, wanted.format))
            throw refusal(VKSEG_ERROR_UNSUPPORTED,
                          "the format of output {} is {}; expected R8_UINT or R8_UNORM for labels and confidence, "
                          "R8G8B8A8 or B8G8R8A8 as UNORM or SRGB for colours, R32_SFLOAT for scores, or none",
                          output_name(output), static_cast<int>(wanted.format));
    }
    const bool colour = (desc.outputs >> VKSEG_COLOUR & 1) != 0, overlay = (desc.outputs >> VKSEG_OVERLAY & 1) != 0;
    const bool colour_bgra = is_bgra(desc.output[VKSEG_COLOUR].format);
    const bool overlay_bgra = is_bgra(desc.output[VKSEG_OVERLAY].format);
    if (colour && overlay && colour_bgra != overlay_bgra)
        throw refusal(VKSEG_ERROR_UNSUPPORTED, "colour and overlay must both be R8G8B8A8 or both B8G8R8A8");
    return (colour && colour_bgra) || (overlay && overlay_bgra);
}

}  // namespace vkseg::capi
