#pragma once

#include <array>

namespace vkseg {

/// How a picture becomes the network's input: (pixel - subtract[c]) * multiply[c] with pixels in 0..255, channels
/// in the network's order.
struct Preprocess {
    bool bgr = false;
    std::array<float, 3> subtract{0, 0, 0};
    std::array<float, 3> multiply{1, 1, 1};
    bool operator==(const Preprocess&) const = default;
};

}  // namespace vkseg
