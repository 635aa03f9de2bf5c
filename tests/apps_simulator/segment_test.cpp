#include "apps/simulator/live/model_source.hpp"
#include "apps/simulator/live/segment_drive.hpp"
#include "runtime/api/baked_model.hpp"
#include "runtime/api/model_loader.hpp"
#include "tests/apps_simulator/simulator_test.hpp"

#include "graph/ir/error.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vkseg::sim {
namespace {

constexpr uint32_t width = 128, height = 64;

/// The fewest layers that ESPNet has, with made-up weights: what it sees means nothing, but it is the same each time.
std::vector<uint8_t> small_network() {
    ModelOptions options;
    options.config = {{"alpha2", 1.0}, {"alpha3", 1.0}};
    const auto model = load_model(options, width, height);
    ClassList list{"made-up", {}};
    for (int i = 0; i < model->classes; ++i)
        list.classes.push_back({"class " + std::to_string(i), {static_cast<uint8_t>(i * 12), 80, 200}, -1});
    return bake(*model, {}, list, true);
}

StageOptions stage_options(SegmentMode mode) {
    StageOptions options;
    options.renderer.size = {width, height};
    options.canvas = {320, 160};
    options.segmentation.mode = mode;
    options.baked = small_network();
    return options;
}

class SimulatorSegment : public SimulatorTest {
protected:
    /// Draws one frame over and over until a mask of it is finished.
    std::vector<uint8_t> mask_of(SegmentMode mode, uint32_t budget_us, int& frames) {
        StageOptions options = stage_options(mode);
        options.segmentation.budget_us = budget_us;
        Stage stage(gpu(), options);
        World world(3);
        const Frame frame = world.drive(1);
        for (frames = 1; frames < 500; ++frames) {
            const Stage::Drawn drawn = stage.begin(frame, true, {});
            stage.submit(drawn, VK_NULL_HANDLE, 0, VK_NULL_HANDLE);
            stage.wait(drawn);
            if (drawn.progress.finished) break;
        }
        gpu().wait_idle();
        EXPECT_LT(frames, 500);
        const uint8_t* indices = stage.segmentation()->class_indices();
        return {indices, indices + size_t{width} * height};
    }
};

TEST_P(SimulatorSegment, EveryModeGivesTheSameMask) {
    int frames = 0;
    const std::vector<uint8_t> whole = mask_of(SegmentMode::SameQueue, 0, frames);
    EXPECT_EQ(frames, 1);
    EXPECT_GT(*std::max_element(whole.begin(), whole.end()), 0);
    const std::vector<uint8_t> sliced = mask_of(SegmentMode::Sliced, 1, frames);
    EXPECT_GT(frames, 5) << "a budget of a microsecond is a step a frame";
    EXPECT_EQ(whole, sliced);
    EXPECT_EQ(whole, mask_of(SegmentMode::Async, 0, frames));
}

TEST_P(SimulatorSegment, ADriveGivesOverlaysAndFrameTimes) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("vkseg_simulator_drive_" + std::to_string(getpid()));
    for (const SegmentMode mode : {SegmentMode::Sliced, SegmentMode::Async}) {
        Stage stage(gpu(), stage_options(mode));
        const std::string text = segment_drive(stage, {folder, 5, 2, 17});
        EXPECT_NE(text.find(to_string(mode)), std::string::npos) << text;
        EXPECT_TRUE(std::filesystem::exists(folder / "frame_000004_overlay.png"));
        std::ifstream csv(folder / "frame_times.csv");
        std::string line;
        int lines = 0;
        while (std::getline(csv, line)) ++lines;
        EXPECT_EQ(lines, 6);
        EXPECT_TRUE(std::filesystem::exists(folder / "frame_times.md"));
        std::filesystem::remove_all(folder);
    }
}

TEST_P(SimulatorSegment, ModesAndCanvasesChangeOnTheWay) {
    Stage stage(gpu(), stage_options(SegmentMode::Sliced));
    World world(6);
    const auto draw = [&](int count) {
        for (int i = 0; i < count; ++i) {
            ComposeState state;
            state.view = static_cast<View>(i % 5);
            state.panel = i % 2 == 0;
            stage.composer().set_panel(draw_hud({}, static_cast<int>(stage.composer().size().width),
                                                static_cast<int>(stage.composer().panel_height())));
            const Stage::Drawn drawn = stage.begin(world.drive(static_cast<float>(i)), i % 3 != 0, state);
            stage.submit(drawn, VK_NULL_HANDLE, 0, VK_NULL_HANDLE);
        }
    };
    draw(4);
    stage.set_mode(SegmentMode::Async);
    draw(4);
    stage.resize_canvas({200, 240});
    stage.set_mode(SegmentMode::SameQueue);
    draw(4);
    gpu().wait_idle();
}

INSTANTIATE_TEST_SUITE_P(, SimulatorSegment, vkseg::test::each_driver(), vkseg::test::driver_name);

TEST(SimulatorModel, MadeUpWeightsAreRefused) {
    const auto refusal = [](const ModelSource& source) -> std::string {
        try {
            (void)load_baked(source);
        } catch (const Error& reason) {
            return reason.what();
        }
        return "";
    };
    if (!default_model()) {
        EXPECT_NE(refusal({}).find("--weights"), std::string::npos);
    }
    ModelSource source;
    source.network = "espnet";
    EXPECT_NE(refusal(source).find("--network espnet needs --weights"), std::string::npos);
    source.baked = "model.vkseg";
    EXPECT_NE(refusal(source).find("--baked"), std::string::npos);
    ModelSource missing;
    missing.baked = "/nowhere/model.vkseg";
    EXPECT_NE(refusal(missing).find("/nowhere/model.vkseg"), std::string::npos);
}

}  // namespace
}  // namespace vkseg::sim
