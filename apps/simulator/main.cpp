#include "apps/simulator/headless.hpp"
#include "apps/simulator/live/model_source.hpp"
#include "apps/simulator/live/segment_drive.hpp"
#ifdef VKSEG_SIMULATOR_WINDOW
#include "apps/simulator/live/window.hpp"
#endif
#include "graph/ir/error.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace {

using namespace vkseg::sim;

struct Options {
    bool headless = false, validation = false, statistics = false, segment = false, no_segment = false,
         help_panel = false;
    std::string dataset, output = "simulator-output", size, window_size = "1600x600", split = "train", device;
    std::string mode = "sliced", network_size, screenshot, view = "both";
    ModelSource model;
    double budget_ms = 2;
    uint64_t frames = 0, count = 100, first = 0, seed = 1;
    uint32_t samples = 4;
};

VkExtent2D parse_size(const char* option, const std::string& text) {
    unsigned width = 0, height = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%ux%u%c", &width, &height, &rest) != 2 || width < 16 || height < 16 ||
        width > 8192 || height > 8192)
        throw vkseg::error("{} is WxH with 16 to 8192 pixels a side, found '{}'", option, text);
    return {width, height};
}

int report_messages(Gpu& gpu) {
    const std::vector<std::string> messages = gpu.take_messages();
    for (const std::string& message : messages) std::fprintf(stderr, "%s\n", message.c_str());
    if (!messages.empty()) std::fprintf(stderr, "%zu messages of the validation layer\n", messages.size());
    return messages.empty() ? 0 : 1;
}

RendererOptions renderer_options(const Options& options) {
    RendererOptions renderer;
    renderer.samples = options.samples;
    renderer.size = parse_size("--size", !options.size.empty() ? options.size : "1024x512");
    return renderer;
}

StageOptions stage_options(const Options& options, bool segment) {
    StageOptions stage;
    stage.renderer = renderer_options(options);
    stage.canvas = parse_size("--window", options.window_size);
    stage.segmentation.mode = parse_mode(options.mode);
    if (!(options.budget_ms >= 0.05 && options.budget_ms <= 1000))
        throw vkseg::error("--budget-ms is 0.05 to 1000 milliseconds, found {}", options.budget_ms);
    stage.segmentation.budget_us = static_cast<uint32_t>(options.budget_ms * 1000);
    if (!options.network_size.empty()) {
        const VkExtent2D size = parse_size("--network-size", options.network_size);
        stage.segmentation.network_width = size.width;
        stage.segmentation.network_height = size.height;
    }
    if (segment) stage.baked = load_baked(options.model);
    return stage;
}

int run_segmented(const Options& options) {
    const StageOptions stage = stage_options(options, true);
    GpuOptions gpu_options;
    gpu_options.device = options.device;
    gpu_options.validation = options.validation;
    gpu_options.second_queue = true;
    Gpu gpu(gpu_options);
    {
        Stage drawn(gpu, stage);
        const std::string text =
            segment_drive(drawn, {options.output, options.frames == 0 ? 30 : options.frames, options.seed});
        std::fputs(text.c_str(), stdout);
    }
    return report_messages(gpu);
}

#ifdef VKSEG_SIMULATOR_WINDOW
int run_in_window(const Options& options) {
    WindowOptions window;
    window.stage = stage_options(options, !options.no_segment);
    window.device = options.device;
    window.validation = options.validation;
    window.seed = options.seed;
    window.frames = options.frames;
    window.screenshot = options.screenshot;
    window.help = options.help_panel;
    if (!options.screenshot.empty() && options.frames == 0) window.frames = 30;
    // Pictures for files do not depend on how fast the machine is.
    if (!options.screenshot.empty()) window.fixed_step_s = 1.0 / 17;
    const char* const views[] = {"both", "picture", "overlay", "mask", "truth"};
    const auto found = std::find(std::begin(views), std::end(views), options.view);
    if (found == std::end(views))
        throw vkseg::error("--view is both, picture, overlay, mask or truth, found '{}'", options.view);
    window.view = static_cast<View>(found - std::begin(views));
    return run_window(window) == 0 ? 0 : 1;
}
#endif

