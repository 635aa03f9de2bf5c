#include "apps/simulator/live/segment_drive.hpp"

#include "apps/common/atomic_file.hpp"
#include "apps/common/progress.hpp"
#include "apps/simulator/classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>

namespace vkseg::sim {

namespace {

struct Row {
    double wall_ms = 0;
    FrameTimes times;
    SegmentationProgress progress;
};

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto index = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index), values.end());
    return values[index];
}

/// True where the network's classes are Cityscapes' 19 in their order, so that its indices are train ids.
bool knows_classes(const ClassList& list) {
    if (list.classes.size() < classes.size()) return false;
    return std::equal(classes.begin(), classes.end(), list.classes.begin(),
                      [](const SimulatedClass& a, const ClassInfo& b) { return b.name == a.name; });
}

class Agreement {
public:
    void add(const uint8_t* indices, const app::Image& truth) {
        for (size_t i = 0; i < truth.pixels.size(); ++i) {
            const uint8_t index = indices[i];
            same_ += index < classes.size() && static_cast<uint8_t>(classes[index].label) == truth.pixels[i] ? 1 : 0;
        }
        all_ += truth.pixels.size();
    }
    [[nodiscard]] std::string sentence() const {
        if (all_ == 0) return "";
        return fmt::format("The network names {:.1f} % of the pixels as the simulator does.\n",
                           100.0 * static_cast<double>(same_) / static_cast<double>(all_));
    }

private:
    uint64_t same_ = 0, all_ = 0;
};

std::string summary(const std::vector<Row>& without, const std::vector<Row>& with, const Stage& stage,
                    const Segmentation& segmentation) {
    uint64_t masks = 0;
    for (const Row& row : with) masks += row.progress.finished ? 1 : 0;
    const auto line = [](const char* name, const std::vector<Row>& rows, auto get) {
        std::vector<double> values;
        std::transform(rows.begin(), rows.end(), std::back_inserter(values), get);
        return fmt::format("| {} | {:.2f} | {:.2f} | {:.2f} |\n", name, quantile(values, 0.5), quantile(values, 0.95),
                           quantile(values, 1));
    };
    const auto wall = [](const Row& row) { return row.wall_ms; };
    const auto device = [](const Row& row) { return row.times.device_ms(); };
    const auto slice = [](const Row& row) { return row.times.segmentation_ms; };
    const std::string budget =
        segmentation.mode() == SegmentMode::Sliced
            ? fmt::format(", {:.1f} ms a frame", static_cast<double>(segmentation.budget_us()) / 1000)
            : "";
    std::string text =
        fmt::format("{}, {} {}x{}, {}{}: {} frames, {} masks\n\n", stage.gpu().name(), segmentation.network(),
                    segmentation.network_size().width, segmentation.network_size().height,
                    to_string(segmentation.mode()), budget, with.size(), masks);
    text += "| ms | median | 95 % | worst |\n|---|---|---|---|\n";
    text += line("frame without segmentation, device", without, device);
    text += line("frame with segmentation, device", with, device);
    text += line("segmentation in a frame, device", with, slice);
    text += line("frame without segmentation, submission to end", without, wall);
    text += line("frame with segmentation, submission to end", with, wall);
    return text;
}

}  // namespace

