#include "apps/simulator/scene/props.hpp"

#include <cmath>

namespace vkseg::sim {

namespace {

struct Clothes {
    Look skin, hair, top, legs, shoes;
};

Clothes dress(Rng& rng, Label label) {
    const auto cloth = [&](glm::vec3 colour) {
        Look look{Material::Cloth, label, colour, colour * rng.uniform(0.3f, 1.6f)};
        look.style = static_cast<float>(rng.integer(0, 5));
        look.seed = rng.uniform();
        return look;
    };
    const auto plain = [&](glm::vec3 colour) { return Look{Material::Plain, label, colour, colour}; };
    const float tone = rng.uniform();
    Clothes clothes;
    clothes.skin = plain(glm::mix(rgb(0.96f, 0.80f, 0.69f), rgb(0.30f, 0.19f, 0.13f), tone * tone));
    static constexpr std::array<glm::vec3, 6> hairs{{{0.01f, 0.01f, 0.01f},
                                                     {0.03f, 0.015f, 0.008f},
                                                     {0.1f, 0.05f, 0.02f},
                                                     {0.4f, 0.28f, 0.1f},
                                                     {0.3f, 0.3f, 0.3f},
                                                     {0.2f, 0.04f, 0.02f}}};
    clothes.hair = plain(rng.pick(hairs));
    clothes.top = cloth(rng.chance(0.35f) ? glm::vec3(rng.uniform(0.01f, 0.7f)) : paint_colour(rng));
    clothes.legs = cloth(rng.chance(0.6f) ? hsv(0.6f, rng.uniform(0.1f, 0.6f), rng.uniform(0.08f, 0.5f))
                                          : paint_colour(rng) * 0.7f);
    clothes.shoes = plain(rng.chance(0.6f) ? glm::vec3(0.02f) : glm::vec3(0.6f));
    return clothes;
}

void add_head(const Builder& at, const Clothes& clothes, Rng& rng, glm::vec3 neck, float size) {
    at.add(Mesh::Sphere, clothes.skin, neck, {0.17f * size, 0.25f * size, 0.2f * size});
    const bool long_hair = rng.chance(0.4f);
    at.add(Mesh::Sphere, clothes.hair, neck + glm::vec3(0, (long_hair ? 0.02f : 0.1f) * size, -0.03f * size),
           {0.2f * size, (long_hair ? 0.27f : 0.18f) * size, 0.21f * size});
}

}  // namespace

void add_person(const Builder& at, Rng& rng, float stride, bool standing) {
    const float size = rng.chance(0.12f) ? rng.uniform(0.6f, 0.85f) : rng.uniform(0.92f, 1.08f);
    const float girth = rng.uniform(0.9f, 1.25f);
    const Clothes clothes = dress(rng, Label::Person);
    const bool skirt = rng.chance(0.2f), coat = rng.chance(0.25f);
    const float swing = standing ? 0.03f : std::sin(stride) * 0.30f;
    const float hip = 0.88f * size, shoulder = 1.42f * size;
    for (const float side : {-1.0f, 1.0f}) {
        const glm::vec3 foot{side * 0.1f * size, 0.05f, side * swing * size};
        const glm::vec3 knee{side * 0.095f * size, 0.48f * size, side * swing * 0.62f * size + 0.03f};
        at.beam(Mesh::Capsule, skirt ? clothes.skin : clothes.legs, foot, knee, 0.13f * size * girth);
        at.beam(Mesh::Capsule, clothes.legs, knee, {side * 0.085f * size, hip, 0}, 0.17f * size * girth);
        at.add(Mesh::Box, clothes.shoes, {foot.x, 0, foot.z + 0.05f}, {0.1f * size, 0.09f, 0.26f * size});
        const glm::vec3 hand{side * 0.29f * size, 0.78f * size, -side * swing * 0.8f * size + 0.05f};
        const glm::vec3 elbow{side * 0.28f * size, 1.1f * size, -side * swing * 0.35f * size - 0.03f};
        at.beam(Mesh::Capsule, clothes.top, {side * 0.21f * size, shoulder - 0.02f, 0}, elbow, 0.115f * size * girth);
        at.beam(Mesh::Capsule, rng.chance(0.5f) ? clothes.top : clothes.skin, elbow, hand, 0.095f * size);
    }
    at.add(Mesh::Capsule, clothes.top, {0, hip - 0.08f, 0},
           {0.40f * size * girth, shoulder - hip + 0.14f, 0.26f * size * girth});
    if (skirt || coat)
        at.add(Mesh::Capsule, coat ? clothes.top : clothes.legs, {0, 0.5f * size, 0},
               {0.42f * size * girth, 0.6f * size, 0.32f * size * girth});
    add_head(at, clothes, rng, {0, shoulder + 0.06f * size, 0.02f}, size);
    if (rng.chance(0.25f))
        at.add(Mesh::Box, {Material::Cloth, Label::Person, paint_colour(rng), glm::vec3(0.1f)},
               {0, 1.0f * size, -0.2f * size}, {0.3f, 0.42f, 0.17f});
    else if (rng.chance(0.25f))
        at.add(Mesh::Box, {Material::Cloth, Label::Person, paint_colour(rng), glm::vec3(0.1f)},
               {0.36f * size, 0.5f * size, 0.02f}, {0.14f, 0.34f, 0.32f});
    at.add(Mesh::Slab, {Material::ContactShadow}, {0, 0.012f, 0}, {0.75f, 0.001f, 0.75f});
}

void add_rider(const Builder& at, Rng& rng, glm::vec3 seat, glm::vec3 hands, glm::vec3 left_foot, glm::vec3 right_foot,
               bool helmet) {
    const Clothes clothes = dress(rng, Label::Rider);
    const float lean = rng.uniform(0.05f, 0.3f);
    const glm::vec3 shoulder = seat + glm::vec3(0, 0.52f, lean);
    at.beam(Mesh::Capsule, clothes.top, seat - glm::vec3(0, 0.06f, 0), shoulder + glm::vec3(0, 0.06f, 0), 0.36f);
    for (const float side : {-1.0f, 1.0f}) {
        const glm::vec3 foot = side < 0 ? left_foot : right_foot;
        const glm::vec3 hip = seat + glm::vec3(side * 0.1f, -0.02f, 0.05f);
        const glm::vec3 knee = (hip + foot) * 0.5f + glm::vec3(side * 0.05f, 0.08f, 0.22f);
        at.beam(Mesh::Capsule, clothes.legs, foot, knee, 0.13f);
        at.beam(Mesh::Capsule, clothes.legs, knee, hip, 0.17f);
        at.add(Mesh::Box, clothes.shoes, foot - glm::vec3(0, 0.05f, -0.04f), {0.1f, 0.09f, 0.26f});
        const glm::vec3 hand{side * hands.x, hands.y, hands.z};
        const glm::vec3 from = shoulder + glm::vec3(side * 0.2f, 0, 0);
        const glm::vec3 elbow = (from + hand) * 0.5f + glm::vec3(side * 0.07f, -0.07f, 0);
        at.beam(Mesh::Capsule, clothes.top, from, elbow, 0.115f);
        at.beam(Mesh::Capsule, clothes.top, elbow, hand, 0.1f);
    }
    const glm::vec3 neck = shoulder + glm::vec3(0, 0.07f, 0.06f);
    add_head(at, clothes, rng, neck, 1);
    if (helmet)
        at.add(Mesh::Sphere, {Material::Plain, Label::Rider, paint_colour(rng), glm::vec3(0.1f)},
               neck + glm::vec3(0, 0.07f, 0), {0.26f, 0.24f, 0.3f});
}

}  // namespace vkseg::sim
