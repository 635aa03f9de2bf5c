#pragma once

#include "apps/simulator/live/stage.hpp"

namespace vkseg::sim {

struct WindowOptions {
    StageOptions stage;
    std::string device;
    bool validation = false;
    uint64_t seed = 1;
    /// Stop after so many frames; 0: when the window is closed.
    uint64_t frames = 0;
    /// Write the last frame's window here.
    std::string screenshot;
    View view = View::Both;
    bool help = false;
    /// Seconds of the drive that pass with each frame; 0: as long as it took.
    double fixed_step_s = 0;
};

/// Drives until the window is closed. Returns the number of messages of the validation layer.
size_t run_window(const WindowOptions& options);

}  // namespace vkseg::sim
