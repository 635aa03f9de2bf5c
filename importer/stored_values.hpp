#pragma once

#include "graph/ir/weights.hpp"
#include "importer/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vkseg::importer {

/// More axes than any tensor library allows.
inline constexpr size_t max_axes = 64;

/// Bytes of one element in a file.
[[nodiscard]] int64_t item_bytes(StoredType type);

/// Product of the extents; nothing where an extent is negative or where a product of some of them overflows, even if
/// another extent is zero: such a shape would overflow in element_count.
[[nodiscard]] std::optional<int64_t> checked_element_count(const Shape& shape);

/// Bytes of `count` elements; nothing on overflow or a negative count.
[[nodiscard]] std::optional<int64_t> checked_byte_count(int64_t count, StoredType type);

/// The index after the last element that a strided view touches; nothing where an offset or stride is negative or the
/// arithmetic overflows. `shape` and `strides` have the same length; strides are in elements.
[[nodiscard]] std::optional<int64_t> checked_view_end(int64_t offset, const Shape& shape, const Shape& strides);

/// Reads a strided view as a dense float32 tensor. Preconditions: checked_view_end is inside `bytes`,
/// checked_element_count has a value.
[[nodiscard]] Tensor gather(StoredType type, Bytes bytes, int64_t offset, const Shape& shape, const Shape& strides);

/// Reads contiguous elements. Precondition: `bytes` holds exactly the elements of `shape`.
[[nodiscard]] Tensor gather_contiguous(StoredType type, Bytes bytes, const Shape& shape);

/// Adds a tensor under its published name: without a leading `module.` (DataParallel). Throws vkseg::Error when the
/// name is taken.
void add_tensor(Weights& weights, std::string_view name, WeightTensor tensor);

}  // namespace vkseg::importer
