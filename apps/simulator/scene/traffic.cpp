#include "apps/simulator/scene/world.hpp"

#include <glm/gtc/constants.hpp>

#include <cmath>

namespace vkseg::sim {

namespace {

/// Traffic goes around a loop of this length that moves along with the camera.
constexpr float loop_m = 250, loop_behind_m = 40;

/// Where on the loop something is that started at `start` and has gone `travelled`.
float around_loop(float start, float travelled, float camera_s) {
    const float offset = start + travelled - camera_s + loop_behind_m;
    return camera_s - loop_behind_m + (offset - std::floor(offset / loop_m) * loop_m);
}

bool would_hide_view(const Frame& frame, float x, float s, float length, float width) {
    const float ahead = s - frame.camera.position.z, aside = std::abs(x - frame.camera.position.x);
    const float gap = ahead > 0 ? frame.gap_m : 3.0f;
    return std::abs(ahead) < length * 0.5f + gap && aside < width * 0.5f + 0.9f;
}

}  // namespace

VehicleKind World::vehicle_kind(Rng& rng, bool inner_lane) const {
    const float kind = rng.uniform();
    if (kind < heavy_) {
        const float which = rng.uniform();
        if (city_.tram && inner_lane && city_.median_half_m < 1 && which < 0.45f) return VehicleKind::Tram;
        return which < 0.72f ? VehicleKind::Truck : VehicleKind::Bus;
    }
    const float light = rng.uniform();
    return light < 0.74f ? VehicleKind::Car : light < 0.88f ? VehicleKind::Van : VehicleKind::Motorcycle;
}

void World::add_lane(Frame& frame, float camera_s, int lane, float direction) const {
    const uint64_t key = mix_bits(seed_, static_cast<uint64_t>(lane) * 2 + (direction > 0 ? 1 : 0) + 7100);
    Rng rng(key);
    const bool own_direction = direction > 0;
    const float speed = own_direction ? speed_m_per_s_ * rng.uniform(0.9f, 1.1f) : rng.uniform(5, 11);
    const float x = direction * city_.lane_centre_m(lane);
    const Builder root(frame.items);
    VehicleState state;
    state.lights_on = frame.weather.night > 0.3f || frame.weather.fog_per_m > 0.01f;
    for (float start = 0; start < loop_m - 14;) {
        const uint64_t vehicle_key = rng.next();
        Rng look(vehicle_key);
        const VehicleKind kind = vehicle_kind(look, lane == 0);
        const VehicleSize room = vehicle_room(kind);
        start += room.length_m * 0.5f;
        const float aside = rng.uniform(-0.25f, 0.25f);
        state.braking = rng.chance(0.3f);
        const float s = around_loop(start, direction * speed * frame.time_s, camera_s);
        start += room.length_m * 0.5f + rng.uniform(3.0f, 8.0f) + rng.uniform(0, 40) * (1.1f - density_);
        if (would_hide_view(frame, x + aside, s, room.length_m, room.width_m)) continue;
        add_vehicle(root.within({x + aside, 0, s}, own_direction ? 0 : glm::pi<float>()), kind, state, look);
    }
}

void World::add_cyclists(Frame& frame, float camera_s, float direction) const {
    Rng rng(mix_bits(seed_, direction > 0 ? 7301 : 7302));
    const Builder root(frame.items);
    VehicleState state;
    state.lights_on = frame.weather.night > 0.3f;
    const float edge = city_.road_edge_m() - (city_.parking ? 0.45f : 0.1f);
    const float speed = rng.uniform(3.5f, 5.5f);
    for (float start = 0; start < loop_m;) {
        Rng look(rng.next());
        const bool bicycle = look.chance(0.68f);
        const float travelled = speed * frame.time_s, x = direction * (edge - look.uniform(0, 0.5f));
        const float s = around_loop(start, direction * travelled, camera_s);
        start += rng.uniform(2.5f, 10) + rng.uniform(0, 60) * (1.15f - cyclists_);
        state.distance_m = travelled + start;
        if (would_hide_view(frame, x, s, 2, 0.8f)) continue;
        add_vehicle(root.within({x, 0, s}, direction > 0 ? 0 : glm::pi<float>()).leaning(look.uniform(-0.04f, 0.04f)),
                    bicycle ? VehicleKind::Bicycle : VehicleKind::Motorcycle, state, look);
    }
}

void World::add_walkers(Frame& frame, float camera_s, float side) const {
    Rng rng(mix_bits(seed_, side > 0 ? 7401 : 7402));
    const Builder root(frame.items);
    const float near_x = city_.sidewalk_x_m() + (city_.verge_m > 0.3f ? 0.3f : 1.2f), far_x = city_.front_x_m() - 0.4f;
    const int count = static_cast<int>(22 * city_.people);
    for (int i = 0; i < count; ++i) {
        Rng look(rng.next());
        const float direction = look.chance(0.5f) ? 1.0f : -1.0f, speed = look.uniform(0.9f, 1.7f);
        const float x = side * look.uniform(std::min(near_x, far_x), far_x);
        const float travelled = direction * speed * frame.time_s;
        const float s = around_loop(look.uniform(0, loop_m), travelled, camera_s);
        const float along = (s - std::floor(s / city_.block_m) * city_.block_m);
        const bool on_crossing = along > city_.block_m - city_.crossing_m;
        const float stride = speed * frame.time_s * 4.2f + look.uniform(0, 6.28f);
        const int group = look.chance(0.25f) ? 2 : 1;
        for (int member = 0; member < group; ++member)
            add_person(root.within({x - side * 0.6f * static_cast<float>(member), on_crossing ? 0 : city_.curb_m, s},
                                   direction > 0 ? 0 : glm::pi<float>()),
                       look, stride + static_cast<float>(member), false);
    }
}

void World::add_crossing(Frame& frame, int block) const {
    Rng rng(mix_bits(mix_bits(seed_, 7501), static_cast<uint64_t>(block + 100000)));
    const Builder root(frame.items);
    const float end = static_cast<float>(block + 1) * city_.block_m, begin = end - city_.crossing_m;
    const float middle = (begin + end) * 0.5f;
    VehicleState state;
    state.lights_on = frame.weather.night > 0.3f;
    // Across the street, while nobody comes.
    const float distance = middle - frame.camera.position.z;
    if (rng.chance(0.55f) && distance > 16) {
        const float x =
            city_.curb_x_m() + 6 - std::fmod(frame.time_s * 6 + rng.uniform(0, 60), 2 * city_.curb_x_m() + 40);
        add_vehicle(root.within({x, 0, middle + 2}, -glm::half_pi<float>()), vehicle_kind(rng, false), state, rng);
    }
    for (const float side : {-1.0f, 1.0f}) {
        float x = city_.curb_x_m() + 4;
        for (int waiting = rng.integer(0, 3); waiting > 0; --waiting) {
            const VehicleKind kind = vehicle_kind(rng, false);
            const float half = vehicle_room(kind).length_m * 0.5f;
            x += half;
            add_vehicle(
                root.within({side * x, 0, middle + side * city_.crossing_m * 0.22f}, -side * glm::half_pi<float>()),
                kind, state, rng);
            x += half + 1.2f;
        }
    }
    for (const float at : {begin - 2.7f, end + 2.7f})
        for (int people = rng.integer(0, static_cast<int>(4 * city_.people)); people > 0; --people) {
            Rng look(rng.next());
            const float width = 2 * city_.curb_x_m(), speed = look.uniform(0.8f, 1.5f);
            const float walked = std::fmod(speed * frame.time_s + look.uniform(0, width), width);
            const float direction = look.chance(0.5f) ? 1.0f : -1.0f;
            const glm::vec3 place{direction * (walked - width * 0.5f), 0, at + look.uniform(-1.3f, 1.3f)};
            const glm::vec3 away = place - frame.camera.position;
            if (away.z > -4 && away.z < 6.5f && std::abs(away.x) < 4) continue;
            add_person(root.within(place, direction * glm::half_pi<float>()), look, walked * 4.2f, false);
        }
}

void World::add_traffic(Frame& frame, float camera_s) const {
    for (int lane = 0; lane < city_.lanes; ++lane)
        for (const float direction : {1.0f, -1.0f}) add_lane(frame, camera_s, lane, direction);
    for (const float direction : {1.0f, -1.0f}) {
        add_cyclists(frame, camera_s, direction);
        add_walkers(frame, camera_s, direction);
        if (city_.tram && city_.median_half_m > 1) {
            Rng rng(mix_bits(seed_, direction > 0 ? 7601 : 7602));
            const Builder root(frame.items);
            const float speed = rng.uniform(4, 10);
            VehicleState state;
            state.lights_on = frame.weather.night > 0.3f;
            for (float start = rng.uniform(0, 40); start < loop_m - 40; start += rng.uniform(60, 120)) {
                Rng look(rng.next());
                const float s = around_loop(start, direction * speed * frame.time_s, camera_s);
                add_vehicle(
                    root.within({direction * city_.median_half_m * 0.5f, 0, s}, direction > 0 ? 0 : glm::pi<float>()),
                    VehicleKind::Tram, state, look);
            }
        }
    }
    const int first = static_cast<int>(std::floor(camera_s / city_.block_m));
    for (int block = first - 1; block <= first + 2; ++block) add_crossing(frame, block);
}

}  // namespace vkseg::sim
