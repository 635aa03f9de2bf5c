#include "apps/simulator/scene/city.hpp"

#include <glm/gtc/constants.hpp>

#include <algorithm>
#include <cmath>

namespace vkseg::sim {

namespace {

constexpr float depth_of_view_m = 62;  // how far lots reach from the middle of the street

/// One side of a block: x away from the street, f along it, the middle of the block at f = 0.
struct Side {
    const City& city;
    Builder at;
    Rng rng;
    float half_m;  ///< of the block's length without its crossing
};

void add_lot_ground(Side& side, float begin, float end, Material material, Label label, glm::vec3 colour) {
    Look look{material, label, colour, colour * 0.7f};
    look.style = static_cast<float>(side.rng.integer(0, 3));
    look.seed = side.rng.uniform();
    const float front = side.city.front_x_m();
    side.at.add(Mesh::Slab, look, {(front + depth_of_view_m) * 0.5f, -0.1f, (begin + end) * 0.5f},
                {depth_of_view_m - front, 0.1f + side.city.curb_m - 0.01f, end - begin});
}

/// Fence, wall or hedge along the front of a lot.
void add_border(Side& side, float begin, float end, float x) {
    Rng& rng = side.rng;
    const Builder from = side.at.within({x, side.city.curb_m - 0.02f, begin});
    const float length = end - begin;
    const float kind = rng.uniform();
    if (kind < 0.4f)
        add_fence(from, rng, length, rng.uniform(0.9f, 2.2f), rng.integer(0, 3));
    else if (kind < 0.4f + 0.35f)
        add_wall(from, rng, length, rng.uniform(0.7f, 2.6f));
    else if (kind < 0.9f)
        add_hedge(from, rng, side.city.season, length, rng.uniform(0.7f, 2.0f));
}

void add_trees(Side& side, float begin, float end, float x0, float x1, int count) {
    for (int i = 0; i < count; ++i) {
        const glm::vec3 place{side.rng.uniform(x0, x1), side.city.curb_m, side.rng.uniform(begin, end)};
        if (side.rng.chance(0.75f))
            add_tree(side.at.within(place), side.rng, side.city.season, side.rng.uniform(5, 15));
        else
            add_bush(side.at.within(place), side.rng, side.city.season, side.rng.uniform(0.7f, 2.0f));
    }
}

void add_lot(Side& side, float begin, float end) {
    const City& city = side.city;
    Rng& rng = side.rng;
    const float front = city.front_x_m(), length = end - begin, middle = (begin + end) * 0.5f;
    const float kind = rng.uniform();
    const int spread = rng.integer(-1, 2);
    const int floors = std::max(1, static_cast<int>(city.floors) + spread);
    const float y = city.curb_m - 0.02f;
    if (kind < city.urban) {
        const bool garden = city.setback_m > 2;
        add_lot_ground(side, begin, end, garden ? Material::Grass : Material::Paving,
                       garden ? Label::Terrain : Label::Sidewalk, garden ? city.grass : city.paving * 0.9f);
        add_building(side.at.within({front + city.setback_m, y, middle}), rng, length, rng.uniform(10, 15), floors,
                     rng.integer(0, floors > 6 ? 3 : 2), city.lights_on);
        if (garden) {
            if (rng.chance(0.7f)) add_border(side, begin, end, front + 0.2f);
            add_trees(side, begin, end, front + 0.9f, front + city.setback_m - 0.6f, rng.integer(0, 3));
        }
    } else if (kind < city.urban + city.green) {
        add_lot_ground(side, begin, end, Material::Grass, Label::Terrain, city.grass);
        if (rng.chance(0.55f)) add_border(side, begin, end, front + 0.3f);
        add_trees(side, begin, end, front + 2, front + 32, static_cast<int>(length * rng.uniform(0.25f, 0.6f)));
    } else if (kind < city.urban + city.green + city.walled) {
        add_lot_ground(side, begin, end, Material::Asphalt, Label::Terrain, glm::vec3(0.2f, 0.17f, 0.13f));
        const Builder from = side.at.within({front + 0.3f, y, begin});
        if (rng.chance(0.65f))
            add_wall(from, rng, length, rng.uniform(1.4f, 3.6f));
        else
            add_fence(from, rng, length, rng.uniform(1.4f, 2.6f), rng.integer(0, 3));
        add_trees(side, begin, end, front + 3, front + 12, rng.integer(0, 4));
        if (rng.chance(0.6f))
            add_building(side.at.within({front + 16, y, middle}), rng, length * 0.9f, 14, std::min(floors, 4),
                         rng.integer(0, 2), city.lights_on);
    } else {  // a house in its garden
        add_lot_ground(side, begin, end, Material::Grass, Label::Terrain, city.grass);
        add_border(side, begin, end, front + 0.25f);
        const float back = rng.uniform(3.5f, 8.0f);
        add_building(side.at.within({front + back, y, middle}), rng, length * rng.uniform(0.55f, 0.8f),
                     rng.uniform(8, 12), rng.integer(1, 3), rng.integer(0, 1), city.lights_on);
        add_trees(side, begin, end, front + 1.2f, front + back - 1, rng.integer(1, 4));
    }
}

/// What stands further back, and along the side streets.
void add_backdrop(Side& side) {
    Rng& rng = side.rng;
    const City& city = side.city;
    const auto floors = [&] { return std::max(2, static_cast<int>(city.floors * rng.uniform(0.8f, 1.8f))); };
    for (float f = -side.half_m + 14; f < side.half_m - 12; f += rng.uniform(22, 34))
        if (rng.chance(0.75f))
            add_building(side.at.within({city.front_x_m() + rng.uniform(30, 36), 0, f}), rng, rng.uniform(14, 22), 14,
                         floors(), rng.integer(0, 3), city.lights_on);
    for (const float end : {-1.0f, 1.0f})
        for (float x = city.front_x_m() + 22; x < depth_of_view_m - 4;) {
            const float length = rng.uniform(9, 16);
            if (rng.chance(0.8f))
                add_building(
                    side.at.within({x + length * 0.5f, 0, end * (side.half_m - 2.8f)}, end * glm::half_pi<float>()),
                    rng, length, 11, floors(), rng.integer(0, 2), city.lights_on);
            x += length;
        }
    // The end of the side street.
    add_building(side.at.within({depth_of_view_m + 1, 0, side.half_m + city.crossing_m * 0.5f}), rng, 34, 10, floors(),
                 rng.integer(0, 2), city.lights_on);
}

void add_sidewalk_things(Side& side, int block, bool left) {
    const City& city = side.city;
    Rng& rng = side.rng;
    const float edge = city.curb_x_m() + 0.45f, y = city.curb_m, half = side.half_m;
    const auto on_sidewalk = [&](float x, float f) { return side.at.within({x, y, f}); };
    // Row of trees, in the verge or in the paving.
    if (city.tree_spacing_m > 0) {
        const float x = city.verge_m > 1 ? city.curb_x_m() + city.verge_m * 0.5f : city.curb_x_m() + 0.9f;
        for (float f = -half + rng.uniform(5, 9); f < half - 6; f += city.tree_spacing_m * rng.uniform(0.8f, 1.3f))
            if (rng.chance(0.85f)) add_tree(on_sidewalk(x, f), rng, city.season, rng.uniform(4.5f, 10));
    }
    const float lamp_height = city.lamp_style == 1 ? 4.2f : 7.5f;
    for (float f = -half + rng.uniform(6, 14); f < half - 3; f += 28)
        add_street_lamp(on_sidewalk(edge, f), rng, lamp_height, city.lamp_style, city.lights_on);
    for (int i = rng.integer(1, 5); i > 0; --i)
        add_sign_post(on_sidewalk(edge + rng.uniform(0, 0.3f), rng.uniform(-half + 4, half - 2)), rng);
    const float arm = rng.chance(0.45f) ? city.curb_x_m() * 0.8f : 0;
    const int phase = static_cast<int>(mix_bits(city.seed, static_cast<uint64_t>(block + 1000)) % 3);
    add_traffic_light(on_sidewalk(edge, half - 4.8f), rng, phase, arm);
    if (rng.chance(0.5f)) add_traffic_light(on_sidewalk(edge, -half + 1.0f), rng, phase, 0);
    if (rng.chance(0.4f))
        for (float f = -half + 6; f < -half + 20; f += 1.6f) add_bollard(on_sidewalk(edge - 0.1f, f), rng);
    if (rng.chance(city.street_fences)) {
        const float begin = rng.uniform(-half + 5, 0);
        add_fence(on_sidewalk(edge - 0.25f, begin), rng, rng.uniform(8, half - 8), rng.uniform(0.8f, 1.2f),
                  rng.integer(0, 2));
    }
    if (city.verge_m > 1)
        for (int i = rng.integer(0, 4); i > 0; --i)
            add_bush(on_sidewalk(city.curb_x_m() + city.verge_m * 0.5f, rng.uniform(-half + 4, half - 6)), rng,
                     city.season, rng.uniform(0.5f, 1.0f));
    // Bicycles and motorcycles that nobody sits on.
    VehicleState parked;
    parked.ridden = false;
    for (int groups = rng.integer(1, 5); groups > 0; --groups) {
        const float f = rng.uniform(-half + 6, half - 10);
        const bool bicycles = rng.chance(0.65f), across = rng.chance(0.6f);
        const float x = rng.chance(0.5f) ? edge + 0.9f : city.front_x_m() - (across ? 1.1f : 0.5f);
        const int count = rng.integer(1, bicycles ? 6 : 3);
        for (int i = 0; i < count; ++i) {
            const float step = across ? 0.65f : 2.1f;
            const Builder stand =
                side.at.within({x, y, f + static_cast<float>(i) * step}, across ? 1.45f : rng.uniform(-0.1f, 0.1f));
            add_vehicle(stand.leaning(rng.uniform(0.05f, 0.15f)),
                        bicycles ? VehicleKind::Bicycle : VehicleKind::Motorcycle, parked, rng);
        }
    }
    for (int groups = rng.integer(0, static_cast<int>(3 * city.people)); groups > 0; --groups) {
        const float f = rng.uniform(-half + 3, half - 3), x = rng.uniform(edge + 0.8f, city.front_x_m() - 0.5f);
        for (int i = rng.integer(1, 3); i > 0; --i)
            add_person(
                side.at.within({x + rng.uniform(-0.6f, 0.6f), y, f + rng.uniform(-0.8f, 0.8f)}, rng.uniform(0, 6.28f)),
                rng, 0, true);
    }
    if (city.parking) {
        const float shift = left ? 0.1f : 0.0f;
        for (float f = -half + 7; f < half - 9; f += rng.uniform(5.6f, 7.0f)) {
            if (!rng.chance(city.parked)) continue;
            const float kind = rng.uniform();
            const VehicleKind what = kind < 0.82f   ? VehicleKind::Car
                                     : kind < 0.94f ? VehicleKind::Van
                                     : kind < 0.97f ? VehicleKind::Motorcycle
                                                    : VehicleKind::Truck;
            const float turn = rng.chance(0.1f) ? glm::pi<float>() : rng.uniform(-0.03f, 0.03f);
            const VehicleSize room =
                add_vehicle(side.at.within({city.curb_x_m() - 1.2f + shift, 0, f}, turn), what, parked, rng);
            f += std::max(0.0f, room.length_m - 5);
        }
    }
}

void add_median_things(const Builder& root, const City& city, Rng& rng, float begin, float end) {
    if (city.median_half_m < 0.7f || city.tram) return;
    const float y = city.curb_m;
    const int kind = rng.integer(0, 4);
    if (kind == 0) add_fence(root.within({0, y, begin}), rng, end - begin, rng.uniform(0.8f, 1.3f), rng.integer(0, 2));
    if (kind == 1) add_hedge(root.within({0, y, begin}), rng, city.season, end - begin, rng.uniform(0.5f, 1.2f));
    if (kind == 2) add_wall(root.within({0, y, begin}), rng, end - begin, rng.uniform(0.6f, 0.9f));
    if (kind >= 2)
        for (float s = begin + 3; s < end - 2; s += rng.uniform(8, 14))
            add_tree(root.within({rng.uniform(-0.3f, 0.3f), y, s}), rng, city.season, rng.uniform(4, 8));
}

}  // namespace

int City::light_phase(int block, float time_s) const {
    const float turn = time_s / 18.0f + static_cast<float>(mix_bits(seed, static_cast<uint64_t>(block + 1000)) % 97);
    const float part = turn - std::floor(turn);
    return part < 0.45f ? 2 : part < 0.52f ? 1 : 0;
}

City make_city(uint64_t seed, bool lights_on) {
    Rng rng(mix_bits(seed, 1));
    City city;
    city.seed = seed;
    city.lights_on = lights_on;
    city.season = static_cast<Season>(rng.integer(0, 11) % 4 == 3 && rng.chance(0.4f) ? 1 : rng.integer(0, 3));
    city.block_m = rng.uniform(65, 120);
    city.crossing_m = rng.uniform(8, 15);
    city.lanes = rng.chance(0.6f) ? 1 : 2;
    city.lane_m = rng.uniform(2.9f, 3.6f);
    city.tram = rng.chance(0.3f);
    if (rng.chance(0.35f)) city.median_half_m = city.tram ? 3.3f : rng.uniform(0.6f, 2.4f);
    city.median_green = rng.chance(0.7f);
    city.parking = rng.chance(0.6f);
    city.verge_m = rng.chance(0.4f) ? rng.uniform(0.8f, 2.4f) : 0;
    city.sidewalk_m = rng.uniform(1.8f, 5.0f);
    city.curb_m = rng.uniform(0.08f, 0.16f);
    const int character = rng.integer(0, 4);
    switch (character) {
        case 0:  // the centre: rows of houses
        case 1:
            city.urban = rng.uniform(0.75f, 0.95f);
            city.green = 0.06f;
            city.walled = 0.06f;
            city.floors = rng.uniform(3, 8);
            break;
        case 2:  // gardens
            city.urban = 0.15f;
            city.green = 0.15f;
            city.walled = 0.15f;
            city.floors = rng.uniform(1, 3);
            city.setback_m = rng.uniform(2.5f, 6);
            break;
        case 3:  // works and walls
            city.urban = 0.25f;
            city.green = 0.15f;
            city.walled = 0.5f;
            city.floors = rng.uniform(1, 5);
            break;
        default:  // parks and blocks
            city.urban = 0.35f;
            city.green = 0.45f;
            city.walled = 0.1f;
            city.floors = rng.uniform(2, 12);
            city.setback_m = rng.chance(0.5f) ? rng.uniform(2.5f, 7) : 0;
    }
    city.tree_spacing_m = rng.chance(0.65f) ? rng.uniform(7, 18) : 0;
    city.people = rng.uniform(0.5f, 3.0f);
    city.parked = rng.uniform(0.25f, 0.95f);
    city.street_fences = rng.chance(0.45f) ? 0.85f : 0.15f;
    city.lamp_style = rng.integer(0, 2);
    city.asphalt =
        glm::vec3(rng.uniform(0.03f, 0.17f)) * glm::vec3(rng.uniform(0.95f, 1.1f), 1, rng.uniform(0.9f, 1.1f));
    city.paving = rng.chance(0.65f)
                      ? glm::vec3(rng.uniform(0.12f, 0.45f)) * glm::vec3(1.04f, 1, rng.uniform(0.85f, 1.02f))
                      : hsv(rng.uniform(0, 0.1f), rng.uniform(0.1f, 0.45f), rng.uniform(0.4f, 0.7f));
    city.paving_style = rng.integer(0, 3);
    switch (city.season) {
        case Season::Spring:
            city.grass = hsv(rng.uniform(0.2f, 0.28f), 0.6f, rng.uniform(0.4f, 0.55f));
            break;
        case Season::Summer:
            city.grass = hsv(rng.uniform(0.14f, 0.3f), rng.uniform(0.35f, 0.65f), rng.uniform(0.35f, 0.55f));
            break;
        case Season::Autumn:
            city.grass = hsv(rng.uniform(0.1f, 0.22f), 0.5f, rng.uniform(0.35f, 0.5f));
            break;
        case Season::Winter:
            city.grass = rng.chance(0.3f) ? glm::vec3(0.7f, 0.72f, 0.76f) : hsv(rng.uniform(0.1f, 0.2f), 0.35f, 0.4f);
            break;
    }
    return city;
}

Items make_block(const City& city, int block) {
    Items items;
    items.reserve(1500);
    const Builder root(items);
    add_ground(root, city, block);
    const float begin = static_cast<float>(block) * city.block_m, end = begin + city.block_m - city.crossing_m;
    const uint64_t key = mix_bits(city.seed, static_cast<uint64_t>(block + 100000));
    for (const bool left : {false, true}) {
        Side side{city, root.within({0, 0, (begin + end) * 0.5f}, left ? glm::pi<float>() : 0.0f),
                  Rng(mix_bits(key, left ? 2 : 1)), (end - begin) * 0.5f};
        const float last = side.half_m - 2.5f;
        for (float f = -last; f < last - 1;) {
            float length = side.rng.uniform(9, 24);
            if (last - (f + length) < 8) length = last - f;
            add_lot(side, f, f + length);
            f += length;
        }
        add_backdrop(side);
        add_sidewalk_things(side, block, left);
    }
    Rng rng(mix_bits(key, 3));
    add_median_things(root, city, rng, begin + 7, end - 7);
    return items;
}

}  // namespace vkseg::sim
