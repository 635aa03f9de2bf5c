#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vkseg::app {

enum class ImageFormat { Png, Jpeg, Bmp };

/// Tells the format by the first bytes and, for PNG and BMP, that the file is whole: the decoder of these fills
/// what is missing with garbage and does not look at checksums. `name` is for messages.
[[nodiscard]] ImageFormat scan_image(std::span<const uint8_t> file, const std::string& name);

}  // namespace vkseg::app
