#include <png.h>
#include <zlib.h>

#include <cassert>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "apps/common/atomic_file.hpp"
#include "apps/common/image.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

struct Encoder {
    const Image& image;
    std::vector<uint8_t> file;
    char failure[128] = "";
};

void append(png_structp png, png_bytep data, size_t size) {
    std::vector<uint8_t>& file = static_cast<Encoder*>(png_get_io_ptr(png))->file;
    bool failed = false;
    try {
        file.insert(file.end(), data, data + size);
    } catch (const std::bad_alloc&) {
        // Neither an exception through C frames nor a long jump out of a handler.
        failed = true;
    }
    if (failed) png_error(png, "out of memory");
}

void fail(png_structp png, png_const_charp message) {
    auto* encoder = static_cast<Encoder*>(png_get_error_ptr(png));
    std::snprintf(encoder->failure, sizeof(encoder->failure), "%s", message);
    png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

/// True when most pixels equal their left neighbour, as in colour maps and drawings; looks at every 8th row.
bool is_flat(const Image& image) {
    const size_t channels = static_cast<size_t>(image.channels);
    size_t equal = 0, seen = 0;
    for (int y = 0; y < image.height; y += 8) {
        const uint8_t* row = image.at(0, y);
        for (size_t x = 1; x < static_cast<size_t>(image.width); ++x, ++seen) {
            equal += std::memcmp(row + x * channels, row + (x - 1) * channels, channels) == 0;
        }
    }
    return 2 * equal >= seen;
}

/// No object with a destructor may live in here: an error leaves by long jump.
bool encode(png_structp png, png_infop info, Encoder* encoder) {
    if (setjmp(png_jmpbuf(png))) return false;
    const Image& image = encoder->image;
    png_set_write_fn(png, encoder, &append, nullptr);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    const int colours = image.channels == 1   ? PNG_COLOR_TYPE_GRAY
                        : image.channels == 3 ? PNG_COLOR_TYPE_RGB
                                              : PNG_COLOR_TYPE_RGB_ALPHA;
    png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8, colours,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    // Writing overlaps the GPU's work, so speed counts. Of a 2048x1024 overlay on a photograph, Paeth rows with
    // Huffman codes alone make 1.5 MiB in 49 ms; zlib's level 1 makes 2.0 MiB in 68 ms, its level 6 1.7 MiB in
    // 415 ms. What is flat needs runs as well: a label map of 1 MiB becomes 6 KiB in 3 ms.
    const bool flat = image.channels == 1 || is_flat(image);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, flat ? Z_RLE : Z_HUFFMAN_ONLY);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, image.channels == 1 ? PNG_FILTER_UP : PNG_FILTER_PAETH);
    png_set_compression_buffer_size(png, size_t{1} << 18);
    png_write_info(png, info);
    for (int y = 0; y < image.height; ++y) png_write_row(png, image.at(0, y));
    png_write_end(png, info);
    return true;
}

}  // namespace

std::vector<uint8_t> encode_png(const Image& image) {
    assert(image.width > 0 && image.height > 0);
    assert(image.channels == 1 || image.channels == 3 || image.channels == 4);
    assert(image.pixels.size() == static_cast<size_t>(image.at(0, image.height) - image.at(0, 0)));
    Encoder encoder{.image = image, .file = {}};
    encoder.file.reserve(image.pixels.size() / 2 + 1024);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, &fail, &ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : nullptr;
    const bool complete = info && encode(png, info, &encoder);
    png_destroy_write_struct(&png, &info);
    if (!complete) {
        throw error("a PNG of {}x{} pixels cannot be encoded: {}", image.width, image.height,
                    encoder.failure[0] ? encoder.failure : "out of memory");
    }
    return std::move(encoder.file);
}

void write_png(const std::filesystem::path& path, const Image& image) {
    write_file(path, encode_png(image));
}

}  // namespace vkseg::app
