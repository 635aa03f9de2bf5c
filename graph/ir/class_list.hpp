#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vkseg {

/// Red, green, blue.
using Colour = std::array<uint8_t, 3>;

struct ClassInfo {
    std::string name;
    Colour colour{};
    /// What a label picture holds for this class, e.g. Cityscapes' 7 for road.
    int label_id = 0;
    bool operator==(const ClassInfo&) const = default;
};

/// The classes of a network in the order of its output channels; none where nothing is known of them.
struct ClassList {
    /// "cityscapes20", ...
    std::string name;
    std::vector<ClassInfo> classes;
    bool operator==(const ClassList&) const = default;
};

}  // namespace vkseg
