#pragma once

#include "apps/simulator/scene/city.hpp"
#include "apps/simulator/scene/weather.hpp"

#include <map>

namespace vkseg::sim {

struct Camera {
    glm::vec3 position{0, 1.4f, 0};  ///< right, up, forward (s)
    float yaw = 0, pitch = 0, roll = 0;
    float horizontal_fov = 1.0f;

    [[nodiscard]] glm::mat4 view() const;
    /// Depth 1 at the near plane and 0 infinitely far away, y down as Vulkan has it.
    [[nodiscard]] glm::mat4 projection(float aspect) const;
};

inline constexpr float near_plane_m = 0.25f;

/// The street bends to the side and up or down with the square of the distance ahead.
struct Bend {
    float side_per_m = 0, up_per_m = 0;
    float origin_s = 0;

    [[nodiscard]] glm::vec3 apply(glm::vec3 world) const;
};

struct Frame {
    Camera camera;
    Bend bend;
    Weather weather;
    Lens lens;
    float time_s = 0;
    uint64_t noise_seed = 0;
    /// Nothing drives this close ahead of the camera.
    float gap_m = 6;
    Items items;
};

/// A city with traffic. Everything follows from the seed.
class World {
public:
    explicit World(uint64_t seed);

    /// The drive down the street at a time.
    [[nodiscard]] Frame drive(float time_s);
    /// Some place, time and camera of this city, as a data set wants them.
    [[nodiscard]] Frame snapshot(uint64_t number);

    [[nodiscard]] const City& city() const { return city_; }
    [[nodiscard]] float speed_m_per_s() const { return speed_m_per_s_; }

private:
    void collect(Frame& frame, float camera_s);
    void add_traffic(Frame& frame, float camera_s) const;
    void add_lane(Frame& frame, float camera_s, int lane, float direction) const;
    void add_cyclists(Frame& frame, float camera_s, float direction) const;
    void add_walkers(Frame& frame, float camera_s, float side) const;
    void add_crossing(Frame& frame, int block) const;
    [[nodiscard]] VehicleKind vehicle_kind(Rng& rng, bool inner_lane) const;

    uint64_t seed_;
    Weather weather_;
    Lens lens_;
    City city_;
    float speed_m_per_s_;
    float density_;
    float heavy_;  ///< share of trucks and buses
    float cyclists_;
    std::map<int, Items> blocks_;
};

}  // namespace vkseg::sim
