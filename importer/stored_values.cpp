#include "importer/stored_values.hpp"

#include "graph/ir/error.hpp"
#include "importer/float_formats.hpp"

#include <cassert>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace vkseg::importer {
namespace {

template <typename Stored>
float as_float(Stored value) {
    return static_cast<float>(value);
}

struct HalfBits {
    uint16_t bits;
};
struct BFloat16Bits {
    uint16_t bits;
};
struct BoolByte {
    uint8_t byte;
};

float as_float(HalfBits value) {
    return float_from_half(value.bits);
}
float as_float(BFloat16Bits value) {
    return float_from_bfloat16(value.bits);
}
float as_float(BoolByte value) {
    return value.byte != 0 ? 1.0f : 0.0f;
}

template <typename Stored>
void gather_as(Bytes bytes, int64_t offset, const Shape& shape, const Shape& strides, std::vector<float>& out) {
    if (out.empty()) return;
    const size_t outer_axes = shape.empty() ? 0 : shape.size() - 1;
    const int64_t row = shape.empty() ? 1 : shape.back();
    const int64_t step = shape.empty() ? 0 : strides.back();
    std::vector<int64_t> index(outer_axes, 0);
    int64_t start = offset;
    for (size_t written = 0; written < out.size();) {
        for (int64_t i = 0; i < row; ++i) {
            Stored value;
            std::memcpy(&value, bytes.data() + static_cast<size_t>(start + i * step) * sizeof(Stored), sizeof(Stored));
            out[written++] = as_float(value);
        }
        for (size_t axis = outer_axes; axis-- > 0;) {
            start += strides[axis];
            if (++index[axis] < shape[axis]) break;
            start -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

}  // namespace

int64_t item_bytes(StoredType type) {
    switch (type) {
        case StoredType::F64:
        case StoredType::I64:
            return 8;
        case StoredType::F32:
        case StoredType::I32:
            return 4;
        case StoredType::F16:
        case StoredType::BF16:
        case StoredType::I16:
            return 2;
        case StoredType::I8:
        case StoredType::U8:
        case StoredType::Bool:
            return 1;
    }
    assert(false);
    return 1;
}

std::optional<int64_t> checked_element_count(const Shape& shape) {
    int64_t without_zeros = 1;
    bool empty = false;
    for (int64_t extent : shape) {
        if (extent < 0) return std::nullopt;
        if (extent == 0) {
            empty = true;
        } else if (__builtin_mul_overflow(without_zeros, extent, &without_zeros)) {
            return std::nullopt;
        }
    }
    return empty ? 0 : without_zeros;
}

std::optional<int64_t> checked_byte_count(int64_t count, StoredType type) {
    int64_t bytes = 0;
    if (count < 0 || __builtin_mul_overflow(count, item_bytes(type), &bytes)) return std::nullopt;
    return bytes;
}

std::optional<int64_t> checked_view_end(int64_t offset, const Shape& shape, const Shape& strides) {
    assert(shape.size() == strides.size());
    if (offset < 0) return std::nullopt;
    int64_t last = offset;
    bool empty = false;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] < 0 || strides[axis] < 0) return std::nullopt;
        if (shape[axis] == 0) {
            empty = true;
            continue;
        }
        // shape * stride rather than (shape - 1) * stride must fit: `gather` steps once past the end of an axis.
        int64_t whole = 0;
        if (__builtin_mul_overflow(shape[axis], strides[axis], &whole)) return std::nullopt;
        if (__builtin_add_overflow(last, whole - strides[axis], &last)) return std::nullopt;
        int64_t past = 0;
        if (__builtin_add_overflow(last, strides[axis], &past)) return std::nullopt;
    }
    if (empty) return offset;
    int64_t end = 0;
    if (__builtin_add_overflow(last, int64_t{1}, &end)) return std::nullopt;
    return end;
}

Tensor gather(StoredType type, Bytes bytes, int64_t offset, const Shape& shape, const Shape& strides) {
    Tensor tensor(shape);
    switch (type) {
        case StoredType::F32:
            gather_as<float>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::F64:
            gather_as<double>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::F16:
            gather_as<HalfBits>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::BF16:
            gather_as<BFloat16Bits>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::I64:
            gather_as<int64_t>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::I32:
            gather_as<int32_t>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::I16:
            gather_as<int16_t>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::I8:
            gather_as<int8_t>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::U8:
            gather_as<uint8_t>(bytes, offset, shape, strides, tensor.data);
            break;
        case StoredType::Bool:
            gather_as<BoolByte>(bytes, offset, shape, strides, tensor.data);
            break;
    }
    return tensor;
}

Tensor gather_contiguous(StoredType type, Bytes bytes, const Shape& shape) {
    const int64_t count = static_cast<int64_t>(bytes.size()) / item_bytes(type);
    Tensor tensor = gather(type, bytes, 0, {count}, {1});
    tensor.shape = shape;
    return tensor;
}

void add_tensor(Weights& weights, std::string_view name, WeightTensor tensor) {
    constexpr std::string_view data_parallel = "module.";
    if (name.starts_with(data_parallel)) name.remove_prefix(data_parallel.size());
    if (!weights.tensors.try_emplace(std::string(name), std::move(tensor)).second) {
        throw error("'{}': holds two tensors named {}", weights.source, in_quotes(name));
    }
}

}  // namespace vkseg::importer
