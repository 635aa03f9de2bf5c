#pragma once

#include "apps/common/image.hpp"
#include "apps/simulator/scene/draw_list.hpp"

namespace vkseg::sim::test {

/// Label ids of a frame by a rasteriser of its own: every triangle, on the CPU, at pixel centres.
struct CpuLabels {
    app::Image labels;
    /// 1 where leaves are nearest: their outlines are ragged in the shader.
    app::Image leaves;
};
[[nodiscard]] CpuLabels draw_labels(const Frame& frame, int width, int height);

}  // namespace vkseg::sim::test
