#include "apps/common/shipped_files.hpp"

namespace vkseg::app {

std::filesystem::path shipped_file(const std::filesystem::path& name) {
    std::error_code unknown;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown);
    return (program.parent_path() / VKSEG_SHARE_FROM_BIN / name).lexically_normal();
}

}  // namespace vkseg::app
