#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "apps/common/image.hpp"

namespace vkseg::app {

/// Reads a PNG that holds a class per pixel as one channel: the samples of a grey one and the indices of one with a
/// palette, as they are stored. Colours, alpha and 16 bits are refused, because no class can be told from them.
[[nodiscard]] Image read_label_map(const std::filesystem::path& path);

/// The same for a file already in memory; `name` is what messages call it.
[[nodiscard]] Image decode_label_map(std::span<const uint8_t> file, const std::string& name);

}  // namespace vkseg::app
