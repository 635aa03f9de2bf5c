#include "tests/graph/support.hpp"

#include <limits>

namespace vkseg::test {
namespace {

SizeRule fixed(int h, int w) {
    return {.fixed = {h, w}};
}

TEST(ImageToTensorTest, NormalisesInTheNetworksChannelOrder) {
    // One pixel: red 10, green 20, blue 30, whatever the order of its bytes.
    const std::vector<std::pair<PixelFormat, std::vector<uint8_t>>> pictures = {
        {PixelFormat::RGB8, {10, 20, 30}},
        {PixelFormat::BGR8, {30, 20, 10}},
        {PixelFormat::RGBA8, {10, 20, 30, 99}},
        {PixelFormat::BGRA8, {30, 20, 10, 99}},
    };
    for (const auto& [format, bytes] : pictures) {
        const HostValue picture = byte_value(pixels(1, 1, bytes_per_pixel(format)), bytes);
        ImageToTensor op{.format = format, .subtract = {1, 2, 3}, .multiply = {2, 4, 8}, .size = fixed(1, 1)};
        EXPECT_EQ(run_op(op, {picture}).floats, (std::vector<float>{18, 72, 216}));
        op.bgr = true;
        EXPECT_EQ(run_op(op, {picture}).floats, (std::vector<float>{58, 72, 56}));
    }
}

TEST(ImageToTensorTest, SamplesAtPixelCentresAndRepeatsEdges) {
    const HostValue picture = byte_value(pixels(1, 2, 3), {0, 0, 0, 100, 100, 100});
    ImageToTensor op{.size = fixed(1, 4)};
    const HostValue wide = run_op(op, {picture});
    expect_near({wide.floats.begin(), wide.floats.begin() + 4}, {0, 25, 75, 100});
    op.size = fixed(3, 1);
    expect_near(run_op(op, {picture}).floats, std::vector<float>(9, 50.0f));
}

TEST(ImageToTensorTest, ShrinksWithoutAntialiasing) {
    // Two of four columns: sources at 0.5 and 2.5 in pixels, so neighbours are averaged; one of four: at 1.5.
    const HostValue picture = byte_value(pixels(1, 4, 3), {0, 0, 0, 10, 10, 10, 40, 40, 40, 80, 80, 80});
    ImageToTensor op{.size = fixed(1, 2)};
    const HostValue half = run_op(op, {picture});
    expect_near({half.floats.begin(), half.floats.begin() + 2}, {5, 60});
    op.size = fixed(1, 1);
    expect_near(run_op(op, {picture}).floats, {25, 25, 25});
}

TEST(ArgmaxTest, TakesTheFirstOfEquals) {
    // Columns: a tie of 0 and 2, a clear winner, all equal.
    const HostValue scores = feature_value(3, 1, 3, {5, 1, 2, 4, 9, 2, 5, 3, 2});
    const HostValue result = run_op(Argmax{Sampling::Nearest, fixed(1, 3)}, {scores});
    EXPECT_EQ(result.desc, labels(1, 3));
    EXPECT_EQ(result.bytes, (std::vector<uint8_t>{0, 1, 0}));
    EXPECT_EQ(run_op(Argmax{Sampling::Bilinear, fixed(1, 3)}, {scores}).bytes, result.bytes);
}

TEST(ArgmaxTest, NearestReadsThePixelUnderTheCentre) {
    // Scores whose winner is the column itself, read at many sizes.
    for (int in : {1, 2, 3, 5, 7, 16}) {
        std::vector<float> scores(static_cast<size_t>(in * in), 0.0f);
        for (int i = 0; i < in; ++i) scores[static_cast<size_t>(i * in + i)] = 1.0f;
        for (int out : {1, 2, 3, 4, 7, 13, 29, 32, 35}) {
            const HostValue result =
                run_op(Argmax{Sampling::Nearest, fixed(2, out)}, {feature_value(in, 1, in, scores)});
            for (int x = 0; x < out; ++x) {
                const int expected = static_cast<int>(std::floor((x + 0.5L) * in / out));
                EXPECT_EQ(result.bytes[static_cast<size_t>(x)], expected) << in << " to " << out << " at " << x;
            }
        }
    }
}

TEST(ArgmaxTest, BilinearInterpolatesScoresAndNotLabels) {
    // Class 1 wins in the middle although it wins at neither end.
    const HostValue scores = feature_value(3, 1, 2, {10, 0, 7, 7, 0, 10});
    EXPECT_EQ(run_op(Argmax{Sampling::Bilinear, fixed(1, 8)}, {scores}).bytes,
              (std::vector<uint8_t>{0, 0, 0, 1, 1, 2, 2, 2}));
    EXPECT_EQ(run_op(Argmax{Sampling::Nearest, fixed(1, 8)}, {scores}).bytes,
              (std::vector<uint8_t>{0, 0, 0, 0, 2, 2, 2, 2}));
}

TEST(ArgmaxTest, AlignedCornersPutTheEndsOnTheEnds) {
    // The middle pixel lies between the two scores, and only the outermost ones on them.
    const HostValue scores = feature_value(3, 1, 2, {10, 0, 7, 7, 0, 10});
    EXPECT_EQ(run_op(Argmax{Sampling::BilinearAligned, fixed(1, 8)}, {scores}).bytes,
              (std::vector<uint8_t>{0, 0, 0, 1, 1, 2, 2, 2}));
    EXPECT_EQ(run_op(Argmax{Sampling::BilinearAligned, fixed(1, 3)}, {scores}).bytes, (std::vector<uint8_t>{0, 1, 2}));
    // One pixel takes the first score, where pixel centres would take the middle.
    EXPECT_EQ(run_op(Argmax{Sampling::BilinearAligned, fixed(1, 1)}, {scores}).bytes, (std::vector<uint8_t>{0}));
    EXPECT_EQ(run_op(Argmax{Sampling::Bilinear, fixed(1, 1)}, {scores}).bytes, (std::vector<uint8_t>{1}));
    // 10, 6 and 0 become 10, 8, 6, 3, 0; at pixel centres 10, 8.4, 6, 2.4, 0.
    const HostValue ramp = feature_value(2, 1, 3, {10, 6, 0, 8.2f, 8.2f, 8.2f});
    EXPECT_EQ(run_op(Argmax{Sampling::BilinearAligned, fixed(1, 5)}, {ramp}).bytes,
              (std::vector<uint8_t>{0, 1, 1, 1, 1}));
    EXPECT_EQ(run_op(Argmax{Sampling::Bilinear, fixed(1, 5)}, {ramp}).bytes, (std::vector<uint8_t>{0, 0, 1, 1, 1}));
}

TEST(ConfidenceTest, IsTheSoftmaxOfTheWinner) {
    const auto confidence = [](std::vector<float> scores) {
        const auto classes = static_cast<int64_t>(scores.size());
        return run_op(Confidence{Sampling::Nearest, fixed(1, 1)}, {feature_value(classes, 1, 1, std::move(scores))})
            .bytes[0];
    };
    EXPECT_EQ(confidence({3}), 255);
    EXPECT_EQ(confidence({0, 0}), 128);  // 127.5 rounds up
    EXPECT_EQ(confidence({0, 0, 0}), 85);
    EXPECT_EQ(confidence({1, 0}), 186);     // 255 / (1 + exp(-1)) = 186.42
    EXPECT_EQ(confidence({1000, 0}), 255);  // no overflow
    EXPECT_EQ(confidence({-1000, -1001}), 186);
    EXPECT_EQ(confidence({std::numeric_limits<float>::quiet_NaN(), 0}), 0);
}

Colourise colours_of_labels(int opacity) {
    Colourise op;
    for (uint32_t i = 0; i < 256; ++i) op.palette.push_back(0x11000000u | (255 - i) << 16 | (i / 2) << 8 | i);
    op.opacity = opacity;
    return op;
}

TEST(ColouriseTest, GivesOpaqueColours) {
    const HostValue result = run_op(colours_of_labels(256), {byte_value(labels(1, 2), {0, 200})});
    EXPECT_EQ(result.desc, pixels(1, 2, 4));
    EXPECT_EQ(result.bytes, (std::vector<uint8_t>{0, 0, 255, 255, 200, 100, 55, 255}));
}

TEST(ColouriseTest, BlendsInWholeNumbers) {
    const HostValue classes = byte_value(labels(1, 1), {200});
    const HostValue picture = byte_value(pixels(1, 1, 3), {10, 101, 255});
    const auto blended = [&](int opacity) { return run_op(colours_of_labels(opacity), {classes, picture}).bytes; };
    EXPECT_EQ(blended(0), (std::vector<uint8_t>{10, 101, 255, 255}));
    EXPECT_EQ(blended(256), (std::vector<uint8_t>{200, 100, 55, 255}));
    // 190/2 = 95; -1/2 rounds to 0 and not to -1; -200/2 = -100
    EXPECT_EQ(blended(128), (std::vector<uint8_t>{105, 101, 155, 255}));
}

TEST(ColouriseTest, ReadsThePictureInItsFormat) {
    const HostValue classes = byte_value(labels(1, 1), {0});
    Colourise op = colours_of_labels(0);
    op.format = PixelFormat::BGRA8;
    EXPECT_EQ(run_op(op, {classes, byte_value(pixels(1, 1, 4), {1, 2, 3, 4})}).bytes,
              (std::vector<uint8_t>{3, 2, 1, 255}));
}

}  // namespace
}  // namespace vkseg::test
