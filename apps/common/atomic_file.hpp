#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace vkseg::app {

/// A file that appears under its name complete or not at all: bytes go to a temporary file in the same folder,
/// which commit() renames over the target. Without commit() the temporary file is removed and a file that was
/// already there stays as it was. Every failure throws one sentence that names the target.
///
/// A target that exists and is not a regular file (/dev/null, /dev/stdout, a pipe) is written to directly,
/// since renaming over it would replace the device. A symbolic link is followed, not replaced.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const uint8_t> bytes);

    /// Call once, after the last write().
    void commit();

private:
    [[noreturn]] void fail(int code) const;
    void discard() noexcept;

    std::filesystem::path name_;       // as the caller wrote it, for messages
    std::filesystem::path target_;     // with symbolic links followed
    std::filesystem::path temporary_;  // empty when writing to the target directly
    int fd_ = -1;
};

void write_file(const std::filesystem::path& path, std::span<const uint8_t> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace vkseg::app
