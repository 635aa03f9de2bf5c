#include "graph/ir/tensor.hpp"

#include <cassert>
#include <functional>
#include <numeric>

namespace vkseg {

int64_t element_count(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::string to_string(const Shape& shape) {
    if (shape.empty()) return "scalar";
    std::string text;
    for (int64_t extent : shape) {
        if (!text.empty()) text += 'x';
        text += std::to_string(extent);
    }
    return text;
}

Tensor::Tensor(Shape extents, float fill)
    : shape(std::move(extents)), data(static_cast<size_t>(element_count(shape)), fill) {}

Tensor::Tensor(Shape extents, std::vector<float> values) : shape(std::move(extents)), data(std::move(values)) {
    assert(static_cast<int64_t>(data.size()) == element_count(shape));
}

}  // namespace vkseg
