#include "runtime/pipeline_cache_file.hpp"

#include "graph/ir/byte_stream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

namespace vkseg {

namespace {

constexpr char signature[8] = {'V', 'K', 'S', 'E', 'G', 'P', 'C', '1'};
/// Drivers keep some kilobytes per pipeline; more than this is no cache of ours.
constexpr uint64_t max_bytes = 256u << 20;

template <typename T>
void append(std::vector<uint8_t>& bytes, const T& value) {
    bytes.resize(bytes.size() + sizeof(T));
    std::memcpy(bytes.data() + bytes.size() - sizeof(T), &value, sizeof(T));
}

}  // namespace

std::filesystem::path cache_folder() {
    if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder != nullptr && *folder == '/')
        return std::filesystem::path(folder) / "vkseg";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return std::filesystem::path(home) / ".cache" / "vkseg";
    return {};
}

PipelineCacheFile::PipelineCacheFile(const PhysicalDevice& device) {
    append(identity_, device.facts.vendor_id);
    append(identity_, device.facts.device_id);
    append(identity_, device.facts.driver_version);
    identity_.insert(identity_.end(), device.pipeline_cache_uuid, device.pipeline_cache_uuid + VK_UUID_SIZE);
    const std::filesystem::path folder = cache_folder();
    if (folder.empty()) return;
    path_ = folder / fmt::format("pipelines-{:04x}-{:04x}-{:016x}.bin", device.facts.vendor_id, device.facts.device_id,
                                 checksum(identity_));
}

std::vector<uint8_t> PipelineCacheFile::header(std::span<const uint8_t> blob) const {
    std::vector<uint8_t> bytes;
    append(bytes, signature);
    bytes.insert(bytes.end(), identity_.begin(), identity_.end());
    append(bytes, static_cast<uint64_t>(blob.size()));
    // Drivers crash on blobs with flipped bits, so they never see one.
    append(bytes, checksum(blob));
    return bytes;
}

std::vector<uint8_t> PipelineCacheFile::seal(std::span<const uint8_t> blob) const {
    std::vector<uint8_t> bytes = header(blob);
    bytes.insert(bytes.end(), blob.begin(), blob.end());
    return bytes;
}

std::optional<std::vector<uint8_t>> PipelineCacheFile::open(std::span<const uint8_t> bytes, std::string_view whose,
                                                            std::string& note) const {
    note.clear();
    const size_t header_bytes = header({}).size();
    const auto ignore = [&](const char* why) {
        note = fmt::format("the pipeline cache {} is ignored: {}", whose, why);
        return std::nullopt;
    };
    if (bytes.size() > max_bytes) return ignore("it is too large");
    if (bytes.size() < header_bytes) return ignore("it is truncated");
    const std::span<const uint8_t> blob = bytes.subspan(header_bytes);
    const std::vector<uint8_t> expected = header(blob);
    if (std::memcmp(bytes.data(), expected.data(), sizeof(signature)) != 0) return ignore("it is no pipeline cache");
    if (std::memcmp(bytes.data(), expected.data(), sizeof(signature) + identity_.size()) != 0)
        return ignore("it belongs to another device or driver");
    if (std::memcmp(bytes.data(), expected.data(), header_bytes) != 0) return ignore("it is damaged");
    return std::vector<uint8_t>(blob.begin(), blob.end());
}

std::optional<std::vector<uint8_t>> PipelineCacheFile::load(std::string& note) const {
    note.clear();
    std::error_code status;
    if (path_.empty() || !std::filesystem::is_regular_file(path_, status)) return std::nullopt;
    const std::string whose = fmt::format("'{}'", path_.string());
    const uint64_t size = std::filesystem::file_size(path_, status);
    if (status || size > max_bytes) {
        note = fmt::format("the pipeline cache {} is ignored: it is too large", whose);
        return std::nullopt;
    }
    std::vector<uint8_t> bytes(size);
    std::ifstream file(path_, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
        note = fmt::format("the pipeline cache {} is ignored: it cannot be read", whose);
        return std::nullopt;
    }
    return open(bytes, whose, note);
}

bool PipelineCacheFile::save(std::span<const uint8_t> blob) const {
    if (path_.empty() || blob.size() > max_bytes) return false;
    std::error_code status;
    std::filesystem::create_directories(path_.parent_path(), status);
    const std::filesystem::path temporary = fmt::format("{}.{}", path_.string(), getpid());
    {
        std::ofstream file(temporary, std::ios::binary);
        const std::vector<uint8_t> bytes = seal(blob);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (!file) {
            std::filesystem::remove(temporary, status);
            return false;
        }
    }
    std::filesystem::rename(temporary, path_, status);
    if (!status) return true;
    std::filesystem::remove(temporary, status);
    return false;
}

}  // namespace vkseg
