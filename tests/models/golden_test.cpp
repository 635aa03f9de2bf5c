#include "apps/common/image.hpp"
#include "apps/common/npy.hpp"
#include "apps/vkseg/golden_case.hpp"
#include "graph/fuse/fuse.hpp"
#include "models/network.hpp"
#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"
#include "tests/support/plan_interpreter.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <tuple>

// Whole networks against the outputs of the published code, on every driver. The stored cases are not part of the
// repository: tests that need them are skipped where they are absent.

namespace vkseg::test {
namespace {

const std::filesystem::path golden_root = VKSEG_GOLDEN_DIR;

bool is_small(const app::GoldenCase& golden) {
    return golden.width * golden.height <= 256 * 256;
}

bool is_known(const std::string& name) {
    return std::ranges::any_of(networks(), [&](const NetworkInfo* info) { return info->name == name; });
}

/// "espnet/p2_q8_cityscapes_256x128", ...; one empty name where there are none, so that a test can say so.
std::vector<std::string> stored_cases() {
    std::vector<std::string> names;
    std::error_code absent;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(golden_root, absent))
        if (entry.path().filename() == "case.json")
            names.push_back(std::filesystem::relative(entry.path().parent_path(), golden_root).string());
    std::ranges::sort(names);
    if (names.empty()) names.emplace_back();
    return names;
}

std::string identifier(std::string name) {
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    return name.empty() ? "none" : name;
}

std::shared_ptr<const Model> model_of(const app::GoldenCase& golden) {
    ModelOptions options;
    options.network = golden.network;
    options.config = golden.config;
    options.weights = golden.weights;
    return load_model(options, golden.width, golden.height);
}

void expect_scores(const app::GoldenCase& golden, const Tensor& scores, bool fp16) {
    const app::GoldenScore score = compare_with_golden(golden, scores, fp16);
    EXPECT_TRUE(score.passed) << "relative L2 " << score.relative_l2 << ", agreement " << score.class_agreement;
    testing::Test::RecordProperty("relative_l2", fmt::format("{:.2e}", score.relative_l2));
    testing::Test::RecordProperty("class_flips", static_cast<int>(score.class_flips));
}

/// Share of pixels at which `labels` name the class of the nearest pixel of the mask.
double agreement(std::span<const uint8_t> labels, int width, int height, const app::Image& mask) {
    size_t agreeing = 0;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            agreeing += labels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] ==
                        *mask.at((2 * x + 1) * mask.width / (2 * width), (2 * y + 1) * mask.height / (2 * height));
    return static_cast<double>(agreeing) / (static_cast<double>(width) * height);
}

SegmentationOptions segmentation(int picture_width, int picture_height, int width, int height) {
    SegmentationOptions options;
    options.picture_width = picture_width;
    options.picture_height = picture_height;
    options.network_width = width;
    options.network_height = height;
    return options;
}

/// Every case on every driver.
class Golden : public VulkanTest, public testing::WithParamInterface<std::tuple<const Driver*, std::string>> {
protected:
    Golden() : VulkanTest(*std::get<0>(GetParam())) {}
    void SetUp() override {
        const std::string& name = std::get<1>(GetParam());
        if (name.empty()) GTEST_SKIP() << golden_root << " is absent";
        golden_ = app::read_golden_case(golden_root / name);
        if (!is_known(golden_.network)) GTEST_SKIP() << "there is no network '" << golden_.network << "'";
        if (is_slow() && !is_small(golden_)) GTEST_SKIP() << "half a minute on this driver; see vkseg verify";
        VulkanTest::SetUp();
    }
    [[nodiscard]] bool is_slow() const { return driver().name == "swiftshader"; }
    [[nodiscard]] const app::GoldenCase& golden() const { return golden_; }

private:
    app::GoldenCase golden_;
};

TEST_P(Golden, SinglePrecision) {
    Runner runner(model_of(golden()), &context(), {PrecisionChoice::FP32, {}});
    const Tensor input = golden_input(golden());
    const Tensor scores = runner.scores(input);
    expect_scores(golden(), scores, false);
    if (is_slow()) return;
    EXPECT_EQ(runner.scores(input).data, scores.data) << "two runs differ";
}

TEST_P(Golden, HalfPrecision) {
    if (is_slow() && golden().network != "espnet") GTEST_SKIP() << "some ten seconds on this driver";
    Runner runner(model_of(golden()), &context(), {PrecisionChoice::FP16, {}});
    expect_scores(golden(), runner.scores(golden_input(golden())), true);
}

