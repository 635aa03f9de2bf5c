#pragma once

#include "apps/simulator/scene/world.hpp"

namespace vkseg::sim {

/// Instances that are drawn with one call.
struct Batch {
    Material material;
    Mesh mesh;
    uint32_t first_instance;
    uint32_t instance_count;
};

struct DrawList {
    std::vector<Instance> instances;
    std::vector<Batch> opaque;  ///< nearest first
    std::vector<Batch> blended;
    std::vector<Batch> shadows;
    glm::mat4 view_projection{1};
    glm::mat4 shadow_matrix{1};
};

/// What of a frame is seen by its camera and its sun, in the order of drawing.
[[nodiscard]] DrawList make_draw_list(const Frame& frame, uint32_t width_px, uint32_t height_px);

}  // namespace vkseg::sim
