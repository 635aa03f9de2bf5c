#include "apps/simulator/scene/world.hpp"

#include <glm/gtc/constants.hpp>
#include <glm/gtc/matrix_transform.hpp>

#include <algorithm>
#include <cmath>

namespace vkseg::sim {

namespace {

constexpr float behind_m = 45, ahead_m = 260;

}  // namespace

glm::mat4 Camera::view() const {
    glm::mat4 view = glm::rotate(glm::mat4(1), roll, glm::vec3(0, 0, 1));
    view = glm::rotate(view, -pitch, glm::vec3(1, 0, 0));
    view = glm::rotate(view, yaw, glm::vec3(0, 1, 0));
    return glm::translate(view, glm::vec3(-position.x, -position.y, position.z));
}

glm::mat4 Camera::projection(float aspect) const {
    const float scale = 1.0f / std::tan(horizontal_fov * 0.5f);
    glm::mat4 projection(0);
    projection[0][0] = scale;
    projection[1][1] = -scale * aspect;
    projection[2][3] = -1;
    projection[3][2] = near_plane_m;
    return projection;
}

glm::vec3 Bend::apply(glm::vec3 world) const {
    const float ahead = -world.z - origin_s;
    world.x += side_per_m * ahead * ahead;
    world.y += up_per_m * ahead * ahead;
    return world;
}

World::World(uint64_t seed)
    : seed_(seed),
      weather_(make_weather(seed)),
      lens_(make_lens(seed, weather_)),
      city_(make_city(seed, weather_.night > 0.3f)) {
    Rng rng(mix_bits(seed, 31));
    speed_m_per_s_ = rng.uniform(6, 12);
    density_ = rng.uniform(0.2f, 1.0f);
    heavy_ = rng.chance(0.5f) ? rng.uniform(0.25f, 0.6f) : rng.uniform(0.05f, 0.2f);
    cyclists_ = rng.uniform(0.2f, 1.0f);
}

Frame World::drive(float time_s) {
    Frame frame;
    Rng rng(mix_bits(seed_, 41));
    frame.time_s = time_s;
    frame.noise_seed = mix_bits(seed_, static_cast<uint64_t>(time_s * 1000) + 5000);
    const float s = 10 + speed_m_per_s_ * time_s;
    Camera& camera = frame.camera;
    const float lane = city_.lane_centre_m(city_.lanes - 1);
    camera.position = {lane + 0.12f * std::sin(time_s * 0.7f), rng.uniform(1.25f, 1.7f) + 0.012f * std::sin(time_s * 9),
                       s};
    camera.yaw = 0.012f * std::sin(time_s * 0.45f);
    camera.pitch = rng.uniform(-0.04f, 0.0f) + 0.003f * std::sin(time_s * 5.1f);
    camera.horizontal_fov = rng.uniform(0.95f, 1.25f);
    frame.bend = {0.0006f * std::sin(s * 0.004f + rng.uniform(0, 6)),
                  0.00012f * std::sin(s * 0.003f + rng.uniform(0, 6)), s};
    frame.gap_m = 16;
    frame.weather = weather_;
    frame.lens = lens_;
    frame.lens.noise *= 0.5f;
    frame.lens.blur_px *= 0.5f;
    collect(frame, s);
    return frame;
}

Frame World::snapshot(uint64_t number) {
    Frame frame;
    const uint64_t key = mix_bits(seed_, number + 51000);
    Rng rng(key);
    frame.time_s = rng.uniform(0, 300);
    frame.noise_seed = mix_bits(key, 5);
    const float s = city_.block_m * static_cast<float>(rng.integer(2, 40)) + rng.uniform(0, city_.block_m);
    Camera& camera = frame.camera;
    camera.position = {city_.lane_centre_m(rng.integer(0, city_.lanes - 1)) + rng.uniform(-0.5f, 0.5f),
                       rng.chance(0.85f) ? rng.uniform(1.1f, 1.7f) : rng.uniform(1.7f, 2.8f), s};
    camera.yaw = rng.chance(0.7f) ? rng.uniform(-0.08f, 0.08f) : rng.uniform(-0.55f, 0.55f);
    camera.pitch = rng.uniform(-0.1f, 0.05f);
    camera.roll = rng.uniform(-0.03f, 0.03f);
    camera.horizontal_fov = rng.uniform(0.8f, 1.4f);
    frame.gap_m = rng.chance(0.3f) ? rng.uniform(3, 6) : rng.uniform(6, 25);
    frame.bend = {rng.uniform(-0.0016f, 0.0016f), rng.uniform(-0.0003f, 0.0003f), s};
    frame.weather = make_weather(key);
    frame.lens = make_lens(key, frame.weather);
    city_.lights_on = frame.weather.night > 0.3f;
    blocks_.clear();  // lamps may have changed
    collect(frame, s);
    return frame;
}

void World::collect(Frame& frame, float camera_s) {
    const int first = static_cast<int>(std::floor((camera_s - behind_m) / city_.block_m));
    const int last = static_cast<int>(std::floor((camera_s + ahead_m) / city_.block_m));
    std::erase_if(blocks_, [&](const auto& entry) { return entry.first < first || entry.first > last; });
    frame.items.reserve(8000);
    for (int block = first; block <= last; ++block) {
        auto [found, added] = blocks_.try_emplace(block);
        if (added) found->second = make_block(city_, block);
        frame.items.insert(frame.items.end(), found->second.begin(), found->second.end());
    }
    const Builder root(frame.items);
    // Below everything, so that no gap shows the sky; and a skyline where the blocks end.
    root.add(Mesh::Slab, {Material::Grass, Label::Terrain, city_.grass * 0.8f, city_.grass * 0.5f},
             {0, -0.8f, camera_s + 100}, {500, 0.3f, 440});
    Rng rng(mix_bits(seed_, 61));
    for (int i = 0; i < 26; ++i) {
        const float x = (static_cast<float>(i) - 12.5f) * 14 + rng.uniform(-4, 4);
        const bool green = rng.chance(0.25f);
        Look look{green ? Material::Foliage : Material::Plain, green ? Label::Vegetation : Label::Building,
                  green ? city_.grass * 0.6f : glm::vec3(rng.uniform(0.15f, 0.4f))};
        look.colour2 = look.colour * 0.6f;
        const float height = green ? rng.uniform(6, 12) : rng.uniform(6, 9 + city_.floors * 4);
        root.add(Mesh::Box, look, {x, -1, camera_s + ahead_m + 30 + rng.uniform(0, 25)},
                 {rng.uniform(12, 22), height, 10});
    }
    add_traffic(frame, camera_s);
}

}  // namespace vkseg::sim
