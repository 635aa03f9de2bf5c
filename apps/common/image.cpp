#include "apps/common/image.hpp"

#include <climits>
#include <memory>

#include "apps/common/image_jpeg.hpp"
#include "apps/common/image_scan.hpp"
#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

// The one place that compiles this decoder: static, and limited to the formats scan_image() vouches for (of the
// others some have no signature, and a text file may look like a picture to them).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace vkseg::app {

void check_image_size(int64_t width, int64_t height, const std::string& name) {
    if (width <= max_image_side_px && height <= max_image_side_px && width * height <= max_image_pixels) return;
    throw error("'{}' is {}x{} pixels, at most {} on a side and {} in all are supported", name, width, height,
                max_image_side_px, max_image_pixels);
}

Image read_image(const std::filesystem::path& path) {
    return decode_image(read_file(path), path.string());
}

Image decode_image(std::span<const uint8_t> file, const std::string& name) {
    if (scan_image(file, name) == ImageFormat::Jpeg) return decode_jpeg(file, name);
    if (file.size() > INT_MAX) throw error("'{}' has {} bytes, at most {} are supported", name, file.size(), INT_MAX);
    const int size_bytes = static_cast<int>(file.size());

    int width = 0, height = 0, channels = 0;
    if (!stbi_info_from_memory(file.data(), size_bytes, &width, &height, &channels)) {
        throw error("'{}' cannot be decoded: {}", name, stbi_failure_reason());
    }
    check_image_size(width, height, name);
    const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
        stbi_load_from_memory(file.data(), size_bytes, &width, &height, &channels, 3), &stbi_image_free);
    if (!pixels) throw error("'{}' cannot be decoded: {}", name, stbi_failure_reason());

    Image image;
    image.width = width;
    image.height = height;
    image.channels = 3;
    image.pixels.assign(pixels.get(),
                        pixels.get() + size_t{3} * static_cast<size_t>(width) * static_cast<size_t>(height));
    return image;
}

}  // namespace vkseg::app
