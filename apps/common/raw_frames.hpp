#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/image.hpp"

namespace vkseg::app {

enum class PixelOrder { Rgb24, Rgba, Bgr24, Bgra };

/// How the frames of a headerless stream look, as `ffmpeg -f rawvideo -pix_fmt rgb24` writes them.
struct FrameFormat {
    int width = 0;
    int height = 0;
    PixelOrder order = PixelOrder::Rgb24;

    [[nodiscard]] int channels() const;
    [[nodiscard]] size_t size_bytes() const;
};

/// Parses "1024x512:rgb24"; the part after the colon is rgb24, rgba, bgr24 or bgra.
[[nodiscard]] FrameFormat parse_frame_format(std::string_view text);
[[nodiscard]] std::string to_string(const FrameFormat& format);

/// Reads exactly one frame as it is in the stream; `frame` keeps its memory from call to call. False when the
/// stream ended before the frame's first byte; an end within the frame throws.
[[nodiscard]] bool read_frame(FILE* stream, const FrameFormat& format, std::vector<uint8_t>& frame);

/// Writes one frame as it is and flushes it, so that the program reading it need not wait for the next.
void write_frame(FILE* stream, std::span<const uint8_t> frame);

/// The frame as RGB without alpha, and an RGB picture as a frame of opaque pixels; both use the target's memory.
void to_rgb(const FrameFormat& format, std::span<const uint8_t> frame, Image& image);
void from_rgb(const Image& image, const FrameFormat& format, std::vector<uint8_t>& frame);

}  // namespace vkseg::app
