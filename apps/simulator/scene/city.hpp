#pragma once

#include "apps/simulator/scene/props.hpp"

namespace vkseg::sim {

/// What a city is like everywhere. Its main street runs along s (forward) around x = 0, in blocks of equal length, each
/// ending in a crossing.
struct City {
    uint64_t seed = 0;
    Season season = Season::Summer;
    float block_m = 90;
    float crossing_m = 12;
    int lanes = 1;  ///< of each direction
    float lane_m = 3.3f;
    float median_half_m = 0;
    bool median_green = false;
    bool tram = false;
    bool parking = true;
    bool parks_across = false;
    float verge_m = 0;
    float sidewalk_m = 3;
    float curb_m = 0.13f;
    float setback_m = 0;
    /// Shares of what stands in the lots.
    float urban = 0.5f, green = 0.2f, walled = 0.15f;
    float floors = 4;
    float tree_spacing_m = 12;
    float people = 1, parked = 0.6f, street_fences = 0.1f;
    int lamp_style = 0;
    bool lights_on = false;
    glm::vec3 asphalt{0.1f}, paving{0.3f}, grass{0.1f, 0.2f, 0.05f};
    int paving_style = 0;

    [[nodiscard]] float lane_centre_m(int lane) const {
        return median_half_m + lane_m * (static_cast<float>(lane) + 0.5f);
    }
    [[nodiscard]] float road_edge_m() const { return median_half_m + lane_m * static_cast<float>(lanes); }
    /// Where the sidewalk or its verge begins.
    [[nodiscard]] float curb_x_m() const { return road_edge_m() + (parking ? 2.3f : 0.5f); }
    [[nodiscard]] float sidewalk_x_m() const { return curb_x_m() + verge_m; }
    /// Where the lots begin.
    [[nodiscard]] float front_x_m() const { return sidewalk_x_m() + sidewalk_m; }
    /// 0..2 of the light at the end of a block at a time.
    [[nodiscard]] int light_phase(int block, float time_s) const;
};

[[nodiscard]] City make_city(uint64_t seed, bool lights_on);

/// What stands still in a block; the same at every call.
[[nodiscard]] Items make_block(const City& city, int block);

/// Ground of the block, with its crossing; part of make_block.
void add_ground(const Builder& root, const City& city, int block);

}  // namespace vkseg::sim
