#include "apps/common/image_scan.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

using Bytes = std::span<const uint8_t>;

bool starts_with(Bytes bytes, std::string_view text) {
    return bytes.size() >= text.size() &&
           std::equal(text.begin(), text.end(), bytes.begin(),
                      [](char expected, uint8_t found) { return static_cast<uint8_t>(expected) == found; });
}

uint32_t big_endian_16(Bytes at) {
    return uint32_t{at[0]} << 8 | at[1];
}
uint32_t big_endian_32(Bytes at) {
    return big_endian_16(at) << 16 | big_endian_16(at.subspan(2));
}
uint32_t little_endian_16(Bytes at) {
    return uint32_t{at[1]} << 8 | at[0];
}
uint32_t little_endian_32(Bytes at) {
    return little_endian_16(at.subspan(2)) << 16 | little_endian_16(at);
}

Error truncated(const std::string& name, const char* format) {
    return error("'{}' is incomplete: the {} data ends too early", name, format);
}

void scan_png(Bytes file, const std::string& name) {
    constexpr size_t overhead = 12;  // length, type and checksum of a chunk
    for (size_t at = 8;;) {
        if (file.size() - at < overhead) throw truncated(name, "PNG");
        const uint64_t length = big_endian_32(file.subspan(at));
        if (length > file.size() - at - overhead) throw truncated(name, "PNG");
        const Bytes type_and_data = file.subspan(at + 4, length + 4);
        // Lower case marks chunks a reader may ignore; some programs get the checksum of those wrong.
        const bool needed = type_and_data[0] >= 'A' && type_and_data[0] <= 'Z';
        if (needed) {
            const uLong found = crc32(0, type_and_data.data(), static_cast<uInt>(type_and_data.size()));
            if (found != big_endian_32(file.subspan(at + 8 + length))) {
                throw error("'{}' is damaged: the PNG's checksum at byte {} does not match", name, at + 8 + length);
            }
        }
        if (starts_with(type_and_data, "IEND")) return;
        at += overhead + length;
    }
}

void scan_bmp(Bytes file, const std::string& name) {
    if (file.size() < 30) throw truncated(name, "BMP");
    const uint64_t pixels_at = little_endian_32(file.subspan(10));
    const bool has_short_header = little_endian_32(file.subspan(14)) == 12;
    int64_t width = 0, height = 0;
    uint64_t bits = 0;
    if (has_short_header) {
        width = little_endian_16(file.subspan(18));
        height = little_endian_16(file.subspan(20));
        bits = little_endian_16(file.subspan(24));
    } else {
        width = static_cast<int32_t>(little_endian_32(file.subspan(18)));
        height = static_cast<int32_t>(little_endian_32(file.subspan(22)));  // negative: top row first
        bits = little_endian_16(file.subspan(28));
    }
    if (width <= 0 || height == 0) throw error("'{}' is damaged: the BMP is {}x{} pixels", name, width, height);
    // Some writers leave out the padding of the last row, hence the rows before it plus one bare row.
    const uint64_t row_bits = static_cast<uint64_t>(width) * bits;
    const uint64_t rows_before = static_cast<uint64_t>(std::abs(height)) - 1;
    const uint64_t padded_row_bytes = (row_bits + 31) / 32 * 4;
    const uint64_t available = file.size() - std::min<uint64_t>(pixels_at, file.size());
    const uint64_t last_row_bytes = (row_bits + 7) / 8;
    if (last_row_bytes > available ||
        (padded_row_bytes > 0 && (available - last_row_bytes) / padded_row_bytes < rows_before)) {
        throw truncated(name, "BMP");
    }
}

/// What the file is instead, where its first bytes say so.
const char* other_format(Bytes file) {
    if (starts_with(file, "GIF8")) return "GIF";
    if (starts_with(file, std::string_view("II*\0", 4)) || starts_with(file, std::string_view("MM\0*", 4)))
        return "TIFF";
    if (starts_with(file, "RIFF") && file.size() >= 12 && starts_with(file.subspan(8), "WEBP")) return "WebP";
    if (file.size() >= 12 && starts_with(file.subspan(4), "ftyphei")) return "HEIC";
    if (file.size() >= 12 && starts_with(file.subspan(4), "ftypavif")) return "AVIF";
    if (starts_with(file, "%PDF")) return "PDF";
    return nullptr;
}

}  // namespace

ImageFormat scan_image(Bytes file, const std::string& name) {
    if (file.empty()) throw error("'{}' is empty, expected an image", name);
    if (starts_with(file, "\x89PNG\r\n\x1a\n")) {
        scan_png(file, name);
        return ImageFormat::Png;
    }
    if (starts_with(file, "\xFF\xD8\xFF")) return ImageFormat::Jpeg;
    if (starts_with(file, "BM")) {
        scan_bmp(file, name);
        return ImageFormat::Bmp;
    }
    if (const char* format = other_format(file)) {
        throw error("'{}' is a {} file, expected a PNG, JPEG or BMP image", name, format);
    }
    throw error("'{}' is not an image: it is neither PNG, JPEG nor BMP", name);
}

}  // namespace vkseg::app
