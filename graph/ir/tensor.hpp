#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vkseg {

/// Extents in elements, outermost first (NCHW without N for feature maps: {C, H, W}).
using Shape = std::vector<int64_t>;

/// Product of the extents; 1 for a scalar (empty shape).
[[nodiscard]] int64_t element_count(const Shape& shape);

/// "1x3x512x1024"; "scalar" for an empty shape.
[[nodiscard]] std::string to_string(const Shape& shape);

/// A dense float32 array in host memory, C order.
struct Tensor {
    Shape shape;
    std::vector<float> data;

    Tensor() = default;
    explicit Tensor(Shape extents, float fill = 0.0f);
    Tensor(Shape extents, std::vector<float> values);
};

}  // namespace vkseg
