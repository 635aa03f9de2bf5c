#include "apps/simulator/scene/props.hpp"

#include <cmath>

namespace vkseg::sim {

namespace {

Look metal(Rng& rng, Label label = Label::Pole) {
    const glm::vec3 colour = rng.chance(0.7f) ? glm::vec3(rng.uniform(0.06f, 0.4f))
                                              : hsv(rng.uniform(0.25f, 0.6f), 0.4f, rng.uniform(0.15f, 0.4f));
    return {Material::Plain, label, colour, colour};
}

constexpr float backward = 3.14159265f;

}  // namespace

void add_sign_post(const Builder& at, Rng& rng) {
    const float height = rng.uniform(2.3f, 3.4f);
    at.add(Mesh::Column, metal(rng), {0, 0, 0}, {0.08f, height, 0.08f});
    float top = height;
    for (int i = rng.chance(0.35f) ? 2 : 1; i > 0; --i) {
        Look sign{Material::Sign, Label::TrafficSign};
        sign.seed = rng.uniform();
        const float size = rng.uniform(0.6f, 0.95f);
        const int kind = rng.integer(0, 9);
        Mesh mesh = Mesh::Disc;
        glm::vec3 extent{size, size, 0.04f};
        if (kind <= 3) {
            // A red ring, a blue disc, a red disc with a bar, and an end-of-limit sign: chosen in the shader by number.
            sign.style = static_cast<float>(kind);
        } else if (kind <= 5) {
            mesh = Mesh::Triangle;
            sign.style = 4;
        } else if (kind == 6) {
            mesh = Mesh::Octagon;
            sign.style = 5;
        } else {
            mesh = Mesh::Box;
            sign.style = static_cast<float>(6 + kind - 7);  // blue square, yellow square, white board
            if (kind == 9) extent = {rng.uniform(0.9f, 1.6f), size * 0.5f, 0.04f};
        }
        top -= extent.y;
        at.add(mesh, sign, {0, top, -0.08f}, extent, backward + rng.uniform(-0.2f, 0.2f));
        top -= 0.06f;
    }
}

void add_traffic_light(const Builder& at, Rng& rng, int phase, float arm) {
    const Look post = metal(rng);
    Look box{Material::Signal, Label::TrafficLight, glm::vec3(rng.chance(0.7f) ? 0.012f : 0.3f)};
    box.style = static_cast<float>(phase);
    const glm::vec3 size{0.34f, 1.0f, 0.28f};
    const float low = rng.uniform(2.1f, 2.6f);
    at.add(Mesh::Column, post, {0, 0, 0}, {0.14f, arm > 0 ? 6.0f : low + 1.05f, 0.14f});
    at.add(Mesh::Box, box, {0, low, -0.2f}, size, backward);
    if (arm > 0) {
        at.beam(Mesh::Column, post, {0, 5.9f, 0}, {-arm, 6.1f, 0}, 0.11f);
        at.add(Mesh::Box, box, {-arm + 0.3f, 5.3f, -0.2f}, size, backward);
        if (arm > 5) at.add(Mesh::Box, box, {-arm * 0.5f, 5.3f, -0.2f}, size, backward);
        if (rng.chance(0.5f)) {
            Look sign{Material::Sign, Label::TrafficSign};
            sign.style = 8;
            sign.seed = rng.uniform();
            at.add(Mesh::Box, sign, {-arm * 0.72f, 5.5f, -0.12f}, {1.8f, 0.7f, 0.05f}, backward);
        }
    }
}

void add_street_lamp(const Builder& at, Rng& rng, float height, int style, bool lit) {
    const Look post = metal(rng);
    const Look head{Material::Lamp, Label::Pole, {1.0f, 0.72f, 0.4f}, {}, lit ? 4.0f : 0.35f};
    at.add(Mesh::Column, post, {0, 0, 0}, {0.22f, 0.9f, 0.22f});
    at.add(Mesh::Column, post, {0, 0, 0}, {0.13f, height, 0.13f});
    if (style == 0) {
        at.beam(Mesh::Column, post, {0, height - 0.05f, 0}, {-1.9f, height + 0.25f, 0}, 0.09f);
        at.add(Mesh::Box, post, {-2.0f, height + 0.22f, 0}, {0.8f, 0.1f, 0.3f});
        at.add(Mesh::Box, head, {-2.0f, height + 0.17f, 0}, {0.6f, 0.06f, 0.24f});
    } else if (style == 1) {
        at.add(Mesh::Sphere, head, {0, height, 0}, {0.5f, 0.5f, 0.5f});
    } else {
        for (const float side : {-1.0f, 1.0f}) {
            at.beam(Mesh::Column, post, {0, height - 0.1f, 0}, {side * 1.1f, height, 0}, 0.08f);
            at.add(Mesh::Box, head, {side * 1.1f, height - 0.1f, 0}, {0.4f, 0.14f, 0.3f});
        }
    }
}

void add_bollard(const Builder& at, Rng& rng) {
    const float height = rng.uniform(0.7f, 1.1f);
    Look look = metal(rng);
    if (rng.chance(0.3f)) look.colour = rng.chance(0.5f) ? rgb(0.8f, 0.15f, 0.1f) : glm::vec3(0.7f);
    at.add(Mesh::Capsule, look, {0, 0, 0}, {0.14f, height, 0.14f});
}

void add_fence(const Builder& at, Rng& rng, float length, float height, int style) {
    Look look{Material::Fence, Label::Fence};
    look.style = static_cast<float>(style);
    look.seed = rng.uniform();
    switch (style) {
        case 0:
            look.colour = glm::vec3(rng.uniform(0.01f, 0.1f));
            break;  // iron bars
        case 1:
            look.colour = glm::vec3(rng.uniform(0.2f, 0.45f));
            break;  // wire mesh
        case 2:
            look.colour = hsv(0.08f, rng.uniform(0.1f, 0.6f), rng.uniform(0.35f, 0.9f));
            break;  // pickets
        default:
            look.colour = hsv(rng.uniform(0.05f, 0.4f), rng.uniform(0.2f, 0.6f), 0.4f);
            break;  // boards
    }
    at.add(Mesh::Slab, look, {0, 0.05f, length * 0.5f}, {0.04f, height, length});
    const Look post{Material::Plain, Label::Fence, look.colour * 0.8f};
    const int posts = std::max(2, static_cast<int>(length / 2.5f));
    for (int i = 0; i <= posts; ++i)
        at.add(Mesh::Box, post, {0, 0, length * static_cast<float>(i) / static_cast<float>(posts)},
               {0.09f, height + 0.12f, 0.09f});
    if (style <= 1) at.add(Mesh::Slab, post, {0, height, length * 0.5f}, {0.05f, 0.05f, length});
}

void add_wall(const Builder& at, Rng& rng, float length, float height) {
    Look look{Material::Masonry, Label::Wall};
    look.style = static_cast<float>(rng.integer(0, 3));  // brick, stone, concrete, painted
    switch (static_cast<int>(look.style)) {
        case 0:
            look.colour = hsv(rng.uniform(0, 0.06f), rng.uniform(0.35f, 0.65f), rng.uniform(0.35f, 0.65f));
            break;
        case 1:
            look.colour = hsv(rng.uniform(0.05f, 0.15f), rng.uniform(0.05f, 0.25f), rng.uniform(0.4f, 0.65f));
            break;
        case 2:
            look.colour = glm::vec3(rng.uniform(0.15f, 0.45f));
            break;
        default:
            look.colour = hsv(rng.uniform(), rng.uniform(0.05f, 0.5f), rng.uniform(0.5f, 0.9f));
            break;
    }
    look.colour2 = look.colour * 0.6f;
    look.seed = rng.uniform();
    at.add(Mesh::Slab, look, {0, 0, length * 0.5f}, {0.3f, height, length});
    look.style = 2;
    look.colour *= 0.85f;
    at.add(Mesh::Slab, look, {0, height, length * 0.5f}, {0.4f, 0.1f, length});
}

void add_building(const Builder& at, Rng& rng, float length, float depth, int floors, int style, bool lit) {
    Look look{Material::Facade, Label::Building};
    look.style = static_cast<float>(style);  // plaster, brick, concrete, glass
    switch (style) {
        case 0:
            look.colour = hsv(rng.uniform(0.0f, 0.2f), rng.uniform(0.02f, 0.45f), rng.uniform(0.55f, 0.95f));
            break;
        case 1:
            look.colour = hsv(rng.uniform(0, 0.08f), rng.uniform(0.3f, 0.7f), rng.uniform(0.3f, 0.65f));
            break;
        case 2:
            look.colour = hsv(rng.uniform(), rng.uniform(0.0f, 0.2f), rng.uniform(0.4f, 0.85f));
            break;
        default:
            look.colour = hsv(rng.uniform(0.45f, 0.65f), rng.uniform(0.1f, 0.4f), rng.uniform(0.2f, 0.5f));
            break;
    }
    if (rng.chance(0.08f)) look.colour = hsv(rng.uniform(), rng.uniform(0.3f, 0.7f), rng.uniform(0.4f, 0.8f));
    look.colour2 = rng.chance(0.5f) ? look.colour * 0.5f : glm::vec3(rng.uniform(0.3f, 0.8f));
    look.seed = rng.uniform();
    const float floor_height = rng.uniform(2.8f, 3.8f);
    const float height = floor_height * static_cast<float>(floors) + rng.uniform(0.3f, 1.2f);
    const float bays = std::max(1.0f, std::round(length / rng.uniform(1.8f, 4.2f)));
    // Floor height, bay width, share of the bay that is window, lit at night.
    look.params = {floor_height, length / bays, style == 3 ? 0.92f : rng.uniform(0.3f, 0.68f), lit ? 1.0f : 0.0f};
    const float middle = depth * 0.5f;
    at.add(Mesh::Box, look, {middle, 0, 0}, {depth, height, length});
    const Look band{Material::Plain, Label::Building, look.colour2};
    if (style != 3 && rng.chance(0.6f))
        at.add(Mesh::Box, band, {middle, height - 0.35f, 0}, {depth + 0.5f, 0.3f, length});
    if (rng.chance(0.3f)) at.add(Mesh::Box, band, {middle, floor_height, 0}, {depth + 0.3f, 0.25f, length});
    if (floors <= 5 && style <= 1 && rng.chance(0.75f)) {
        Look roof{Material::Roof, Label::Building};
        roof.colour = rng.chance(0.6f) ? hsv(rng.uniform(0, 0.07f), rng.uniform(0.35f, 0.65f), rng.uniform(0.3f, 0.55f))
                                       : glm::vec3(rng.uniform(0.03f, 0.15f));
        roof.colour2 = look.colour;
        roof.seed = rng.uniform();
        const float rise = depth * rng.uniform(0.22f, 0.4f);
        if (rng.chance(0.7f))
            at.add(Mesh::Gable, roof, {middle, height, 0}, {depth + 0.8f, rise, length + 0.1f});
        else
            at.within({middle, height, 0}, 1.5707963f).add(Mesh::Gable, roof, {0, 0, 0}, {length, rise, depth + 0.8f});
        at.add(Mesh::Box, {Material::Masonry, Label::Building, {0.2f, 0.1f, 0.08f}, {0.1f, 0.1f, 0.1f}},
               {middle * rng.uniform(0.5f, 1.5f), height, length * rng.uniform(-0.3f, 0.3f)},
               {0.8f, rise + 0.8f, 0.6f});
    } else {
        at.add(Mesh::Box, band, {middle, height, length * rng.uniform(-0.3f, 0.3f)},
               {depth * 0.4f, rng.uniform(1.0f, 2.6f), length * 0.3f});
    }
    if (floors >= 3 && style != 3 && rng.chance(0.35f)) {  // balconies or bays
        const float width = look.params.y * rng.uniform(0.5f, 0.85f);
        const int skip = rng.integer(1, 2);
        for (int floor = 1; floor < floors; ++floor)
            for (int bay = 0; bay < static_cast<int>(bays); bay += skip)
                at.add(Mesh::Box, band,
                       {-0.45f, floor_height * static_cast<float>(floor),
                        (static_cast<float>(bay) + 0.5f) * look.params.y - length * 0.5f},
                       {0.9f, 0.95f, width});
    }
    if (rng.chance(0.35f)) {  // awnings or a shop sign
        Look awning{Material::Cloth, Label::Building, paint_colour(rng), glm::vec3(0.7f),
                    static_cast<float>(rng.integer(0, 5))};
        awning.seed = rng.uniform();
        at.add(Mesh::Box, awning, {-0.5f, floor_height * 0.82f, length * rng.uniform(-0.2f, 0.2f)},
               {1.0f, 0.35f, length * 0.45f});
    }
}

}  // namespace vkseg::sim
