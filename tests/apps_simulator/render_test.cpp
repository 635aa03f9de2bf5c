#include "apps/common/label_map.hpp"
#include "apps/common/labelled_pictures.hpp"
#include "apps/simulator/gpu/readback.hpp"
#include "apps/simulator/headless.hpp"
#include "tests/apps_simulator/cpu_labels.hpp"
#include "tests/apps_simulator/simulator_test.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace vkseg::sim {
namespace {

struct Drawn {
    std::vector<app::Image> pictures, labels;
};

Drawn draw(const Gpu& gpu, const RendererOptions& options, uint64_t count,
           const std::function<Frame(uint64_t)>& frame) {
    Drawn drawn;
    Renderer renderer(gpu, options);
    render_frames(gpu, renderer, count, frame,
                  [&](uint64_t number, const app::Image& picture, const app::Image& labels) {
                      EXPECT_EQ(number, drawn.pictures.size());
                      drawn.pictures.push_back(picture);
                      drawn.labels.push_back(labels);
                  });
    return drawn;
}

class SimulatorRender : public SimulatorTest {};

class SimulatorDrive : public SimulatorTest {
    [[nodiscard]] bool draws_on_slow_drivers() const override { return true; }
};

TEST_P(SimulatorDrive, ThirtyFramesUnderValidation) {
    World world(21);
    RendererOptions options;
    options.size = {256, 128};
    const uint64_t count = is_slow() ? 2 : 30;
    const Drawn drawn =
        draw(gpu(), options, count, [&](uint64_t n) { return world.drive(static_cast<float>(n) * 0.1f); });
    ASSERT_EQ(drawn.pictures.size(), count);
    for (size_t i = 1; i < count; ++i) EXPECT_NE(drawn.pictures[i].pixels, drawn.pictures[i - 1].pixels) << i;
    // Not one flat colour.
    const auto [least, most] = std::minmax_element(drawn.pictures[0].pixels.begin(), drawn.pictures[0].pixels.end());
    EXPECT_GT(*most - *least, 80);
}

TEST_P(SimulatorRender, OneSeedGivesTheSameBits) {
    constexpr uint64_t count = 4;
    RendererOptions options;
    options.size = {320, 160};
    const auto frame = [](uint64_t number) { return dataset_frame(9, "train", number); };
    const Drawn once = draw(gpu(), options, count, frame), again = draw(gpu(), options, count, frame);
    for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(once.pictures[i].pixels, again.pictures[i].pixels) << i;
        EXPECT_EQ(once.labels[i].pixels, again.labels[i].pixels) << i;
    }
    const Drawn other = draw(gpu(), options, 1, [](uint64_t number) { return dataset_frame(10, "train", number); });
    EXPECT_NE(once.labels[0].pixels, other.labels[0].pixels);
}

/// Pixels whose class is the same all around in both maps, and those of them where the maps differ.
struct Difference {
    size_t inner = 0, different = 0;
    std::map<std::pair<int, int>, size_t> pairs;  ///< how often a label of one stands for a label of the other

    [[nodiscard]] std::string text() const {
        std::string text = std::to_string(different) + " of " + std::to_string(inner);
        for (const auto& [pair, count] : pairs)
            text += ", " + std::to_string(pair.first) + " for " + std::to_string(pair.second) + ": " +
                    std::to_string(count);
        return text;
    }
};

Difference compare(const app::Image& a, const app::Image& b, const app::Image* except) {
    Difference result;
    const auto flat = [](const app::Image& image, int x, int y) {
        for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx)
                if (*image.at(x + dx, y + dy) != *image.at(x, y)) return false;
        return true;
    };
    for (int y = 1; y + 1 < a.height; ++y)
        for (int x = 1; x + 1 < a.width; ++x) {
            if ((except != nullptr && *except->at(x, y) != 0) || !flat(a, x, y) || !flat(b, x, y)) continue;
            ++result.inner;
            if (*a.at(x, y) == *b.at(x, y)) continue;
            ++result.different;
            ++result.pairs[{*a.at(x, y), *b.at(x, y)}];
        }
    return result;
}

