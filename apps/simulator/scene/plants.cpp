#include "apps/simulator/scene/props.hpp"

#include <glm/gtc/constants.hpp>

#include <cmath>

namespace vkseg::sim {

namespace {

Look leaves(Rng& rng, Season season) {
    Look look{Material::Foliage, Label::Vegetation};
    switch (season) {
        case Season::Spring:
            look.colour = rng.chance(0.2f) ? hsv(rng.uniform(0.9f, 1.0f), rng.uniform(0.05f, 0.35f), 0.85f)
                                           : hsv(rng.uniform(0.2f, 0.28f), rng.uniform(0.45f, 0.7f), 0.6f);
            break;
        case Season::Summer:
            look.colour = hsv(rng.uniform(0.2f, 0.36f), rng.uniform(0.35f, 0.7f), rng.uniform(0.25f, 0.5f));
            break;
        case Season::Autumn:
            look.colour = hsv(rng.uniform(0.03f, 0.2f), rng.uniform(0.5f, 0.85f), rng.uniform(0.4f, 0.7f));
            break;
        case Season::Winter:
            look.colour = hsv(rng.uniform(0.2f, 0.4f), rng.uniform(0.2f, 0.5f), rng.uniform(0.15f, 0.3f));
            break;
    }
    look.colour2 = look.colour * rng.uniform(0.25f, 0.5f);
    look.seed = rng.uniform();
    return look;
}

void add_branches(const Builder& at, Rng& rng, const Look& bark, glm::vec3 from, glm::vec3 direction, float length,
                  int depth) {
    const glm::vec3 to = from + direction * length;
    at.beam(Mesh::Column, bark, from, to, length * 0.055f);
    if (depth == 0) return;
    const int count = depth == 1 ? 4 : 3;
    for (int i = 0; i < count; ++i) {
        const float angle = rng.uniform(0, glm::two_pi<float>()), spread = rng.uniform(0.45f, 0.95f);
        const glm::vec3 side{std::cos(angle) * spread, rng.uniform(0.1f, 0.5f), std::sin(angle) * spread};
        add_branches(at, rng, bark, glm::mix(from, to, rng.uniform(0.6f, 1.0f)), glm::normalize(direction + side),
                     length * rng.uniform(0.5f, 0.75f), depth - 1);
    }
}

}  // namespace

void add_tree(const Builder& at, Rng& rng, Season season, float height) {
    Look bark{Material::Bark, Label::Vegetation, hsv(rng.uniform(0.05f, 0.1f), rng.uniform(0.1f, 0.4f), 0.35f)};
    bark.seed = rng.uniform();
    const float trunk = height * rng.uniform(0.2f, 0.36f), thick = height * rng.uniform(0.022f, 0.04f);
    const int kind = rng.integer(0, 9);
    if (kind <= 1) {  // conifer
        const Look needles = leaves(rng, rng.chance(0.5f) ? Season::Winter : Season::Summer);
        at.add(Mesh::Column, bark, {0, 0, 0}, {thick, height * 0.3f, thick});
        const float width = height * rng.uniform(0.32f, 0.45f);
        for (int i = 0; i < 4; ++i) {
            const float step = static_cast<float>(i);
            const float size = width * (1 - 0.2f * step);
            at.add(Mesh::Cone, needles, {0, height * (0.12f + 0.2f * step), 0}, {size, height * 0.36f, size}, step);
        }
        return;
    }
    if (season == Season::Winter) {
        add_branches(at, rng, bark, {0, 0, 0}, {0, 1, 0}, trunk * 1.25f, 3);
        return;
    }
    at.add(Mesh::Column, bark, {0, 0, 0}, {thick, trunk * 1.5f, thick});
    Look crown = leaves(rng, season);
    if (kind == 2) {  // poplar
        const float width = height * 0.26f;
        at.add(Mesh::Blob, crown, {0, height * 0.14f, 0}, {width, height * 0.86f, width});
        return;
    }
    const float width = height * rng.uniform(0.45f, 0.75f), crown_height = height - trunk;
    at.add(Mesh::Blob, crown, {0, trunk, 0}, {width * 0.8f, crown_height * 0.9f, width * 0.8f}, rng.uniform(0, 6.0f));
    const int blobs = rng.integer(4, 7);
    for (int i = 0; i < blobs; ++i) {
        const float angle =
            glm::two_pi<float>() * (static_cast<float>(i) + rng.uniform(-0.3f, 0.3f)) / static_cast<float>(blobs);
        const float size = width * rng.uniform(0.42f, 0.62f), reach = width * rng.uniform(0.2f, 0.34f);
        crown.seed = rng.uniform();
        at.add(Mesh::Blob, crown,
               {std::cos(angle) * reach, trunk + crown_height * rng.uniform(0.0f, 0.5f), std::sin(angle) * reach},
               {size, size * rng.uniform(0.8f, 1.1f), size}, angle);
    }
}

void add_bush(const Builder& at, Rng& rng, Season season, float size) {
    Look look = leaves(rng, season);
    for (int i = rng.integer(1, 3); i > 0; --i) {
        look.seed = rng.uniform();
        const float width = size * rng.uniform(0.8f, 1.3f);
        at.add(Mesh::Blob, look, {rng.uniform(-0.4f, 0.4f) * size, -0.15f * size, rng.uniform(-0.4f, 0.4f) * size},
               {width, size * rng.uniform(0.8f, 1.2f), width}, rng.uniform(0, 6.0f));
    }
}

void add_hedge(const Builder& at, Rng& rng, Season season, float length, float height) {
    Look look = leaves(rng, season);
    look.style = 1;
    at.add(Mesh::Slab, look, {0, 0, length * 0.5f}, {rng.uniform(0.5f, 0.9f), height, length});
}

}  // namespace vkseg::sim
