#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "apps/common/image.hpp"

namespace vkseg::app {

/// A JPEG as upright RGB. Decoded by libjpeg: the decoder for the other formats writes out of bounds on damaged
/// JPEGs, takes twice as long, and differs from what other programs make of the same file.
[[nodiscard]] Image decode_jpeg(std::span<const uint8_t> file, const std::string& name);

}  // namespace vkseg::app
