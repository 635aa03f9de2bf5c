#include "apps/common/image.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "test_files.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshadow"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace vkseg::app::test {
namespace {

void append_to(void* context, void* data, int size) {
    auto* bytes = static_cast<Bytes*>(context);
    bytes->insert(bytes->end(), static_cast<uint8_t*>(data), static_cast<uint8_t*>(data) + size);
}

Bytes make_jpeg(const Image& image) {
    Bytes jpeg;
    stbi_write_jpg_to_func(append_to, &jpeg, image.width, image.height, image.channels, image.pixels.data(), 95);
    return jpeg;
}

Bytes make_bmp(const Image& image) {
    Bytes bmp;
    stbi_write_bmp_to_func(append_to, &bmp, image.width, image.height, image.channels, image.pixels.data());
    return bmp;
}

/// Inserts an APP1 segment right after the start marker, as cameras do.
Bytes with_app1(Bytes jpeg, Bytes content) {
    const size_t length = content.size() + 2;
    Bytes segment{0xFF, 0xE1, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
    segment.insert(segment.end(), content.begin(), content.end());
    jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
    return jpeg;
}

/// One directory with one entry: orientation.
Bytes exif(int orientation, bool little_endian) {
    Bytes bytes{'E', 'x', 'i', 'f', 0, 0};
    const auto value = static_cast<uint8_t>(orientation);
    const Bytes little{'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
    const Bytes big{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
    const Bytes& body = little_endian ? little : big;
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

/// Four areas of one colour each, told apart even after JPEG: red and green over blue and white.
Image corners() {
    const Bytes colours[2][2] = {{{255, 0, 0}, {0, 255, 0}}, {{0, 0, 255}, {255, 255, 255}}};
    Image image(48, 32, 3);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            const Bytes& colour = colours[y / (image.height / 2)][x / (image.width / 2)];
            std::copy(colour.begin(), colour.end(), image.at(x, y));
        }
    }
    return image;
}

/// "RGBW" for the picture above: top left, top right, bottom left, bottom right.
std::string corner_names(const Image& image) {
    std::string names;
    for (const auto& [x, y] :
         {std::pair{4, 4}, {image.width - 5, 4}, {4, image.height - 5}, {image.width - 5, image.height - 5}}) {
        const uint8_t* pixel = image.at(x, y);
        const int bright = (pixel[0] > 128 ? 1 : 0) | (pixel[1] > 128 ? 2 : 0) | (pixel[2] > 128 ? 4 : 0);
        names += bright == 1 ? 'R' : bright == 2 ? 'G' : bright == 4 ? 'B' : bright == 7 ? 'W' : '?';
    }
    return names;
}

TEST(ReadImage, every_channel_count_survives_writing_and_reading) {
    const Folder folder;
    for (int channels : {1, 3, 4}) {
        for (const auto& [width, height] : {std::pair{1, 1}, {37, 21}, {640, 3}}) {
            const Image image = gradient(width, height, channels);
            write_png(folder / "image.png", image);
            const Image back = read_image(folder / "image.png");
            ASSERT_EQ(back.width, width);
            ASSERT_EQ(back.height, height);
            ASSERT_EQ(back.channels, 3);
            ASSERT_EQ(back.pixels.size(), image.pixels.size() / static_cast<size_t>(channels) * 3);
            for (int y = 0; y < height; ++y) {
                for (int x = 0; x < width; ++x) {
                    for (int c = 0; c < 3; ++c) ASSERT_EQ(back.at(x, y)[c], image.at(x, y)[channels == 1 ? 0 : c]);
                }
            }
        }
    }
}

TEST(ReadImage, flat_pictures_become_small_files) {
    const Image flat(1024, 512, 3);
    EXPECT_LT(encode_png(flat).size(), 20'000u);
    const Image labels(1024, 512, 1);
    EXPECT_LT(encode_png(labels).size(), 5'000u);
}

TEST(ReadImage, sixteen_bits_keep_the_upper_eight) {
    const Folder folder;
    const Bytes rgb{0x12, 0xFF, 0x34, 0x00, 0x56, 0x80, 0xFF, 0xFF, 0x00, 0xFF, 0x80, 0x01};
    EXPECT_EQ(read_image(folder.put("rgb.png", make_png(2, 1, 16, 2, rgb))).pixels,
              (Bytes{0x12, 0x34, 0x56, 0xFF, 0x00, 0x80}));
    const Bytes grey{0x12, 0xFF, 0xAB, 0x00};
    EXPECT_EQ(read_image(folder.put("grey.png", make_png(2, 1, 16, 0, grey))).pixels,
              (Bytes{0x12, 0x12, 0x12, 0xAB, 0xAB, 0xAB}));
}

TEST(ReadImage, grey_alpha_and_palette_become_rgb) {
    const Folder folder;
    EXPECT_EQ(read_image(folder.put("grey.png", make_png(2, 1, 8, 0, {7, 200}))).pixels,
              (Bytes{7, 7, 7, 200, 200, 200}));
    EXPECT_EQ(read_image(folder.put("grey_alpha.png", make_png(2, 1, 8, 4, {7, 0, 200, 128}))).pixels,
              (Bytes{7, 7, 7, 200, 200, 200}));
    EXPECT_EQ(read_image(folder.put("rgba.png", make_png(1, 1, 8, 6, {1, 2, 3, 0}))).pixels, (Bytes{1, 2, 3}));
    EXPECT_EQ(read_image(folder.put("one_bit.png", make_png(8, 1, 1, 0, {0b10000001}))).pixels[3], 0);
    EXPECT_EQ(read_image(folder.put("palette.png", make_png(2, 1, 8, 3, {1, 0}, {9, 8, 7, 6, 5, 4}))).pixels,
              (Bytes{6, 5, 4, 9, 8, 7}));
}

TEST(ReadImage, bmp_and_grey_jpeg) {
    const Folder folder;
    const Image image = gradient(17, 5);
    EXPECT_EQ(read_image(folder.put("image.bmp", make_bmp(image))).pixels, image.pixels);
    Image grey(16, 16, 1);
    std::fill(grey.pixels.begin(), grey.pixels.end(), uint8_t{90});
    const Image back = read_image(folder.put("grey.jpg", make_jpeg(grey)));
    EXPECT_EQ(back.channels, 3);
    for (uint8_t sample : back.pixels) ASSERT_NEAR(sample, 90, 2);
}

TEST(ReadImage, all_exif_orientations_come_out_upright) {
    const Folder folder;
    const Bytes jpeg = make_jpeg(corners());
    ASSERT_EQ(corner_names(corners()), "RGBW");
    // What a viewer shows for a picture stored as RG over BW; corners in reading order.
    const std::array<std::string, 9> expected{"RGBW", "RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"};
    for (int orientation = 1; orientation <= 8; ++orientation) {
        for (bool little_endian : {true, false}) {
            const Bytes file = with_app1(jpeg, exif(orientation, little_endian));
            const Image image = read_image(folder.put("turned.jpg", file));
            EXPECT_EQ(corner_names(image), expected[static_cast<size_t>(orientation)]) << orientation;
            EXPECT_EQ(image.width, orientation >= 5 ? 32 : 48);
            EXPECT_EQ(image.height, orientation >= 5 ? 48 : 32);
        }
    }
}

TEST(ReadImage, undefined_orientations_are_upright) {
    const Folder folder;
    const Bytes jpeg = make_jpeg(corners());
    for (int orientation : {0, 9, 255}) {
        EXPECT_EQ(corner_names(read_image(folder.put("x.jpg", with_app1(jpeg, exif(orientation, true))))), "RGBW");
    }
    // Every cut of the EXIF data, in a segment that is complete.
    const Bytes whole = exif(6, true);
    for (size_t size = 0; size < whole.size(); ++size) {
        const Bytes part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
        EXPECT_NO_THROW((void)read_image(folder.put("x.jpg", with_app1(jpeg, part)))) << size;
    }
}

TEST(ReadImage, end_marker_of_a_thumbnail_is_not_the_end) {
    const Folder folder;
    Bytes thumbnail = exif(1, true);
    const Bytes small = make_jpeg(Image(8, 8, 3));
    thumbnail.insert(thumbnail.end(), small.begin(), small.end());
    Bytes file = with_app1(make_jpeg(corners()), thumbnail);
    EXPECT_EQ(corner_names(read_image(folder.put("whole.jpg", file))), "RGBW");
    file.resize(file.size() - 2);
    EXPECT_TRUE(contains(message_of([&] { (void)read_image(folder.put("cut.jpg", file)); }), "is incomplete"));
}

TEST(ReadImage, bytes_after_the_end_do_not_matter) {
    const Folder folder;
    Bytes jpeg = make_jpeg(corners());
    jpeg.insert(jpeg.end(), 1000, uint8_t{0xFF});
    EXPECT_EQ(corner_names(read_image(folder.put("film.jpg", jpeg))), "RGBW");
    Bytes png = encode_png(corners());
    png.insert(png.end(), 1000, uint8_t{0});
    EXPECT_EQ(corner_names(read_image(folder.put("more.png", png))), "RGBW");
}

TEST(ReadImage, every_truncation_is_refused) {
    const Image image = gradient(40, 30);
    for (const auto& [name, whole] : {std::pair<std::string, Bytes>{"cut.png", encode_png(image)},
                                      {"cut.jpg", with_app1(make_jpeg(image), exif(6, true))},
                                      {"cut.bmp", make_bmp(image)}}) {
        ASSERT_NO_THROW((void)decode_image(whole, name));
        for (size_t size = 0; size < whole.size(); ++size) {
            const Bytes part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
            const std::string message = message_of([&] { (void)decode_image(part, name); });
            ASSERT_TRUE(contains(message, name)) << size;
            if (size >= 30) {
                ASSERT_TRUE(contains(message, "is incomplete")) << name << " " << size;
            }
        }
    }
}

TEST(ReadImage, a_jpeg_without_its_middle_is_refused) {
    Bytes jpeg = make_jpeg(gradient(200, 200));
    jpeg.erase(jpeg.begin() + static_cast<ptrdiff_t>(jpeg.size() / 2), jpeg.end() - 2);
    EXPECT_TRUE(contains(message_of([&] { (void)decode_image(jpeg, "cut.jpg"); }), "'cut.jpg' cannot be decoded: "));
}

TEST(ReadImage, a_jpeg_header_that_claims_too_much_is_refused) {
    Bytes jpeg = make_jpeg(gradient(16, 16));
    for (size_t at = 0; at + 9 < jpeg.size(); ++at) {
        if (jpeg[at] != 0xFF || jpeg[at + 1] != 0xC0) continue;
        for (size_t i = 5; i < 9; ++i) jpeg[at + i] = 0xF0;
        break;
    }
    const std::string message = message_of([&] { (void)decode_image(jpeg, "huge.jpg"); });
    EXPECT_TRUE(contains(message, "'huge.jpg' is 61680x61680 pixels"));
}

TEST(ReadImage, damage_inside_a_png_is_found) {
    const Bytes whole = encode_png(gradient(40, 30));
    for (size_t at = 0; at < whole.size(); ++at) {
        Bytes damaged = whole;
        damaged[at] ^= 0x10;
        EXPECT_NE(message_of([&] { (void)decode_image(damaged, "x.png"); }), "") << at;
    }
}

TEST(ReadImage, damage_inside_a_jpeg_never_crashes) {
    const Bytes whole = with_app1(make_jpeg(gradient(24, 24)), exif(5, false));
    for (size_t at = 0; at < whole.size(); ++at) {
        for (int change : {0x01, 0x80, 0xFF}) {
            Bytes damaged = whole;
            damaged[at] = static_cast<uint8_t>(damaged[at] ^ change);
            (void)message_of([&] { (void)decode_image(damaged, "x.jpg"); });
        }
    }
}

TEST(ReadImage, says_what_is_wrong_with_the_file) {
    const Folder folder;
    const auto message = [&](const std::filesystem::path& path) { return message_of([&] { (void)read_image(path); }); };
    EXPECT_TRUE(contains(message(folder / "none.png"), "none.png' does not exist"));
    EXPECT_TRUE(contains(message(folder.put("file", "x") / "below.png"), "below.png' does not exist"));
    EXPECT_TRUE(contains(message(folder.path()), "is a folder, expected a file"));
    EXPECT_TRUE(contains(message(folder.put("empty.png", "")), "empty.png' is empty"));
    EXPECT_TRUE(contains(message(folder.put("text.png", "Dear reader, this is a letter.\n")), "is not an image"));
    EXPECT_TRUE(contains(message(folder.put("gif.png", "GIF89a....")), "is a GIF file"));
    EXPECT_TRUE(contains(message(folder.put("webp.jpg", "RIFF1234WEBPVP8 ")), "is a WebP file"));
    EXPECT_TRUE(contains(message("/dev/zero"), "is not a regular file"));
}

TEST(ReadImage, huge_dimensions_are_refused_before_decoding) {
    const Folder folder;
    const auto message = [&](uint32_t width, uint32_t height) {
        return message_of([&] { (void)read_image(folder.put("huge.png", make_png(width, height, 8, 2, {}))); });
    };
    EXPECT_TRUE(contains(message(65536, 1), "is 65536x1 pixels, at most 65535 on a side"));
    EXPECT_TRUE(contains(message(1, 70000), "is 1x70000 pixels"));
    EXPECT_TRUE(contains(message(65535, 65535), "huge.png"));
    EXPECT_TRUE(contains(message(16384, 16385), "is 16384x16385 pixels"));
    EXPECT_TRUE(contains(message(0x7FFFFFFF, 0x7FFFFFFF), "huge.png"));
    EXPECT_TRUE(contains(message(0, 5), "huge.png"));
    EXPECT_TRUE(contains(message(8, 8), "cannot be decoded"));  // no pixel data at all
}

TEST(WritePng, failures_name_the_file_and_leave_nothing_behind) {
    const Folder folder;
    const Image image = gradient(200, 200);
    const auto message = [&](const std::filesystem::path& path) { return message_of([&] { write_png(path, image); }); };
    EXPECT_TRUE(contains(message(folder / "no/such/folder.png"), "does not exist"));
    EXPECT_TRUE(contains(message(folder.put("file", "x") / "below.png"), "is not a folder"));
    EXPECT_TRUE(contains(message(folder.path()), "it is a folder"));
    EXPECT_TRUE(contains(message("/dev/full"), "No space left"));
    {
        const FileSizeLimit limit(1000);
        EXPECT_TRUE(contains(message(folder / "big.png"), "big.png"));
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"file"});
}

}  // namespace
}  // namespace vkseg::app::test
