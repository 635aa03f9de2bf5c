#pragma once

#include "apps/simulator/scene/instance.hpp"
#include "apps/simulator/scene/random.hpp"

namespace vkseg::sim {

/// sRGB as people write colours, to linear light.
[[nodiscard]] glm::vec3 rgb(float red, float green, float blue);
[[nodiscard]] glm::vec3 hsv(float hue, float saturation, float value);

struct Look {
    Material material = Material::Plain;
    Label label = Label::Building;
    glm::vec3 colour{0.5f};
    glm::vec3 colour2{0.5f};
    float style = 0;
    glm::vec4 params{0};
    float seed = 0;
};

/// Puts shapes into a frame of reference. Positions are (right, up, forward) in metres of that frame, sizes are (width,
/// height, length), and a shape stands on its position: the middle of its base.
class Builder {
public:
    explicit Builder(Items& items, const glm::mat4& frame = glm::mat4(1)) : items_(&items), frame_(frame) {}

    /// A frame inside this one; `yaw` turns right, in radians.
    [[nodiscard]] Builder within(glm::vec3 position, float yaw = 0) const;
    /// Leans to the right by `roll`, and looks up by `pitch`.
    [[nodiscard]] Builder leaning(float roll, float pitch = 0) const;

    void add(Mesh mesh, const Look& look, glm::vec3 position, glm::vec3 size, float yaw = 0) const;
    /// A shape along y stretched from one point to another.
    void beam(Mesh mesh, const Look& look, glm::vec3 from, glm::vec3 to, float thickness) const;
    /// A wheel that rolls forward, around its hub.
    void wheel(const Look& look, glm::vec3 hub, float diameter, float width) const;

    [[nodiscard]] Items& items() const { return *items_; }

private:
    void add_matrix(Mesh mesh, const Look& look, const glm::mat4& local) const;

    Items* items_;
    glm::mat4 frame_;
};

}  // namespace vkseg::sim
