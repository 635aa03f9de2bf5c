#include "apps/common/raw_frames.hpp"

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

TEST(FrameFormat, parses_all_orders) {
    for (const auto& [text, channels] : {std::pair<const char*, int>{"1024x512:rgb24", 3},
                                         {"640x480:rgba", 4},
                                         {"1x1:bgr24", 3},
                                         {"65535x4096:bgra", 4}}) {
        const FrameFormat format = parse_frame_format(text);
        EXPECT_EQ(to_string(format), text);
        EXPECT_EQ(format.channels(), channels);
    }
    EXPECT_EQ(parse_frame_format("1024x512:rgb24").size_bytes(), 1024u * 512 * 3);
}

TEST(FrameFormat, says_what_is_wrong) {
    const auto message = [](const char* text) { return message_of([&] { (void)parse_frame_format(text); }); };
    for (const char* text : {"", "1024x512", "1024:rgb24", "rgb24", "1024*512:rgb24", ":x", "rgb24:1024x512"}) {
        EXPECT_TRUE(contains(message(text), "is not WIDTHxHEIGHT:ORDER, for example 1024x512:rgb24")) << text;
    }
    for (const char* text : {"x:rgb24", "0x512:rgb24", "1024x0:rgb24", "-5x5:rgb24", "1024 x512:rgb24", "1024xx:rgb24",
                             "65536x1:rgb24", "99999999999x1:rgb24", "1.5x2:rgb24", "+4x4:rgb24"}) {
        EXPECT_TRUE(contains(message(text), "expected two whole numbers from 1 to 65535")) << text;
    }
    EXPECT_TRUE(contains(message("65535x65535:rgb24"), "at most 268435456 are supported"));
    EXPECT_TRUE(contains(message("4x4:yuv420p"), "pixel order 'yuv420p', expected rgb24, rgba, bgr24 or bgra"));
    EXPECT_TRUE(contains(message("4x4:"), "pixel order ''"));
}

TEST(RawFrames, frames_until_the_stream_ends) {
    FILE* file = std::tmpfile();
    const FrameFormat format = parse_frame_format("4x2:rgb24");
    for (const uint8_t value : Bytes{1, 2, 3}) write_frame(file, Bytes(format.size_bytes(), value));
    std::rewind(file);
    Bytes frame;
    for (const uint8_t value : Bytes{1, 2, 3}) {
        ASSERT_TRUE(read_frame(file, format, frame));
        EXPECT_EQ(frame, Bytes(24, value));
    }
    EXPECT_FALSE(read_frame(file, format, frame));
    std::fclose(file);
}

TEST(RawFrames, an_end_within_a_frame_is_an_error) {
    const FrameFormat format = parse_frame_format("4x2:rgb24");
    for (size_t size : {1u, 23u, 25u, 47u}) {
        FILE* file = std::tmpfile();
        write_frame(file, Bytes(size, 9));
        std::rewind(file);
        Bytes frame;
        const std::string message = message_of([&] {
            while (read_frame(file, format, frame)) {
            }
        });
        EXPECT_TRUE(contains(message, "the stream ends within a frame of 4x2:rgb24: ")) << size;
        EXPECT_TRUE(contains(message, std::to_string(size % 24) + " of 24 bytes")) << size;
        std::fclose(file);
    }
}

TEST(RawFrames, a_pipe_delivers_a_frame_in_pieces) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    FILE* in = ::fdopen(ends[0], "r");
    for (const uint8_t value : Bytes{1, 2, 3, 4, 5, 6}) ASSERT_EQ(::write(ends[1], &value, 1), 1);
    ::close(ends[1]);
    Bytes frame;
    EXPECT_TRUE(read_frame(in, parse_frame_format("2x1:rgb24"), frame));
    EXPECT_EQ(frame, (Bytes{1, 2, 3, 4, 5, 6}));
    EXPECT_FALSE(read_frame(in, parse_frame_format("2x1:rgb24"), frame));
    std::fclose(in);
}

TEST(RawFrames, failures_of_the_stream_are_errors) {
    Bytes frame(12);
    FILE* full = std::fopen("/dev/full", "w");
    EXPECT_TRUE(contains(message_of([&] { write_frame(full, frame); }), "No space left"));
    std::fclose(full);
    FILE* folder = std::fopen("/", "r");
    ASSERT_NE(folder, nullptr);
    EXPECT_TRUE(contains(message_of([&] { (void)read_frame(folder, parse_frame_format("2x2:rgb24"), frame); }),
                         "cannot read a frame of 2x2:rgb24: "));
    std::fclose(folder);
}

TEST(RawFrames, conversion_there_and_back) {
    const Image image = gradient(5, 3);
    for (const char* text : {"5x3:rgb24", "5x3:rgba", "5x3:bgr24", "5x3:bgra"}) {
        const FrameFormat format = parse_frame_format(text);
        Bytes frame;
        from_rgb(image, format, frame);
        ASSERT_EQ(frame.size(), format.size_bytes());
        const bool blue_first = text[4] == 'b';
        EXPECT_EQ(frame[blue_first ? 2 : 0], image.pixels[0]);
        EXPECT_EQ(frame[blue_first ? 0 : 2], image.pixels[2]);
        if (format.channels() == 4) {
            EXPECT_EQ(frame[3], 255);
        }
        Image back;
        to_rgb(format, frame, back);
        EXPECT_EQ(back.width, 5);
        EXPECT_EQ(back.channels, 3);
        EXPECT_EQ(back.pixels, image.pixels);
    }
}

}  // namespace
}  // namespace vkseg::app::test
