#pragma once

#include <filesystem>

#include "graph/ir/class_list.hpp"

namespace vkseg::app {

/// Reads [{"name": "road", "colour": [128, 64, 128], "id": 7}, ...] in the order of the output channels.
/// "id" may be left out and is then the position; "color" is read as "colour".
[[nodiscard]] ClassList read_class_set(const std::filesystem::path& path);

}  // namespace vkseg::app
