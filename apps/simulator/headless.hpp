#pragma once

#include "apps/simulator/classes.hpp"
#include "apps/simulator/gpu/gpu.hpp"
#include "apps/simulator/gpu/renderer.hpp"

#include <filesystem>
#include <functional>

namespace vkseg::sim {

/// Draws frames and hands out picture and labels of each, in order, while the device draws the next.
void render_frames(const Gpu& gpu, Renderer& renderer, uint64_t count, const std::function<Frame(uint64_t)>& frame,
                   const std::function<void(uint64_t, app::Image picture, app::Image labels)>& done);

struct DatasetOptions {
    std::filesystem::path folder;
    uint64_t count = 100;
    uint64_t first = 0;
    uint64_t seed = 1;
    std::string split = "train";
};

/// Cityscapes' layout: leftImg8bit/SPLIT/CITY/..._leftImg8bit.png and gtFine/SPLIT/CITY/..._gtFine_labelIds.png. Every
/// picture is of a city, place, hour and weather of its own; the splits share none.
ClassStatistics write_dataset(const Gpu& gpu, Renderer& renderer, const DatasetOptions& options);

/// The frame of a data set, by its number.
[[nodiscard]] Frame dataset_frame(uint64_t seed, std::string_view split, uint64_t number);

struct DriveOptions {
    std::filesystem::path folder;
    uint64_t frames = 30;
    uint64_t seed = 1;
    double frames_per_second = 17;
};

/// A drive through one city: frame_000000.png, frame_000000_labelIds.png and frame_000000_colour.png.
ClassStatistics write_drive(const Gpu& gpu, Renderer& renderer, const DriveOptions& options);

}  // namespace vkseg::sim
