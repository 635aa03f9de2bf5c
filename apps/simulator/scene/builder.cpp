#include "apps/simulator/scene/builder.hpp"

#include <glm/gtc/matrix_transform.hpp>

#include <algorithm>
#include <cmath>

namespace vkseg::sim {

namespace {

float to_linear(float value) {
    return value <= 0.04045f ? value / 12.92f : std::pow((value + 0.055f) / 1.055f, 2.4f);
}

/// From (right, up, forward).
glm::vec3 to_world(const glm::vec3& v) {
    return {v.x, v.y, -v.z};
}

}  // namespace

glm::vec3 rgb(float red, float green, float blue) {
    return {to_linear(red), to_linear(green), to_linear(blue)};
}

glm::vec3 hsv(float hue, float saturation, float value) {
    const auto channel = [&](float n) {
        const float k = std::fmod(n + hue * 6.0f, 6.0f);
        return value - value * saturation * std::max(0.0f, std::min({k, 4.0f - k, 1.0f}));
    };
    return rgb(channel(5), channel(3), channel(1));
}

Builder Builder::within(glm::vec3 position, float yaw) const {
    const glm::mat4 moved = glm::translate(frame_, to_world(position));
    return Builder(*items_, glm::rotate(moved, -yaw, glm::vec3(0, 1, 0)));
}

Builder Builder::leaning(float roll, float pitch) const {
    const glm::mat4 rolled = glm::rotate(frame_, -roll, glm::vec3(0, 0, 1));
    return Builder(*items_, glm::rotate(rolled, pitch, glm::vec3(1, 0, 0)));
}

void Builder::add(Mesh mesh, const Look& look, glm::vec3 position, glm::vec3 size, float yaw) const {
    glm::mat4 local = glm::translate(glm::mat4(1), to_world(position));
    if (yaw != 0) local = glm::rotate(local, -yaw, glm::vec3(0, 1, 0));
    add_matrix(mesh, look, glm::scale(local, size));
}

void Builder::beam(Mesh mesh, const Look& look, glm::vec3 from, glm::vec3 to, float thickness) const {
    const glm::vec3 start = to_world(from), along = to_world(to) - start;
    const float length = glm::length(along);
    const glm::vec3 up = along / length;
    const glm::vec3 side =
        glm::normalize(glm::cross(up, std::abs(up.x) < 0.9f ? glm::vec3(1, 0, 0) : glm::vec3(0, 0, 1)));
    const glm::vec3 depth = glm::cross(side, up);
    glm::mat4 local(1);
    local[0] = glm::vec4(side * thickness, 0);
    local[1] = glm::vec4(along, 0);
    local[2] = glm::vec4(depth * thickness, 0);
    local[3] = glm::vec4(start, 1);
    add_matrix(mesh, look, local);
}

void Builder::wheel(const Look& look, glm::vec3 hub, float diameter, float width) const {
    add(Mesh::Disc, look, {hub.x, hub.y - diameter * 0.5f, hub.z}, {diameter, diameter, width}, glm::half_pi<float>());
}

void Builder::add_matrix(Mesh mesh, const Look& look, const glm::mat4& local) const {
    const glm::mat4 rows = glm::transpose(frame_ * local);
    Item item{mesh, look.material, {}};
    for (int row = 0; row < 3; ++row) item.instance.rows[row] = rows[row];
    item.instance.colour = glm::vec4(look.colour, look.seed);
    item.instance.colour2 = glm::vec4(look.colour2, look.style);
    item.instance.params = look.params;
    item.instance.label = static_cast<uint32_t>(look.label);
    items_->push_back(item);
}

}  // namespace vkseg::sim
