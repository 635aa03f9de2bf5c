#pragma once

#include "runtime/api/c_common.hpp"
#include "runtime/api/segmentation_graph.hpp"

// Vulkan's formats as this library's.

namespace vkseg::capi {

/// How a picture of `desc` is read. Throws a `Refusal` that lists what can be.
struct PictureReading {
    PixelFormat format = PixelFormat::Image;
    TexelReading texels{};
};
[[nodiscard]] PictureReading read_picture_format(const vkseg_segmenter_desc& desc);

/// Throws a `Refusal` when a wanted output cannot have its place or format. Returns whether colour and overlay are
/// BGRA.
bool check_output_formats(const vkseg_segmenter_desc& desc);

}  // namespace vkseg::capi
