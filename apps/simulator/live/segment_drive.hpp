#pragma once

#include "apps/simulator/headless.hpp"
#include "apps/simulator/live/stage.hpp"

namespace vkseg::sim {

/// A drive that segments its own frames, without a window: frame_000000_overlay.png with picture and overlay, and
/// frame_times.csv and frame_times.md with what each frame cost with and without segmentation. Every frame is drawn
/// both ways, in turns first. Returns what there is to print.
[[nodiscard]] std::string segment_drive(Stage& stage, const DriveOptions& options);

}  // namespace vkseg::sim
