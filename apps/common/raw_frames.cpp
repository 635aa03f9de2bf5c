#include "apps/common/raw_frames.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

constexpr std::pair<std::string_view, PixelOrder> order_names[] = {
    {"rgb24", PixelOrder::Rgb24}, {"rgba", PixelOrder::Rgba}, {"bgr24", PixelOrder::Bgr24}, {"bgra", PixelOrder::Bgra}};

bool is_blue_first(PixelOrder order) {
    return order == PixelOrder::Bgr24 || order == PixelOrder::Bgra;
}

/// Digits only; -1 for anything else and for numbers beyond int.
int parse_extent(std::string_view text) {
    int value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() && end == text.data() + text.size() ? value : -1;
}

/// Copies pixels between layouts; the position of red and blue in the pixel tells the order.
template <int from_channels, int to_channels>
void copy_pixels(const uint8_t* from, uint8_t* to, size_t pixels, bool swaps_red_and_blue) {
    const size_t first = swaps_red_and_blue ? 2 : 0, last = 2 - first;
    for (size_t i = 0; i < pixels; ++i, from += from_channels, to += to_channels) {
        to[0] = from[first];
        to[1] = from[1];
        to[2] = from[last];
        if constexpr (to_channels == 4) to[3] = 255;
    }
}

size_t pixel_count(int width, int height) {
    return static_cast<size_t>(width) * static_cast<size_t>(height);
}

}  // namespace

int FrameFormat::channels() const {
    return order == PixelOrder::Rgba || order == PixelOrder::Bgra ? 4 : 3;
}

size_t FrameFormat::size_bytes() const {
    return pixel_count(width, height) * static_cast<size_t>(channels());
}

FrameFormat parse_frame_format(std::string_view text) {
    const size_t cross = text.find('x'), colon = text.find(':');
    if (cross == std::string_view::npos || colon == std::string_view::npos || cross > colon) {
        throw error("the frame format '{}' is not WIDTHxHEIGHT:ORDER, for example 1024x512:rgb24", text);
    }
    FrameFormat format;
    format.width = parse_extent(text.substr(0, cross));
    format.height = parse_extent(text.substr(cross + 1, colon - cross - 1));
    if (format.width < 1 || format.height < 1 || format.width > max_image_side_px ||
        format.height > max_image_side_px) {
        throw error("the frame format '{}' has the size '{}', expected two whole numbers from 1 to {}", text,
                    text.substr(0, colon), max_image_side_px);
    }
    if (int64_t{format.width} * format.height > max_image_pixels) {
        throw error("the frame format '{}' has {} pixels, at most {} are supported", text,
                    int64_t{format.width} * format.height, max_image_pixels);
    }
    const std::string_view order = text.substr(colon + 1);
    for (const auto& [name, value] : order_names) {
        if (name == order) {
            format.order = value;
            return format;
        }
    }
    throw error("the frame format '{}' has the pixel order '{}', expected rgb24, rgba, bgr24 or bgra", text, order);
}

std::string to_string(const FrameFormat& format) {
    for (const auto& [name, value] : order_names) {
        if (value == format.order) return fmt::format("{}x{}:{}", format.width, format.height, name);
    }
    return {};
}

bool read_frame(FILE* stream, const FrameFormat& format, std::vector<uint8_t>& frame) {
    frame.resize(format.size_bytes());
    const size_t found = std::fread(frame.data(), 1, frame.size(), stream);
    if (found == frame.size()) return true;
    if (std::ferror(stream)) {
        throw error("cannot read a frame of {}: {}", to_string(format), std::generic_category().message(errno));
    }
    if (found == 0) return false;
    throw error("the stream ends within a frame of {}: {} of {} bytes are there", to_string(format), found,
                frame.size());
}

void write_frame(FILE* stream, std::span<const uint8_t> frame) {
    if (std::fwrite(frame.data(), 1, frame.size(), stream) != frame.size() || std::fflush(stream) != 0) {
        throw error("cannot write a frame of {} bytes: {}", frame.size(), std::generic_category().message(errno));
    }
}

void to_rgb(const FrameFormat& format, std::span<const uint8_t> frame, Image& image) {
    assert(frame.size() == format.size_bytes());
    const size_t pixels = pixel_count(format.width, format.height);
    image.width = format.width;
    image.height = format.height;
    image.channels = 3;
    image.pixels.resize(3 * pixels);
    if (format.order == PixelOrder::Rgb24) {
        std::copy(frame.begin(), frame.end(), image.pixels.begin());
        return;
    }
    const auto copy = format.channels() == 4 ? &copy_pixels<4, 3> : &copy_pixels<3, 3>;
    copy(frame.data(), image.pixels.data(), pixels, is_blue_first(format.order));
}

void from_rgb(const Image& image, const FrameFormat& format, std::vector<uint8_t>& frame) {
    assert(image.channels == 3 && image.width == format.width && image.height == format.height);
    frame.resize(format.size_bytes());
    if (format.order == PixelOrder::Rgb24) {
        std::copy(image.pixels.begin(), image.pixels.end(), frame.begin());
        return;
    }
    const auto copy = format.channels() == 4 ? &copy_pixels<3, 4> : &copy_pixels<3, 3>;
    copy(image.pixels.data(), frame.data(), pixel_count(format.width, format.height), is_blue_first(format.order));
}

}  // namespace vkseg::app
