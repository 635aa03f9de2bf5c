#pragma once

#include "importer/bytes.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vkseg::importer {

/// No weights file of a segmentation network comes near this; it keeps a sparse or mistaken file out of memory.
inline constexpr uint64_t max_file_bytes = uint64_t{4} << 30;

/// The first `at_most` bytes of a regular file (all of them where it is shorter). Throws vkseg::Error for what is
/// absent, not a regular file, unreadable, or larger than max_file_bytes.
[[nodiscard]] std::vector<uint8_t> read_file(const std::filesystem::path& file, uint64_t at_most = max_file_bytes);

/// Owns an open file descriptor.
class FileDescriptor {
public:
    explicit FileDescriptor(int fd = -1) : fd_(fd) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor();

    [[nodiscard]] int get() const { return fd_; }
    void reset(int fd) { fd_ = fd; }
    /// 0, or errno: some file systems report a full disk only here.
    [[nodiscard]] int close();

private:
    int fd_;
};

/// A file that appears under its name complete or not at all: written under a temporary name in the same folder, then
/// renamed. Destroyed before `commit`, it removes what it wrote. One thread uses one object.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path& target);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    void write(Bytes bytes);
    void commit();

private:
    [[noreturn]] void fail(const char* what, int error_number) const;

    std::string shown_;
    std::filesystem::path target_;
    std::filesystem::path temporary_;
    FileDescriptor fd_;
};

}  // namespace vkseg::importer
