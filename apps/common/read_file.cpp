#include "apps/common/read_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "graph/ir/error.hpp"

namespace vkseg::app {

std::vector<uint8_t> read_file(const std::filesystem::path& path) {
    namespace fs = std::filesystem;
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (status.type() == fs::file_type::not_found) throw error("'{}' does not exist", path.string());
    if (code) throw error("cannot read '{}': {}", path.string(), code.message());
    if (fs::is_directory(status)) throw error("'{}' is a folder, expected a file", path.string());
    if (!fs::is_regular_file(status)) throw error("'{}' is not a regular file", path.string());

    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) throw error("cannot read '{}': {}", path.string(), std::generic_category().message(errno));
    const uintmax_t size = fs::file_size(path, code);
    if (code) throw error("cannot read '{}': {}", path.string(), code.message());

    std::vector<uint8_t> bytes(size);
    const size_t found = std::fread(bytes.data(), 1, bytes.size(), file.get());
    if (std::ferror(file.get())) {
        throw error("cannot read '{}': {}", path.string(), std::generic_category().message(errno));
    }
    // A file another program is shortening meanwhile: what is there is what the caller's checks see.
    bytes.resize(found);
    return bytes;
}

}  // namespace vkseg::app
