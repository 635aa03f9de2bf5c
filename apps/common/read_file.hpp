#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace vkseg::app {

/// The whole content of a regular file. Devices and pipes are refused: their length is not known, and every
/// reader here checks sizes found in a file against its length before it allocates.
[[nodiscard]] std::vector<uint8_t> read_file(const std::filesystem::path& path);

}  // namespace vkseg::app
