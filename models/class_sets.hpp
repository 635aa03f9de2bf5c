#pragma once

#include "graph/ir/class_list.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkseg {

/// The classes of a published data set: cityscapes19, cityscapes20 (19 and "void"), camvid11, camvid12 (11 and
/// "Unlabelled"), pascal21.
[[nodiscard]] const ClassList& class_set(std::string_view name);
[[nodiscard]] std::vector<std::string> class_set_names();

/// The set with this many classes, else a generated one. A network whose name ends in "-cls" classifies whole pictures,
/// so the street and object classes of segmentation never fit it.
[[nodiscard]] ClassList default_class_set(std::string_view network, int classes);

/// "class 0", "class 1", ... in distinct colours (up to about 3000; then they repeat); label ids count from 0.
[[nodiscard]] ClassList generated_class_set(int classes);

}  // namespace vkseg
