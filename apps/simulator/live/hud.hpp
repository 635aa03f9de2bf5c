#pragma once

#include "apps/common/image.hpp"
#include "graph/ir/class_list.hpp"

#include <deque>
#include <string>
#include <vector>

namespace vkseg::sim {

struct HudState {
    std::string device, scene;   ///< a line each
    std::string network, mode;   ///< empty: nothing segments
    double scene_ms = 0;         ///< of the device, without segmentation
    double segmentation_ms = 0;  ///< of the device, in this frame
    double mask_ms = 0;          ///< between two finished masks
    uint32_t first_step = 0, end_step = 0, step_count = 0;
    std::deque<float> frame_ms;  ///< newest last
    const ClassList* classes = nullptr;
    bool help = false;
};

/// The keys, a pair of key and meaning for each.
[[nodiscard]] const std::vector<std::pair<std::string, std::string>>& controls();

/// A strip of text, timings and the legend.
[[nodiscard]] app::Image draw_hud(const HudState& state, int width_px, int height_px);

}  // namespace vkseg::sim