/// The kernels and fusions of GPUs, where the driver would take others.
TEST_P(Golden, InTheFormOfGpus) {
    if (is_slow() && golden().network != "espnet") GTEST_SKIP() << "some ten seconds on this driver";
    for (const PrecisionChoice precision : {PrecisionChoice::FP32, PrecisionChoice::FP16}) {
        const bool fp16 = precision == PrecisionChoice::FP16;
        if (fp16 && !is_small(golden())) continue;
        SCOPED_TRACE(fp16 ? "fp16" : "fp32");
        Runner runner(model_of(golden()), &context(), {precision, {"cpu_shaped"}});
        expect_scores(golden(), runner.scores(golden_input(golden())), fp16);
    }
}

/// Products in 16 bits, which round about as much again as storage does.
TEST_P(Golden, HalfPrecisionArithmetic) {
    if (!is_small(golden())) GTEST_SKIP() << "the small cases are enough";
    if (!context().facts().fp16_arithmetic) GTEST_SKIP() << context().facts().name << " has no fp16 arithmetic";
    RunnerOptions options{PrecisionChoice::FP16, {"cpu_shaped"}};
    options.arithmetic = Arithmetic::FP16;
    Runner runner(model_of(golden()), &context(), options);
    const Tensor scores = runner.scores(golden_input(golden()));
    const app::GoldenScore score = compare_with_golden(golden(), scores, true);
    RecordProperty("relative_l2", fmt::format("{:.2e}", score.relative_l2));
    RecordProperty("class_agreement", fmt::format("{:.4f}", score.class_agreement));
    EXPECT_LE(score.relative_l2, 3e-3);
    const auto pixels = static_cast<size_t>(scores.shape[1] * scores.shape[2]);
    EXPECT_LE(static_cast<size_t>(score.class_flips), std::max<size_t>(1, pixels / 1000));
}

/// The picture's bytes instead of a prepared tensor, and classes instead of scores.
TEST_P(Golden, PixelsToClasses) {
    if (!golden().labels) GTEST_SKIP() << "a classifier has no mask";
    if (is_slow() && golden().network != "espnet") GTEST_SKIP() << "some ten seconds on this driver";
    const app::Image picture = app::read_image(golden().image), mask = app::read_image(*golden().labels);
    Runner runner(model_of(golden()), &context(), {PrecisionChoice::FP32, {}});
    const auto labels =
        runner.segment(picture.pixels, segmentation(picture.width, picture.height, picture.width, picture.height))[0];
    EXPECT_GE(agreement(labels, picture.width, picture.height, mask), 0.9999);
}

/// Masks as the network's authors make them, of scores that are smaller than the picture.
TEST_P(Golden, PixelsToPublishedMasks) {
    if (!golden().labels || golden().output_shape[2] == golden().width) GTEST_SKIP() << "no mask is upsampled";
    if (golden().logits_stride != 1) GTEST_SKIP() << "not all scores are stored";
    const app::Image picture = app::read_image(golden().image);
    const auto model = model_of(golden());
    Runner runner(model, &context(), {PrecisionChoice::FP32, {}});
    SegmentationOptions options = segmentation(picture.width, picture.height, picture.width, picture.height);
    options.upsampling = model->mask_sampling;
    const auto labels = runner.segment(picture.pixels, options)[0];

    Graph stored;
    const ValueId scores = stored.add_input("scores", {ValueKind::Features, golden().output_shape});
    const SizeRule size{.fixed = {picture.height, picture.width}};
    stored.outputs = {stored.add("labels", Argmax{network(golden().network).mask_sampling, size}, {scores})};
    const HostValue logits{stored.desc(scores), app::read_npy(golden().logits).data, {}};
    const std::vector<uint8_t> wanted = run_reference(stored, std::span(&logits, 1))[0].bytes;
    size_t same = 0;
    for (size_t i = 0; i < wanted.size(); ++i) same += labels[i] == wanted[i];
    EXPECT_GE(same, wanted.size() - wanted.size() / 1000);
}

INSTANTIATE_TEST_SUITE_P(, Golden, testing::Combine(each_driver(), testing::ValuesIn(stored_cases())),
                         [](const auto& info) {
                             return std::get<0>(info.param)->name + "_" + identifier(std::get<1>(info.param));
                         });

/// Each fusion left out alone; with all of them is what every other test runs.
class FusionOff : public VulkanTest, public testing::WithParamInterface<std::tuple<const Driver*, std::string>> {
protected:
    FusionOff() : VulkanTest(*std::get<0>(GetParam())) {}
};

