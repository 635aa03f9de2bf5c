#pragma once

#include <filesystem>

namespace vkseg::app {

/// A file that comes with the program, in share/vkseg of the folder that it is installed in, or of the build tree.
/// Found from where the running program lies, so an installation may be moved as a whole. Need not be there.
[[nodiscard]] std::filesystem::path shipped_file(const std::filesystem::path& name);

}  // namespace vkseg::app
