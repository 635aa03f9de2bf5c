#include "apps/simulator/headless.hpp"
#include "graph/ir/error.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

using namespace vkseg::sim;

struct Options {
    bool headless = false, validation = false, statistics = false;
    std::string dataset, output = "simulator-output", size, split = "train", device;
    uint64_t frames = 30, count = 100, first = 0, seed = 1;
    uint32_t samples = 4;
};

VkExtent2D parse_size(const std::string& text) {
    unsigned width = 0, height = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%ux%u%c", &width, &height, &rest) != 2 || width < 16 || height < 16 ||
        width > 8192 || height > 8192)
        throw vkseg::error("--size is WxH with 16 to 8192 pixels a side, found '{}'", text);
    return {width, height};
}

int report_messages(Gpu& gpu) {
    const std::vector<std::string> messages = gpu.take_messages();
    for (const std::string& message : messages) std::fprintf(stderr, "%s\n", message.c_str());
    if (!messages.empty()) std::fprintf(stderr, "%zu messages of the validation layer\n", messages.size());
    return messages.empty() ? 0 : 1;
}

int run(const Options& options) {
    if (!options.headless && options.dataset.empty())
        throw vkseg::error("say what to do: --headless -o DIR or --dataset DIR");
    if (options.split != "train" && options.split != "val" && options.split != "test")
        throw vkseg::error("--split is train, val or test, found '{}'", options.split);
    GpuOptions gpu_options;
    gpu_options.device = options.device;
    gpu_options.validation = options.validation;
    Gpu gpu(gpu_options);
    ClassStatistics statistics;
    {
        RendererOptions renderer_options;
        renderer_options.samples = options.samples;
        renderer_options.size = parse_size(!options.size.empty() ? options.size : "1024x512");
        Renderer renderer(gpu, renderer_options);
        if (!options.dataset.empty())
            statistics = write_dataset(gpu, renderer,
                                       {options.dataset, options.count, options.first, options.seed, options.split});
        else
            statistics = write_drive(gpu, renderer, {options.output, options.frames, options.seed});
    }
    if (options.statistics) std::fputs(statistics.table().c_str(), stdout);
    return report_messages(gpu);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("A driving simulator that draws a city with Vulkan and knows the class of every pixel");
    Options options;
    app.add_flag("--headless", options.headless, "Draw a drive into files, without a window");
    app.add_option("--frames", options.frames, "Frames of the drive")->capture_default_str();
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
