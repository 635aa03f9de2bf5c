#include "importer/file.hpp"

#include "graph/ir/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

namespace vkseg::importer {
namespace {

std::string reason(int error_number) {
    return std::generic_category().message(error_number);
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    static_cast<void>(close());
}

int FileDescriptor::close() {
    if (fd_ < 0) return 0;
    const int failed = ::close(fd_) != 0 ? errno : 0;
    fd_ = -1;
    return failed;
}

std::vector<uint8_t> read_file(const std::filesystem::path& file, uint64_t at_most) {
    const std::string shown = file.string();
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) {
        if (errno == ENOENT) throw error("'{}': no such file", shown);
        throw error("'{}': cannot be opened ({})", shown, reason(errno));
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throw error("'{}': cannot be examined ({})", shown, reason(errno));
    if (S_ISDIR(status.st_mode)) throw error("'{}': is a directory, expected a weights file", shown);
    if (!S_ISREG(status.st_mode)) throw error("'{}': is a device or pipe, expected a weights file", shown);
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size > max_file_bytes) {
        throw error("'{}': is {} bytes long, expected a weights file of at most {}", shown, size, max_file_bytes);
    }
    std::vector<uint8_t> bytes(std::min(size, at_most));
    for (size_t done = 0; done < bytes.size();) {
        const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw error("'{}': cannot be read ({})", shown, reason(errno));
        if (got == 0) throw error("'{}': became shorter while it was read ({} of {} bytes)", shown, done, bytes.size());
        done += static_cast<size_t>(got);
    }
    return bytes;
}

AtomicFile::AtomicFile(const std::filesystem::path& target) : shown_(target.string()), target_(target) {
    std::error_code ignored;
    const auto found = std::filesystem::status(target_, ignored);
    if (std::filesystem::is_directory(found)) throw error("'{}': is a directory, expected a file to write", shown_);
    if (std::filesystem::exists(found)) {
        // A rename would replace a device node by a file.
        if (!std::filesystem::is_regular_file(found)) {
            throw error("'{}': is a device or pipe, expected a file to write", shown_);
        }
        // Replace what a link points to, not the link.
        const auto resolved = std::filesystem::canonical(target_, ignored);
        if (!ignored) target_ = resolved;
    }
    if (!target_.has_filename()) throw error("'{}': names no file to write", shown_);
    static std::atomic<unsigned> counter{0};
    for (int attempt = 0; attempt < 100; ++attempt) {
        // Not derived from the target's name, which may already be as long as the file system allows.
        temporary_ = target_.parent_path() / fmt::format(".vkseg-{}-{}.tmp", ::getpid(), counter++);
        // Not mkstemp: the file should get the permissions that the user's umask gives.
        fd_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd_.get() >= 0) return;
        if (errno != EEXIST) break;
    }
    const int error_number = errno;
    temporary_.clear();
    fail("cannot be created", error_number);
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot be written", errno);
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::commit() {
    // Before the rename, or a crash could leave the new name on an empty file.
    if (::fsync(fd_.get()) != 0) fail("cannot be written", errno);
    if (const int error_number = fd_.close()) fail("cannot be written", error_number);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot be replaced", errno);
    temporary_.clear();
}

void AtomicFile::fail(const char* what, int error_number) const {
    throw error("'{}': {} ({}); nothing was changed", shown_, what, reason(error_number));
}

}  // namespace vkseg::importer
