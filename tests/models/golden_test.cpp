#include "apps/common/image.hpp"
#include "apps/vkseg/golden_case.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include "runtime/api/runner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

// Whole networks against the outputs of the published code, on every driver. The stored cases are not part of the
// repository: tests that need them are skipped where they are absent.

namespace vkseg::test {
namespace {

const std::filesystem::path golden_root = VKSEG_GOLDEN_DIR;

bool is_small(const app::GoldenCase& golden) {
    return golden.width * golden.height <= 256 * 256;
}

std::vector<app::GoldenCase> stored_cases() {
    std::vector<app::GoldenCase> cases;
    std::error_code absent;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(golden_root, absent))
        if (entry.path().filename() == "case.json") cases.push_back(app::read_golden_case(entry.path().parent_path()));
    std::ranges::sort(cases, {}, &app::GoldenCase::name);
    return cases;
}

bool is_known(const std::string& name) {
    return std::ranges::any_of(networks(), [&](const NetworkInfo* info) { return info->name == name; });
}

void expect_golden(const app::GoldenCase& golden, Context* context, PrecisionChoice precision) {
    SCOPED_TRACE(golden.name);
    ModelOptions options;
    options.network = golden.network;
    options.config = golden.config;
    options.weights = golden.weights;
    Runner runner(load_model(options, golden.width, golden.height), context, {precision, {}});
    const Tensor first = runner.scores(app::golden_input(golden));
    const app::GoldenScore score = compare_with_golden(golden, first, precision == PrecisionChoice::FP16);
    EXPECT_TRUE(score.passed) << "relative L2 " << score.relative_l2 << ", agreement " << score.class_agreement;
    EXPECT_EQ(runner.scores(app::golden_input(golden)).data, first.data) << "two runs differ";
}

class Golden : public EachDriver {
protected:
    /// The large cases take SwiftShader half a minute each; `vkseg verify` runs those.
    void run(PrecisionChoice precision) {
        const auto cases = stored_cases();
        if (cases.empty()) GTEST_SKIP() << golden_root << " is absent";
        for (const app::GoldenCase& golden : cases)
            if (is_known(golden.network) && (is_small(golden) || driver().name != "swiftshader"))
                expect_golden(golden, &context(), precision);
    }
};

TEST_P(Golden, SinglePrecision) {
    run(PrecisionChoice::FP32);
}
TEST_P(Golden, HalfPrecision) {
    run(PrecisionChoice::FP16);
}

TEST_P(Golden, APhotoGivesThePublishedMask) {
    const auto photo = golden_root / "images/frankfurt_000000_000294_2048x1024.png";
    if (!std::filesystem::exists(photo)) GTEST_SKIP() << photo << " is absent";
    if (driver().name == "swiftshader") GTEST_SKIP() << "half a minute on this driver";
    ModelOptions model;
    model.weights = golden_root / "weights/espnet_p2_q8_cityscapes.pth";
    Runner runner(load_model(model), &context(), {PrecisionChoice::FP32, {}});
    const app::Image picture = app::read_image(photo);
    const app::Image wanted =
        app::read_image(golden_root / "segment/frankfurt_000000_000294_espnet_p2_q8_labels_1024x512.png");
    SegmentationOptions options;
    options.picture_width = picture.width;
    options.picture_height = picture.height;
    options.network_width = 1024;
    options.network_height = 512;
    const auto labels = runner.segment(picture.pixels, options)[0];
    size_t agreeing = 0;
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x)
            agreeing += labels[static_cast<size_t>(y * picture.width + x)] == *wanted.at(x / 2, y / 2);
    EXPECT_GE(static_cast<double>(agreeing) / static_cast<double>(labels.size()), 0.999);
}

INSTANTIATE_TEST_SUITE_P(, Golden, each_driver(), driver_name);

TEST(GoldenReference, SmallCases) {
    const auto cases = stored_cases();
    if (cases.empty()) GTEST_SKIP() << golden_root << " is absent";
    for (const app::GoldenCase& golden : cases)
        if (is_known(golden.network) && is_small(golden)) expect_golden(golden, nullptr, PrecisionChoice::FP32);
}

class Pictures : public EachDriver {};

TEST_P(Pictures, DeviceAndReferenceAgreeOnMaskColoursAndConfidence) {
    const auto model =
        load_model({.network = "espnet", .config = {{"alpha3", 1.0}}, .weights = {}, .disabled_passes = {}}, 96, 64);
    Runner device(model, &context(), {PrecisionChoice::FP32, {}}), plain(model, nullptr);
    app::Image picture(131, 87, 3);
    for (size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<uint8_t>(i * 97 % 251);
    for (Sampling sampling : {Sampling::Nearest, Sampling::Bilinear}) {
        SegmentationOptions options;
        options.picture_width = picture.width;
        options.picture_height = picture.height;
        options.network_width = 96;
        options.network_height = 64;
        options.upsampling = sampling;
        options.confidence = options.colour = options.overlay = true;
        for (uint32_t i = 0; i < 20; ++i) options.palette.push_back(0xff000000u | i * 0x0a0b0cu);
        const auto found = device.segment(picture.pixels, options);
        const auto wanted = plain.segment(picture.pixels, options);
        ASSERT_EQ(found.size(), 4u);
        const size_t pixels = wanted[0].size();
        size_t same = 0, close = 0;
        for (size_t i = 0; i < pixels; ++i) {
            same += found[0][i] == wanted[0][i];
            close += std::abs(found[1][i] - wanted[1][i]) <= 1;
        }
        // Scores that are equal but for rounding may name another class.
        EXPECT_GE(same, pixels - 2);
        EXPECT_GE(close, pixels - 2);
        if (same == pixels) {
            EXPECT_TRUE(std::ranges::equal(found[2], wanted[2]));
            EXPECT_TRUE(std::ranges::equal(found[3], wanted[3]));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, Pictures, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