std::string segment_drive(Stage& stage, const DriveOptions& options) {
    std::filesystem::create_directories(options.folder);
    World world(options.seed);
    Segmentation& segmentation = *stage.segmentation();
    const VkExtent2D canvas = stage.composer().size();
    const VkExtent2D size = stage.renderer().size();
    const Buffer pixels(stage.gpu(), VkDeviceSize{4} * canvas.width * canvas.height, VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                        Buffer::Use::Download);
    const Buffer truth(stage.gpu(), VkDeviceSize{size.width} * size.height, VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                       Buffer::Use::Download);
    HudState hud;
    hud.device = stage.gpu().name();
    hud.network = fmt::format("{} {}x{}", segmentation.network(), segmentation.network_size().width,
                              segmentation.network_size().height);
    hud.mode = to_string(segmentation.mode());
    hud.classes = &segmentation.classes();
    hud.scene = fmt::format("city {}, {}x{}", options.seed, size.width, size.height);

    const auto draw = [&](const Frame& frame, bool segment, Row& row, bool read) {
        const ComposeState state;
        if (read)
            stage.composer().set_panel(
                draw_hud(hud, static_cast<int>(canvas.width), static_cast<int>(stage.composer().panel_height())));
        const Stage::Drawn drawn = stage.begin(frame, segment, state);
        if (read) {
            const VkBufferImageCopy whole = whole_image(canvas), labels = whole_image(size);
            vkCmdCopyImageToBuffer(drawn.commands, stage.composer().canvas(), Composer::canvas_after.layout,
                                   pixels.get(), 1, &whole);
            constexpr ImageUse copies{VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT,
                                      VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};
            const VkImage ids = stage.renderer().labels(drawn.slot).get();
            image_barrier(drawn.commands, ids, Segmentation::drawn_from, copies);
            vkCmdCopyImageToBuffer(drawn.commands, ids, copies.layout, truth.get(), 1, &labels);
            host_barrier(drawn.commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
        }
        const auto start = std::chrono::steady_clock::now();
        stage.submit(drawn, VK_NULL_HANDLE, 0, VK_NULL_HANDLE);
        stage.wait(drawn);
        row.wall_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        row.times = stage.times(drawn.slot);
        row.progress = drawn.progress;
    };

    std::vector<Row> without(options.frames), with(options.frames);
    Agreement agreement;
    const bool compares = segmentation.mode() == SegmentMode::SameQueue && knows_classes(segmentation.classes());
    app::Progress progress(options.frames);
    // Drivers compile at first use; that is no frame's cost.
    Row warm_up;
    for (int i = 0; i < 2; ++i) draw(world.drive(0), true, warm_up, i == 1);
    for (uint64_t number = 0; number < options.frames; ++number) {
        const Frame frame = world.drive(static_cast<float>(static_cast<double>(number) / options.frames_per_second));
        const bool segmented_first = number % 2 == 1;
        if (!segmented_first) draw(frame, false, without[number], false);
        draw(frame, true, with[number], true);
        if (segmented_first) draw(frame, false, without[number], false);
        const Row& row = with[number];
        hud.scene_ms = row.times.scene_ms;
        hud.segmentation_ms = row.times.segmentation_ms;
        hud.first_step = row.progress.first_step;
        hud.end_step = row.progress.end_step;
        hud.step_count = row.progress.step_count;
        hud.frame_ms.push_back(static_cast<float>(row.times.device_ms()));

        app::Image picture(static_cast<int>(canvas.width), static_cast<int>(canvas.height), 3);
        for (size_t i = 0; i < picture.pixels.size() / 3; ++i)
            std::memcpy(picture.pixels.data() + 3 * i, pixels.mapped() + 4 * i, 3);
        app::write_png(options.folder / fmt::format("frame_{:06}_overlay.png", number), picture);
        if (compares) {
            app::Image ids(static_cast<int>(size.width), static_cast<int>(size.height), 1);
            std::memcpy(ids.pixels.data(), truth.mapped(), ids.pixels.size());
            agreement.add(segmentation.class_indices(), ids);
        }
        progress.advance();
    }
    progress.finish();

    std::string csv =
        "frame,without_device_ms,with_device_ms,segmentation_device_ms,without_wall_ms,with_wall_ms,first_step,end_"
        "step,finished\n";
    for (uint64_t i = 0; i < options.frames; ++i)
        csv +=
            fmt::format("{},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},{},{},{}\n", i, without[i].times.device_ms(),
                        with[i].times.device_ms(), with[i].times.segmentation_ms, without[i].wall_ms, with[i].wall_ms,
                        with[i].progress.first_step, with[i].progress.end_step, with[i].progress.finished ? 1 : 0);
    const std::string text = summary(without, with, stage, segmentation) + agreement.sentence();
    app::write_file(options.folder / "frame_times.csv", csv);
    app::write_file(options.folder / "frame_times.md", text);
    return text;
}

}  // namespace vkseg::sim
