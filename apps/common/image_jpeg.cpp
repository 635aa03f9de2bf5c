#include "apps/common/image_jpeg.hpp"

#include <libexif/exif-data.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <jpeglib.h>

#include <jerror.h>  // after the library's own header, which sets its version

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

/// One decompression. The library reports errors by long jump, so each step that may fail is a function of its own
/// without objects that have destructors.
class Decoder {
public:
    explicit Decoder(std::span<const uint8_t> file) : file_(file) {
        info_.err = jpeg_std_error(&errors_);
        info_.client_data = this;
        errors_.error_exit = &on_error;
        errors_.emit_message = &on_message;
    }
    ~Decoder() { jpeg_destroy_decompress(&info_); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    [[nodiscard]] bool read_header() {
        if (setjmp(jump_)) return false;
        jpeg_create_decompress(&info_);
        jpeg_mem_src(&info_, file_.data(), static_cast<unsigned long>(file_.size()));
        jpeg_save_markers(&info_, exif_marker, 0xFFFF);
        jpeg_read_header(&info_, TRUE);
        return true;
    }

    /// `rows` has room for height() rows of row_samples().
    [[nodiscard]] bool read_rows(uint8_t* rows) {
        if (setjmp(jump_)) return false;
        info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            JSAMPROW row = rows + info_.output_scanline * row_samples();
            jpeg_read_scanlines(&info_, &row, 1);
        }
        jpeg_finish_decompress(&info_);  // reads on to the end marker, which must be there
        return true;
    }

    [[nodiscard]] int64_t width() const { return info_.image_width; }
    [[nodiscard]] int64_t height() const { return info_.image_height; }
    [[nodiscard]] bool is_cmyk() const {
        return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    }
    [[nodiscard]] size_t row_samples() const { return size_t{info_.image_width} * (is_cmyk() ? 4 : 3); }
    [[nodiscard]] bool stores_inverted_ink() const { return info_.saw_Adobe_marker; }

    [[nodiscard]] std::span<const uint8_t> exif() const {
        for (const jpeg_marker_struct* marker = info_.marker_list; marker; marker = marker->next) {
            if (marker->marker == exif_marker && marker->data_length >= 6 &&
                !std::memcmp(marker->data, "Exif\0\0", 6)) {
                return {marker->data, marker->data_length};
            }
        }
        return {};
    }

    [[nodiscard]] Error failure(const std::string& name) const {
        if (is_incomplete_) return error("'{}' is incomplete: the JPEG data ends too early", name);
        return error("'{}' cannot be decoded: {}", name, message_);
    }

private:
    static constexpr int exif_marker = JPEG_APP0 + 1;

    static void on_error(j_common_ptr info) {
        auto* decoder = static_cast<Decoder*>(info->client_data);
        info->err->format_message(info, decoder->message_);
        std::longjmp(decoder->jump_, 1);
    }

    /// The library goes on after these and leaves grey or torn areas, which a network would take for the world.
    /// Other warnings (stray bytes between segments) change no pixel.
    static void on_message(j_common_ptr info, int level) {
        if (level >= 0) return;
        switch (info->err->msg_code) {
            case JWRN_JPEG_EOF:
                static_cast<Decoder*>(info->client_data)->is_incomplete_ = true;
                on_error(info);
                break;
            case JWRN_HIT_MARKER:
            case JWRN_HUFF_BAD_CODE:
            case JWRN_MUST_RESYNC:
                on_error(info);
                break;
            default:
                break;
        }
    }

    std::span<const uint8_t> file_;
    jpeg_decompress_struct info_{};
    jpeg_error_mgr errors_{};
    std::jmp_buf jump_{};
    char message_[JMSG_LENGTH_MAX] = "";
    bool is_incomplete_ = false;
};

/// 1 where the segment has no orientation or one that EXIF does not define.
int exif_orientation(std::span<const uint8_t> segment) {
    if (segment.empty()) return 1;
    const std::unique_ptr<ExifData, void (*)(ExifData*)> exif(
        exif_data_new_from_data(segment.data(), static_cast<unsigned>(segment.size())), &exif_data_unref);
    if (!exif) return 1;
    const ExifEntry* entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (!entry || entry->format != EXIF_FORMAT_SHORT || entry->components < 1 || entry->size < 2) return 1;
    const int value = exif_get_short(entry->data, exif_data_get_byte_order(exif.get()));
    return value >= 1 && value <= 8 ? value : 1;
}

Image from_cmyk(std::span<const uint8_t> cmyk, int width, int height, bool is_inverted) {
    Image image(width, height, 3);
    const int flip = is_inverted ? 0 : 255;
    for (size_t i = 0; i < cmyk.size() / 4; ++i) {
        const int black = cmyk[4 * i + 3] ^ flip;
        for (size_t c = 0; c < 3; ++c)
            image.pixels[3 * i + c] = static_cast<uint8_t>((cmyk[4 * i + c] ^ flip) * black / 255);
    }
    return image;
}

/// The pixel of the stored picture that the upright one shows at (x, y); width and height as stored.
std::pair<int, int> stored_position(int orientation, int width, int height, int x, int y) {
    switch (orientation) {
        case 2:
            return {width - 1 - x, y};
        case 3:
            return {width - 1 - x, height - 1 - y};
        case 4:
            return {x, height - 1 - y};
        case 5:
            return {y, x};
        case 6:
            return {y, height - 1 - x};
        case 7:
            return {width - 1 - y, height - 1 - x};
        case 8:
            return {width - 1 - y, x};
        default:
            return {x, y};
    }
}

Image turned_upright(Image stored, int orientation) {
    if (orientation == 1) return stored;
    const bool swaps_axes = orientation >= 5;
    Image upright(swaps_axes ? stored.height : stored.width, swaps_axes ? stored.width : stored.height,
                  stored.channels);
    for (int y = 0; y < upright.height; ++y) {
        for (int x = 0; x < upright.width; ++x) {
            const auto [from_x, from_y] = stored_position(orientation, stored.width, stored.height, x, y);
            std::copy_n(stored.at(from_x, from_y), stored.channels, upright.at(x, y));
        }
    }
    return upright;
}

}  // namespace

Image decode_jpeg(std::span<const uint8_t> file, const std::string& name) {
    Decoder decoder(file);
    if (!decoder.read_header()) throw decoder.failure(name);
    check_image_size(decoder.width(), decoder.height(), name);
    const int orientation = exif_orientation(decoder.exif());  // before the decoder frees the segments

    const int width = static_cast<int>(decoder.width()), height = static_cast<int>(decoder.height());
    std::vector<uint8_t> rows(decoder.row_samples() * static_cast<size_t>(height));
    if (!decoder.read_rows(rows.data())) throw decoder.failure(name);
    if (decoder.is_cmyk()) {
        return turned_upright(from_cmyk(rows, width, height, decoder.stores_inverted_ink()), orientation);
    }
    Image image;
    image.width = width;
    image.height = height;
    image.channels = 3;
    image.pixels = std::move(rows);
    return turned_upright(std::move(image), orientation);
}

}  // namespace vkseg::app
