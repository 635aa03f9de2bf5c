#include "apps/common/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

namespace fs = std::filesystem;

/// Short whatever the target is called, so that a target name of the greatest length still works.
std::string temporary_name() {
    static std::atomic<unsigned> counter{0};
    return fmt::format(".vkseg-{}-{}.tmp", ::getpid(), counter++);
}

/// /dev/stdout and its like lead here, to a file somebody else holds open: replacing it would not reach them, and
/// for a pipe the link's text is not even a path.
bool is_open_file_of_a_process(const fs::path& path) {
    return path.string().starts_with("/proc/");
}

/// Also to a target that does not exist yet, which canonical paths cannot do.
fs::path follow_links(fs::path path) {
    constexpr int most_links = 40;  // as the kernel allows
    const fs::path name = path;
    std::error_code code;
    for (int links = 0; !is_open_file_of_a_process(path) && fs::is_symlink(path, code); ++links) {
        if (links == most_links) throw error("cannot write '{}': its symbolic link leads in a circle", name.string());
        path = path.parent_path() / fs::read_symlink(path, code);  // an absolute link replaces the folder
    }
    return path;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : name_(std::move(path)), target_(follow_links(name_)) {
    if (!target_.has_filename()) throw error("cannot write '{}': it names a folder, not a file", name_.string());

    struct stat status {};
    const bool exists = ::stat(target_.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) throw error("cannot write '{}': it is a folder", name_.string());
    if (exists && ::access(target_.c_str(), W_OK) != 0) fail(errno);
    if (exists && (!S_ISREG(status.st_mode) || is_open_file_of_a_process(target_))) {
        fd_ = ::open(target_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd_ < 0) fail(errno);
        return;
    }

    const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    // A name left behind by a killed run with the same process number is skipped, not overwritten.
    for (int attempt = 0; attempt < 100 && fd_ < 0; ++attempt) {
        temporary_ = folder / temporary_name();
        fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd_ < 0 && errno != EEXIST) break;
    }
    if (fd_ < 0) {
        const int code = errno;
        temporary_.clear();
        if (code == ENOENT) {
            throw error("cannot write '{}': the folder '{}' does not exist", name_.string(), folder.string());
        }
        if (code == ENOTDIR) {
            throw error("cannot write '{}': '{}' is not a folder", name_.string(), folder.string());
        }
        fail(code);
    }
    // The replaced file's permissions live on. Some file systems have none, which is no reason to stop.
    if (exists) static_cast<void>(::fchmod(fd_, status.st_mode & 0777));
}

AtomicFile::~AtomicFile() {
    discard();
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
    assert(fd_ >= 0);
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
        if (written < 0) {
            if (errno == EINTR) continue;
            const int code = errno;
            discard();
            fail(code);
        }
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::commit() {
    assert(fd_ >= 0);
    // Network file systems report a full disk only here.
    if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) {
        const int code = errno;
        discard();
        fail(code);
    }
    if (temporary_.empty()) return;
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int code = errno;
        discard();
        fail(code);
    }
    temporary_.clear();
}

void AtomicFile::fail(int code) const {
    throw error("cannot write '{}': {}", name_.string(), std::generic_category().message(code));
}

void AtomicFile::discard() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
}

void write_file(const fs::path& path, std::span<const uint8_t> bytes) {
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

void write_file(const fs::path& path, std::string_view text) {
    write_file(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

}  // namespace vkseg::app
