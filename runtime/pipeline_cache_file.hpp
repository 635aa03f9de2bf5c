#pragma once

#include "runtime/device_facts.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vkseg {

/// vkseg's own under XDG_CACHE_HOME, else ~/.cache; empty when there is neither.
[[nodiscard]] std::filesystem::path cache_folder();

/// Where compiled pipelines of one device and driver are kept between runs. A file that is damaged, truncated, or of
/// another device or driver is ignored with a note; a home that cannot be written is no error.
class PipelineCacheFile {
public:
    /// In the cache folder; nothing is kept when there is none.
    explicit PipelineCacheFile(const PhysicalDevice& device);

    /// The driver's blob, or nothing. `note` says why a file was ignored ("" when there was none).
    [[nodiscard]] std::optional<std::vector<uint8_t>> load(std::string& note) const;
    /// The same for bytes that `seal` made; `whose` names them in the note.
    [[nodiscard]] std::optional<std::vector<uint8_t>> open(std::span<const uint8_t> bytes, std::string_view whose,
                                                           std::string& note) const;
    /// The blob behind a header that tells device, driver, size and checksum.
    [[nodiscard]] std::vector<uint8_t> seal(std::span<const uint8_t> blob) const;
    /// Written beside the target and renamed. Returns whether it was kept.
    bool save(std::span<const uint8_t> blob) const;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    [[nodiscard]] std::vector<uint8_t> header(std::span<const uint8_t> blob) const;

    std::filesystem::path path_;
    std::vector<uint8_t> identity_;
};

}  // namespace vkseg