TEST_P(FusionOff, KeepsTheNumbers) {
    RunnerOptions options{PrecisionChoice::FP32, {}};
    options.disabled_fusions = {std::get<1>(GetParam())};
    bool found = false;
    for (const char* name : {"espnet/p2_q8_cityscapes_256x128", "espnetv2_seg/s0.5_psp_random_256x128"}) {
        if (!std::filesystem::exists(golden_root / name / "case.json")) continue;
        SCOPED_TRACE(name);
        found = true;
        const app::GoldenCase golden = app::read_golden_case(golden_root / name);
        const auto model = model_of(golden);
        expect_scores(golden, Runner(model, &context(), options).scores(golden_input(golden)), false);
        const app::Image picture = app::read_image(golden.image), mask = app::read_image(*golden.labels);
        Runner runner(model, &context(), options);
        const auto labels = runner.segment(
            picture.pixels, segmentation(picture.width, picture.height, picture.width, picture.height))[0];
        EXPECT_GE(agreement(labels, picture.width, picture.height, mask), 0.9999);
        if (driver().name == "swiftshader") break;
    }
    if (!found) GTEST_SKIP() << golden_root << " is absent";
}

INSTANTIATE_TEST_SUITE_P(, FusionOff, testing::Combine(each_driver(), testing::ValuesIn(fusion_names())),
                         [](const auto& info) {
                             return std::get<0>(info.param)->name + "_" + std::get<1>(info.param);
                         });

class Photos : public EachDriver {};

TEST_P(Photos, GiveThePublishedMask) {
    const auto photo = golden_root / "images/frankfurt_000000_000294_2048x1024.png";
    if (!std::filesystem::exists(photo)) GTEST_SKIP() << photo << " is absent";
    if (driver().name == "swiftshader") GTEST_SKIP() << "half a minute on this driver";
    ModelOptions model;
    model.weights = golden_root / "weights/espnet_p2_q8_cityscapes.pth";
    Runner runner(load_model(model), &context(), {PrecisionChoice::FP32, {}});
    const app::Image picture = app::read_image(photo);
    const app::Image mask =
        app::read_image(golden_root / "segment/frankfurt_000000_000294_espnet_p2_q8_labels_1024x512.png");
    const auto labels = runner.segment(picture.pixels, segmentation(picture.width, picture.height, 1024, 512))[0];
    EXPECT_GE(agreement(labels, picture.width, picture.height, mask), 0.999);
}

INSTANTIATE_TEST_SUITE_P(, Photos, each_driver(), driver_name);

class SmallGolden : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (GetParam().empty()) GTEST_SKIP() << golden_root << " is absent";
        golden_ = app::read_golden_case(golden_root / GetParam());
        if (!is_small(golden_)) GTEST_SKIP() << "too large for plain loops";
        if (!is_known(golden_.network)) GTEST_SKIP() << "there is no network '" << golden_.network << "'";
    }
    [[nodiscard]] const app::GoldenCase& golden() const { return golden_; }

private:
    app::GoldenCase golden_;
};

TEST_P(SmallGolden, ByTheReference) {
    Runner runner(model_of(golden()), nullptr);
    expect_scores(golden(), runner.scores(golden_input(golden())), false);
}

/// The same plans as devices get, carried out by the interpreter: what differs here is no driver's doing.
TEST_P(SmallGolden, ByInterpretedPlans) {
    if (golden().network != "espnet") GTEST_SKIP() << "one network is enough for what takes seconds";
    const auto model = model_of(golden());
    const Tensor input = golden_input(golden());
    std::vector<uint8_t> bytes(input.data.size() * sizeof(float));
    std::memcpy(bytes.data(), input.data.data(), bytes.size());
    for (const char* device : {"lavapipe", "swiftshader", "minimal"}) {
        SCOPED_TRACE(device);
        const Plan plan = compile(model->simplified, paper_device(device));
        const auto found = interpret(plan, pack_weights(plan, model->simplified), {bytes});
        Tensor scores(model->simplified.desc(model->simplified.outputs[0]).shape);
        std::memcpy(scores.data.data(), found[0].data(), scores.data.size() * sizeof(float));
        EXPECT_LE(compare_with_golden(golden(), scores, false).relative_l2, 1e-5);
    }
}

INSTANTIATE_TEST_SUITE_P(, SmallGolden, testing::ValuesIn(stored_cases()),
                         [](const auto& info) { return identifier(info.param); });

class Pictures : public EachDriver {};

TEST_P(Pictures, DeviceAndReferenceAgreeOnMaskColoursAndConfidence) {
    const auto model =
        load_model({.network = "espnet", .config = {{"alpha3", 1.0}}, .weights = {}, .disabled_passes = {}}, 96, 64);
    Runner device(model, &context(), {PrecisionChoice::FP32, {}}), plain(model, nullptr);
    app::Image picture(131, 87, 3);
    for (size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<uint8_t>(i * 97 % 251);
    for (Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::BilinearAligned}) {
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
