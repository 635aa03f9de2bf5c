#include "apps/common/label_map.hpp"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "apps/common/image_scan.hpp"
#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

struct Decoder {
    std::span<const uint8_t> rest;
    png_uint_32 width = 0, height = 0;
    int bits = 0, colours = 0, passes = 0;
    char failure[128] = "";
};

void take(png_structp png, png_bytep data, size_t size) {
    auto* decoder = static_cast<Decoder*>(png_get_io_ptr(png));
    if (size > decoder->rest.size()) png_error(png, "it ends too early");
    std::memcpy(data, decoder->rest.data(), size);
    decoder->rest = decoder->rest.subspan(size);
}

void fail(png_structp png, png_const_charp message) {
    auto* decoder = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(decoder->failure, sizeof(decoder->failure), "%s", message);
    png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

/// No object with a destructor may live in here nor in `decode_rows`: an error leaves by long jump.
bool decode_header(png_structp png, png_infop info, Decoder* decoder) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_read_fn(png, decoder, &take);
    png_set_user_limits(png, max_image_side_px, max_image_side_px);
    png_read_info(png, info);
    decoder->width = png_get_image_width(png, info);
    decoder->height = png_get_image_height(png, info);
    decoder->bits = png_get_bit_depth(png, info);
    decoder->colours = png_get_color_type(png, info);
    // One sample a byte, of the value that is stored.
    png_set_packing(png);
    decoder->passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
}

bool decode_rows(png_structp png, const Decoder* decoder, uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png))) return false;
    for (int pass = 0; pass < decoder->passes; ++pass)
        for (png_uint_32 y = 0; y < decoder->height; ++y)
            png_read_row(png, pixels + size_t{y} * decoder->width, nullptr);
    return true;
}

/// Frees libpng's state however reading ends.
class Reader {
public:
    explicit Reader(Decoder* decoder)
        : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, &fail, &ignore_warning)),
          info_(png_ != nullptr ? png_create_info_struct(png_) : nullptr) {}
    ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    [[nodiscard]] png_structp png() const { return png_; }
    [[nodiscard]] png_infop info() const { return info_; }

private:
    png_structp png_;
    png_infop info_;
};

}  // namespace

Image read_label_map(const std::filesystem::path& path) {
    return decode_label_map(read_file(path), path.string());
}

Image decode_label_map(std::span<const uint8_t> file, const std::string& name) {
    if (scan_image(file, name) != ImageFormat::Png) throw error("'{}' is no PNG, as label maps are", name);
    Decoder decoder{.rest = file};
    const Reader reader(&decoder);
    if (reader.info() == nullptr || !decode_header(reader.png(), reader.info(), &decoder))
        throw error("'{}' cannot be decoded: {}", name, decoder.failure[0] ? decoder.failure : "out of memory");
    if (decoder.colours != PNG_COLOR_TYPE_GRAY && decoder.colours != PNG_COLOR_TYPE_PALETTE)
        throw error("'{}' holds colours or alpha; a label map is a grey PNG, or one with a palette, of class numbers",
                    name);
    if (decoder.bits > 8) throw error("'{}' has {} bits a pixel; a label map has at most 8", name, decoder.bits);
    check_image_size(decoder.width, decoder.height, name);
    Image labels(static_cast<int>(decoder.width), static_cast<int>(decoder.height), 1);
    if (!decode_rows(reader.png(), &decoder, labels.pixels.data()))
        throw error("'{}' cannot be decoded: {}", name, decoder.failure);
    return labels;
}

}  // namespace vkseg::app