TEST_P(SimulatorRender, LabelsAreThoseOfARasteriserOfItsOwn) {
    RendererOptions options;
    options.size = {384, 192};
    options.samples = 1;
    const auto frame = [](uint64_t number) { return dataset_frame(31, "val", number); };
    constexpr uint64_t count = 4;
    const Drawn drawn = draw(gpu(), options, count, frame);
    for (uint64_t i = 0; i < count; ++i) {
        const test::CpuLabels expected = test::draw_labels(frame(i), 384, 192);
        const Difference found = compare(drawn.labels[i], expected.labels, &expected.leaves);
        EXPECT_GT(found.inner, 384u * 192 / 4) << i;
        // Two surfaces at the same depth may be told apart either way.
        EXPECT_LT(found.different, found.inner / 1000) << "picture " << i << ": " << found.text();
    }
}

TEST_P(SimulatorRender, SmoothPicturesHaveTheLabelsOfOneSample) {
    const auto frame = [](uint64_t number) { return dataset_frame(32, "val", number); };
    RendererOptions options;
    options.size = {384, 192};
    constexpr uint64_t count = 2;
    const Drawn smooth = draw(gpu(), options, count, frame);
    options.samples = 1;
    const Drawn plain = draw(gpu(), options, count, frame);
    for (size_t i = 0; i < count; ++i) {
        const Difference found = compare(smooth.labels[i], plain.labels[i], nullptr);
        EXPECT_GT(found.inner, 384u * 192 / 4);
        EXPECT_LT(found.different, found.inner / 500) << found.text();
        for (const uint8_t label : smooth.labels[i].pixels)
            ASSERT_TRUE(
                std::any_of(classes.begin(), classes.end(),
                            [&](const SimulatedClass& each) { return static_cast<uint8_t>(each.label) == label; }))
                << "a label between two classes: " << int{label};
    }
}

TEST_P(SimulatorRender, EveryClassIsSeen) {
    RendererOptions options;
    options.size = {256, 128};
    options.samples = 1;
    ClassStatistics statistics;
    Renderer renderer(gpu(), options);
    render_frames(
        gpu(), renderer, 30, [](uint64_t number) { return dataset_frame(1, "train", number); },
        [&](uint64_t, const app::Image&, const app::Image& labels) { statistics.add(labels); });
    for (const SimulatedClass& each : classes)
        EXPECT_GT(statistics.pixels(each.label), statistics.all_pixels() / 5000) << each.name;
}

TEST_P(SimulatorRender, DatasetIsLaidOutLikeCityscapes) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("vkseg_simulator_" + std::to_string(getpid()));
    RendererOptions options;
    options.size = {128, 64};
    Renderer renderer(gpu(), options);
    (void)write_dataset(gpu(), renderer, {folder, 3, 5, 77, "val"});
    const auto pairs =
        app::find_labelled_pictures((folder / "leftImg8bit" / "val").string(), folder / "gtFine" / "val", true);
    ASSERT_EQ(pairs.size(), 3u);
    EXPECT_EQ(pairs[0].picture, folder / "leftImg8bit/val/sim77/sim77_000005_000000_leftImg8bit.png");
    EXPECT_EQ(pairs[0].labels, folder / "gtFine/val/sim77/sim77_000005_000000_gtFine_labelIds.png");
    for (const auto& [picture, labels] : pairs) {
        EXPECT_EQ(app::read_image(picture).width, 128);
        const app::Image ids = app::read_label_map(labels);
        EXPECT_EQ(ids.height, 64);
        for (const uint8_t id : ids.pixels) ASSERT_TRUE(id >= 7 && id <= 33) << int{id};
    }
    std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(, SimulatorDrive, vkseg::test::each_driver(), vkseg::test::driver_name);
INSTANTIATE_TEST_SUITE_P(, SimulatorRender, vkseg::test::each_driver(), vkseg::test::driver_name);

}  // namespace
}  // namespace vkseg::sim