int run(const Options& options) {
    if (options.split != "train" && options.split != "val" && options.split != "test")
        throw vkseg::error("--split is train, val or test, found '{}'", options.split);
    if (!options.headless && options.dataset.empty()) {
#ifdef VKSEG_SIMULATOR_WINDOW
        return run_in_window(options);
#else
        throw vkseg::error("this program was built without SDL2 and has no window: use --headless or --dataset DIR");
#endif
    }
    if (options.headless && options.segment) return run_segmented(options);
    GpuOptions gpu_options;
    gpu_options.device = options.device;
    gpu_options.validation = options.validation;
    Gpu gpu(gpu_options);
    ClassStatistics statistics;
    {
        Renderer renderer(gpu, renderer_options(options));
        if (!options.dataset.empty())
            statistics = write_dataset(gpu, renderer,
                                       {options.dataset, options.count, options.first, options.seed, options.split});
        else
            statistics =
                write_drive(gpu, renderer, {options.output, options.frames == 0 ? 30 : options.frames, options.seed});
    }
    if (options.statistics) std::fputs(statistics.table().c_str(), stdout);
    return report_messages(gpu);
}

std::string keys() {
    std::string text = "Keys and mouse:\n";
    for (const auto& [key, meaning] : controls()) text += fmt::format("  {:<10} {}\n", key, meaning);
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "A driving simulator that draws a city with Vulkan, knows the class of every pixel, and segments its own "
        "frames with vkseg");
    app.footer(keys());
    Options options;
    app.add_flag("--headless", options.headless, "Draw a drive into files, without a window");
    app.add_flag("--segment", options.segment,
                 "With --headless: segment the drive, and write overlays and frame times");
    app.add_option("--frames", options.frames, "Frames of the drive (30; in a window, until it is closed)");
    app.add_option("-o,--output", options.output, "Folder for the frames")->type_name("DIR")->capture_default_str();
    app.add_option("--dataset", options.dataset,
                   "Write pictures and label maps of many cities, laid out like Cityscapes")
        ->type_name("DIR");
    app.add_option("--count", options.count, "Pictures of the data set")->capture_default_str();
    app.add_option("--first", options.first, "Number of its first picture, to go on where another run ended")
        ->capture_default_str();
    app.add_option("--split", options.split, "train, val or test; they share no city")->capture_default_str();
    app.add_option("--seed", options.seed, "The city; all else follows from it")->capture_default_str();
    app.add_option("--size", options.size, "Size of the pictures (1024x512)")->type_name("WxH");
    app.add_option("--samples", options.samples, "Samples of a pixel's colour: 1, 2, 4 or 8")->capture_default_str();
    app.add_option("--baked", options.model.baked, "What segments: a file of 'vkseg bake'")->type_name("FILE");
    app.add_option("--network", options.model.network, "Or a network (espnet), with --weights")->type_name("NAME");
    app.add_option("--weights", options.model.weights, "Its weights: .pth or .safetensors")->type_name("FILE");
    app.add_option("--config", options.model.config, "Its configuration as JSON")->type_name("JSON");
    app.add_option("--network-size", options.network_size, "Size that the network sees (its default)")
        ->type_name("WxH");
    app.add_option("--mode", options.mode,
                   "same-queue: with each frame; async: beside the frames; sliced: a part a frame")
        ->type_name("same-queue|async|sliced")
        ->capture_default_str();
    app.add_option("--budget-ms", options.budget_ms, "What a slice may take of a frame")->capture_default_str();
    app.add_flag("--no-segment", options.no_segment, "Window: pictures and true labels alone");
    app.add_option("--window", options.window_size, "Size of the window, and of the overlay pictures")
        ->type_name("WxH")
        ->capture_default_str();
    app.add_option("--view", options.view, "What the window shows at first")
        ->type_name("both|picture|overlay|mask|truth")
        ->capture_default_str();
    app.add_option("--screenshot", options.screenshot, "Write the window after --frames (30) and end")
        ->type_name("FILE");
    app.add_flag("--keys", options.help_panel, "Window: begin with the keys in the panel");
    app.add_option("--device", options.device, "Part of a device's name. Else VKSEG_DEVICE, else the first")
        ->type_name("INDEX|NAME");
    app.add_flag("--statistics", options.statistics, "Print how much of the pictures each class takes");
    app.add_flag("--validation", options.validation, "Check every call with the Khronos layer");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& reason) {
        std::fprintf(stderr, "vkseg-simulator: %s\n", reason.what());
        return 1;
    }
}
