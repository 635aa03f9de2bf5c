#include "tests/api/door_host.hpp"

namespace vkseg::test {
namespace {

constexpr uint32_t everything = (1u << VKSEG_OUTPUT_COUNT) - 1;

/// Byte order of a picture in another format.
std::vector<uint8_t> swap_red_and_blue(std::vector<uint8_t> bytes) {
    for (size_t i = 0; i + 3 < bytes.size(); i += 4) std::swap(bytes[i], bytes[i + 2]);
    return bytes;
}

TEST_P(Door, ARecordedFrameIsTheStandaloneOneToTheByte) {
    const auto context = host().make_context();
    const std::vector<uint8_t> picture = noise_picture();
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, everything), picture);
    ASSERT_EQ(expected.size(), 5u);
    for (const vkseg_place place : {VKSEG_IMAGE, VKSEG_BUFFER}) {
        SCOPED_TRACE(place == VKSEG_IMAGE ? "images" : "buffers");
        Frame frame(host(), context.get(), model(), small_desc(place, everything), picture);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(frame.finish(), 1);
            EXPECT_EQ(frame.results(), expected);
        }
    }
}

TEST_P(Door, EveryEightBitFormatGivesTheSame) {
    const auto context = host().make_context();
    const std::vector<uint8_t> picture = noise_picture(), swapped = swap_red_and_blue(picture);
    const uint32_t outputs = 1u << VKSEG_LABELS | 1u << VKSEG_OVERLAY | 1u << VKSEG_SCORES;
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, outputs), picture);
    for (const VkFormat format :
         {VK_FORMAT_R8G8B8A8_SRGB, VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_R8G8B8A8_UNORM}) {
        SCOPED_TRACE(static_cast<int>(format));
        const bool bgra = format == VK_FORMAT_B8G8R8A8_UNORM || format == VK_FORMAT_B8G8R8A8_SRGB;
        vkseg_segmenter_desc desc = small_desc(VKSEG_IMAGE, outputs);
        desc.picture_format = format;
        desc.output[VKSEG_OVERLAY].format = format;
        desc.output[VKSEG_LABELS].format = VK_FORMAT_R8_UNORM;
        Frame frame(host(), context.get(), model(), desc, bgra ? swapped : picture);
        frame.finish();
        auto found = frame.results();
        if (bgra) found[VKSEG_OVERLAY] = swap_red_and_blue(found[VKSEG_OVERLAY]);
        EXPECT_EQ(found, expected);
    }
}

TEST_P(Door, SlicesOfOneStepGiveTheSameAndKeepTheLastResultMeanwhile) {
    const auto context = host().make_context(VKSEG_CONTEXT_CHECKED);
    const std::vector<uint8_t> picture = noise_picture();
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, everything), picture);
    for (const vkseg_place place : {VKSEG_IMAGE, VKSEG_BUFFER}) {
        SCOPED_TRACE(place == VKSEG_IMAGE ? "images" : "buffers");
        Frame frame(host(), context.get(), model(), small_desc(place, everything), picture);
        frame.finish();
        frame.record_desc().max_steps = 1;
        int slices = 1;
        for (vkseg_progress progress = frame.advance(); progress.finished == 0; progress = frame.advance(), ++slices) {
            EXPECT_EQ(progress.end_step, progress.first_step + 1);
            if (slices % 7 == 0) {
                EXPECT_EQ(frame.results(), expected) << "after slice " << slices;
            }
        }
        EXPECT_GT(slices, 10);
        EXPECT_EQ(frame.results(), expected);
        frame.record_desc().max_steps = 0;
        frame.record_desc().budget_us = 2000;
        frame.finish();
        EXPECT_EQ(frame.results(), expected);
    }
}

TEST_P(Door, ABudgetBelowEveryStepDividesTheSteps) {
    const auto context = host().make_context(VKSEG_CONTEXT_CHECKED);
    const std::vector<uint8_t> picture = noise_picture();
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, everything), picture);
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, everything), picture);
    frame.record_desc().budget_us = 1;
    uint32_t slices = 1, parts = 0, step_count = 0;
    for (vkseg_progress progress = frame.advance(); progress.finished == 0; progress = frame.advance(), ++slices) {
        EXPECT_LE(progress.end_step, progress.first_step + 1);
        parts += progress.end_step == progress.first_step ? 1 : 0;
        step_count = progress.step_count;
        ASSERT_LT(slices, 64 * step_count);
    }
    EXPECT_GT(parts, 4 * step_count);
    EXPECT_EQ(frame.results(), expected);
    // A part that was begun is dropped like a whole step.
    EXPECT_EQ(frame.advance().first_step, 0u);
    for (int i = 0; i < 9; ++i) frame.advance();
    frame.record_desc().restart = VK_TRUE;
    EXPECT_EQ(frame.advance().first_step, 0u);
    frame.record_desc().restart = VK_FALSE;
    frame.record_desc().budget_us = 0;
    frame.finish();
    EXPECT_EQ(frame.results(), expected);
}

TEST_P(Door, ARestartDropsAnUnfinishedRun) {
    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 1), noise_picture());
    frame.record_desc().max_steps = 3;
    EXPECT_EQ(frame.advance().first_step, 0u);
    EXPECT_EQ(frame.advance().first_step, 3u);
    frame.record_desc().restart = VK_TRUE;
    EXPECT_EQ(frame.advance().first_step, 0u);
}

TEST_P(Door, FloatingPointImagesAndLinearLight) {
    const auto context = host().make_context();
    // 0, 1/4, ... as floats; the network sees them times 255, unrounded.
    std::vector<uint16_t> halves;
    std::mt19937 random(3);
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i < size_t{picture_width} * picture_height; ++i) {
        for (int c = 0; c < 4; ++c) {
            const bool one = (random() & 1) != 0;
            halves.push_back(one ? 0x3c00 : 0);  // 1 or 0: the same in linear light and encoded
            bytes.push_back(one ? 255 : 0);
        }
    }
    const auto expected = standalone(context.get(), model(), small_desc(VKSEG_HOST_MEMORY, 1u << VKSEG_LABELS), bytes);
    for (const VkBool32 linear : {VK_FALSE, VK_TRUE}) {
        vkseg_segmenter_desc desc = small_desc(VKSEG_IMAGE, 1u << VKSEG_LABELS);
        desc.picture_format = VK_FORMAT_R16G16B16A16_SFLOAT;
        desc.picture_is_linear = linear;
        Frame frame(host(), context.get(), model(), desc,
                    {reinterpret_cast<const uint8_t*>(halves.data()), halves.size() * 2});
        frame.finish();
        EXPECT_EQ(frame.results(), expected);
    }
}

TEST_P(Door, APictureOfOnePixel) {
    const auto context = host().make_context();
    const std::vector<uint8_t> pixel{10, 200, 30, 255};
    vkseg_segmenter_desc desc = small_desc(VKSEG_HOST_MEMORY, everything);
    desc.picture_width = desc.picture_height = 1;
    const auto expected = standalone(context.get(), model(), desc, pixel);
    for (const vkseg_place place : {VKSEG_IMAGE, VKSEG_BUFFER}) {
        desc = small_desc(place, everything);
        desc.picture_width = desc.picture_height = 1;
        Frame frame(host(), context.get(), model(), desc, pixel);
        frame.finish();
        EXPECT_EQ(frame.results(), expected);
    }
}

INSTANTIATE_TEST_SUITE_P(, Door, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
