#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "graph/ir/tensor.hpp"

namespace vkseg::app {

/// Reads a NumPy .npy array (format 1 to 3, little-endian) as float32 in C order. float16, float64, bool and
/// integers of 8 to 64 bits are converted; integers beyond 2^24 and doubles round to the nearest float32.
/// An array in Fortran order is transposed. A file longer or shorter than its header says is refused.
[[nodiscard]] Tensor read_npy(const std::filesystem::path& path);

/// The same for a file already in memory; `name` is what messages call it.
[[nodiscard]] Tensor decode_npy(std::span<const uint8_t> file, const std::string& name);

/// Writes float32 in C order, format 1; the file appears complete or not at all.
void write_npy(const std::filesystem::path& path, const Shape& shape, std::span<const float> values);

}  // namespace vkseg::app
