#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vkseg::app {

/// Interleaved 8-bit pixels, row after row without padding, top row first.
struct Image {
    int width = 0;
    int height = 0;
    int channels = 0;  ///< 1 (labels), 3 (RGB) or 4 (RGBA)
    std::vector<uint8_t> pixels;

    Image() = default;
    Image(int width_px, int height_px, int channel_count)
        : width(width_px),
          height(height_px),
          channels(channel_count),
          pixels(static_cast<size_t>(width_px) * static_cast<size_t>(height_px) * static_cast<size_t>(channel_count)) {}

    [[nodiscard]] uint8_t* at(int x, int y) { return pixels.data() + offset(x, y); }
    [[nodiscard]] const uint8_t* at(int x, int y) const { return pixels.data() + offset(x, y); }

private:
    [[nodiscard]] size_t offset(int x, int y) const {
        return (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
               static_cast<size_t>(channels);
    }
};

/// What every reader here accepts: a side a 16-bit field can hold, and an RGBA frame of at most 1 GiB.
inline constexpr int max_image_side_px = 65535;
inline constexpr int64_t max_image_pixels = int64_t{1} << 28;

/// Throws when an image is larger. Called before decoding, so that a small file that claims to be huge costs nothing.
void check_image_size(int64_t width, int64_t height, const std::string& name);

/// Reads a PNG, JPEG or BMP as 8-bit RGB. Grey becomes RGB, alpha is dropped, palettes are expanded, and of
/// 16-bit samples the upper 8 bits are kept. A JPEG is turned upright as its EXIF orientation says.
/// An incomplete file is refused rather than returned with its end missing.
[[nodiscard]] Image read_image(const std::filesystem::path& path);

/// The same for a file already in memory; `name` is what messages call it.
[[nodiscard]] Image decode_image(std::span<const uint8_t> file, const std::string& name);

/// The bytes of a PNG file for an image of 1, 3 or 4 channels, tuned for speed.
[[nodiscard]] std::vector<uint8_t> encode_png(const Image& image);

/// Encodes and writes; the file appears complete or not at all.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace vkseg::app
