#pragma once

#include "apps/simulator/scene/builder.hpp"

// Things that stand or move in a street. Each is built standing at the origin of `at`, facing forward, and takes what
// is left open from `rng`.

namespace vkseg::sim {

enum class VehicleKind : uint8_t { Car, Van, Truck, Bus, Tram, Motorcycle, Bicycle };

struct VehicleSize {
    float length_m, width_m;
};

struct VehicleState {
    bool lights_on = false;
    bool braking = false;
    /// Someone sits on it, for those with two wheels.
    bool ridden = true;
    /// Metres driven, which turn the pedals.
    float distance_m = 0;
};

/// Returns how much room it took.
VehicleSize add_vehicle(const Builder& at, VehicleKind kind, const VehicleState& state, Rng& rng);
[[nodiscard]] VehicleSize vehicle_room(VehicleKind kind);

/// `stride` is the phase of the walk in radians; `standing` has the legs together.
void add_person(const Builder& at, Rng& rng, float stride, bool standing);
/// Head, trunk, arms and legs between the points where a rider sits, holds and treads.
void add_rider(const Builder& at, Rng& rng, glm::vec3 seat, glm::vec3 hands, glm::vec3 left_foot, glm::vec3 right_foot,
               bool helmet);

enum class Season : uint8_t { Spring, Summer, Autumn, Winter };

void add_tree(const Builder& at, Rng& rng, Season season, float height_m);
void add_bush(const Builder& at, Rng& rng, Season season, float size_m);
void add_hedge(const Builder& at, Rng& rng, Season season, float length_m, float height_m);

/// With one or several signs on it, facing backward: to who drives towards it in the street's direction.
void add_sign_post(const Builder& at, Rng& rng);
/// `phase` 0..2: red, amber, green. Facing backward. `arm_m` reaches left over the road; 0 for none.
void add_traffic_light(const Builder& at, Rng& rng, int phase, float arm_m);
/// The arm reaches left.
void add_street_lamp(const Builder& at, Rng& rng, float height_m, int style, bool lit);
void add_bollard(const Builder& at, Rng& rng);
/// Along the forward axis from the origin.
void add_fence(const Builder& at, Rng& rng, float length_m, float height_m, int style);
void add_wall(const Builder& at, Rng& rng, float length_m, float height_m);

/// The front towards left, length along forward, the middle of the front's foot at the origin.
void add_building(const Builder& at, Rng& rng, float length_m, float depth_m, int floors, int style, bool lit);

[[nodiscard]] glm::vec3 paint_colour(Rng& rng);

}  // namespace vkseg::sim
