#pragma once

#include "graph/ir/weights.hpp"
#include "importer/bytes.hpp"

#include <string>

namespace vkseg::importer {

/// The format's own readers accept up to 100 MB; this is about a hundred thousand tensors.
inline constexpr uint64_t max_safetensors_header_bytes = uint64_t{16} << 20;

/// Where the elements begin: the header's length (u64) and the header come first.
inline constexpr uint64_t safetensors_length_bytes = 8;

/// `bytes` is a whole safetensors file; `file` its name for messages.
[[nodiscard]] Weights read_safetensors(Bytes bytes, const std::string& file);

}  // namespace vkseg::importer
