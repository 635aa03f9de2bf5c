#include "apps/common/label_map.hpp"

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

constexpr int grey = 0, rgb = 2, palette = 3, grey_alpha = 4;

TEST(LabelMap, grey_samples_are_classes) {
    const Image labels = decode_label_map(make_png(3, 2, 8, grey, {0, 18, 255, 1, 2, 3}), "l.png");
    EXPECT_EQ(labels.width, 3);
    EXPECT_EQ(labels.height, 2);
    EXPECT_EQ(labels.channels, 1);
    EXPECT_EQ(labels.pixels, (Bytes{0, 18, 255, 1, 2, 3}));
}

TEST(LabelMap, a_palette_stands_for_its_indices) {
    const Bytes colours{255, 255, 255, 0, 0, 0, 10, 20, 30};
    EXPECT_EQ(decode_label_map(make_png(2, 2, 8, palette, {0, 2, 1, 2}, colours), "l.png").pixels, (Bytes{0, 2, 1, 2}));
    // Four indices of two bits in a byte, three of them used.
    EXPECT_EQ(decode_label_map(make_png(3, 1, 2, palette, {0b00'10'01'00}, colours), "l.png").pixels, (Bytes{0, 2, 1}));
}

TEST(LabelMap, few_bits_are_not_stretched_to_eight) {
    EXPECT_EQ(decode_label_map(make_png(2, 1, 4, grey, {0x3f}), "l.png").pixels, (Bytes{3, 15}));
    EXPECT_EQ(decode_label_map(make_png(8, 1, 1, grey, {0b10000001}), "l.png").pixels, (Bytes{1, 0, 0, 0, 0, 0, 0, 1}));
}

TEST(LabelMap, reads_what_is_written) {
    const Image labels = gradient(31, 17, 1);
    EXPECT_EQ(decode_label_map(encode_png(labels), "l.png").pixels, labels.pixels);
}

TEST(LabelMap, sixteen_bits_colours_and_alpha_are_refused) {
    const auto refusal = [](const Bytes& file) { return message_of([&] { (void)decode_label_map(file, "l.png"); }); };
    EXPECT_TRUE(contains(refusal(make_png(1, 1, 16, grey, {0, 7})), "'l.png' has 16 bits"));
    EXPECT_TRUE(contains(refusal(make_png(1, 1, 8, rgb, {1, 2, 3})), "'l.png' holds colours"));
    EXPECT_TRUE(contains(refusal(make_png(1, 1, 8, grey_alpha, {1, 255})), "alpha"));
    EXPECT_TRUE(contains(refusal({0xFF, 0xD8, 0xFF, 0xE0}), "no PNG"));
}

TEST(LabelMap, damaged_files_are_refused) {
    Bytes file = make_png(4, 4, 8, grey, Bytes(16, 1));
    EXPECT_NE(message_of([&] { (void)decode_label_map({file.data(), file.size() - 20}, "l.png"); }), "");
    // Too few rows, with checksums that are right.
    EXPECT_TRUE(contains(message_of([&] {
                             Bytes lying = make_png(4, 2, 8, grey, Bytes(8, 1));
                             Bytes header;
                             append_32(header, 4);
                             append_32(header, 400);
                             for (const int value : {8, 0, 0, 0, 0}) header.push_back(static_cast<uint8_t>(value));
                             Bytes png(lying.begin(), lying.begin() + 8);
                             append_chunk(png, "IHDR", header);
                             png.insert(png.end(), lying.begin() + 33, lying.end());
                             (void)decode_label_map(png, "l.png");
                         }),
                         "'l.png' cannot be decoded"));
}

}  // namespace
}  // namespace vkseg::app::test
