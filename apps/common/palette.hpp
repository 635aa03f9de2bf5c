#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vkseg::app {

using Colour = std::array<uint8_t, 3>;

struct ClassInfo {
    std::string name;
    Colour colour{};
    int label_id = 0;  ///< what a label picture holds for this class, e.g. Cityscapes' 7 for road
};

/// The classes of a network in the order of its output channels.
struct ClassSet {
    std::string name;
    std::vector<ClassInfo> classes;
};

/// A built-in set: cityscapes19, cityscapes20 (19 and "void"), camvid11, camvid12 (11 and "Unlabelled"), pascal21.
[[nodiscard]] const ClassSet& class_set(std::string_view name);
[[nodiscard]] std::vector<std::string> class_set_names();

/// The built-in set with this many classes, else a generated one. A network whose name ends in "-cls" classifies
/// whole pictures, so the street and object classes of segmentation never fit it.
[[nodiscard]] ClassSet default_class_set(std::string_view network, int classes);

/// "class 0", "class 1", ... in distinct colours (up to about 3000; then they repeat); label ids
/// count from 0.
[[nodiscard]] ClassSet generated_class_set(int classes);

/// Reads [{"name": "road", "colour": [128, 64, 128], "id": 7}, ...] in the order of the output channels.
/// "id" may be left out and is then the position; "color" is read as "colour".
[[nodiscard]] ClassSet read_class_set(const std::filesystem::path& path);

}  // namespace vkseg::app
