#include "apps/simulator/headless.hpp"

#include "apps/common/progress.hpp"
#include "apps/simulator/gpu/readback.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>

namespace vkseg::sim {

void render_frames(const Gpu& gpu, Renderer& renderer, uint64_t count, const std::function<Frame(uint64_t)>& frame,
                   const std::function<void(uint64_t, app::Image, app::Image)>& done) {
    const Readback readback(gpu, renderer);
    Submissions submissions(gpu, renderer.slots());
    const uint64_t slots = renderer.slots();
    const auto finish = [&](uint64_t number) {
        const auto slot = static_cast<uint32_t>(number % slots);
        submissions.wait(slot);
        done(number, readback.picture(slot), readback.labels(slot));
    };
    for (uint64_t number = 0; number < count; ++number) {
        const Frame next = frame(number);
        const auto slot = static_cast<uint32_t>(number % slots);
        const VkCommandBuffer commands = submissions.begin(slot);
        renderer.record(commands, slot, next);
        readback.record(commands, slot);
        submissions.submit(slot, gpu.queue());
        if (number + 1 >= slots) finish(number + 1 - slots);
    }
    for (uint64_t number = count - std::min(count, slots - 1); number < count; ++number) finish(number);
}

Frame dataset_frame(uint64_t seed, std::string_view split, uint64_t number) {
    uint64_t key = mix_bits(seed, 900);
    for (const char c : split) key = mix_bits(key, static_cast<uint64_t>(static_cast<unsigned char>(c)));
    World world(mix_bits(key, number));
    return world.snapshot(number);
}

ClassStatistics write_dataset(const Gpu& gpu, Renderer& renderer, const DatasetOptions& options) {
    const std::string city = fmt::format("sim{}", options.seed);
    const std::filesystem::path pictures = options.folder / "leftImg8bit" / options.split / city;
    const std::filesystem::path labels = options.folder / "gtFine" / options.split / city;
    std::filesystem::create_directories(pictures);
    std::filesystem::create_directories(labels);
    ClassStatistics statistics;
    app::Progress progress(options.count);
    render_frames(
        gpu, renderer, options.count,
        [&](uint64_t number) { return dataset_frame(options.seed, options.split, options.first + number); },
        [&](uint64_t number, const app::Image& picture, const app::Image& ids) {
            const std::string name = fmt::format("{}_{:06}_000000", city, options.first + number);
            statistics.add(ids);
            app::write_png(labels / (name + "_gtFine_labelIds.png"), ids);
            app::write_png(pictures / (name + "_leftImg8bit.png"), picture);
            progress.advance();
        });
    progress.finish();
    return statistics;
}

ClassStatistics write_drive(const Gpu& gpu, Renderer& renderer, const DriveOptions& options) {
    std::filesystem::create_directories(options.folder);
    World world(options.seed);
    ClassStatistics statistics;
    app::Progress progress(options.frames);
    render_frames(
        gpu, renderer, options.frames,
        [&](uint64_t number) {
            return world.drive(static_cast<float>(static_cast<double>(number) / options.frames_per_second));
        },
        [&](uint64_t number, const app::Image& picture, const app::Image& ids) {
            const std::string name = fmt::format("frame_{:06}", number);
            statistics.add(ids);
            app::write_png(options.folder / (name + ".png"), picture);
            app::write_png(options.folder / (name + "_labelIds.png"), ids);
            app::write_png(options.folder / (name + "_colour.png"), coloured(ids));
            progress.advance();
        });
    progress.finish();
    return statistics;
}

}  // namespace vkseg::sim
