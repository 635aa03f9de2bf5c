#include "apps/simulator/scene/city.hpp"

namespace vkseg::sim {

namespace {

constexpr float far_x_m = 62;

struct Span {
    float begin, end;
    [[nodiscard]] float middle() const { return (begin + end) * 0.5f; }
    [[nodiscard]] float length() const { return end - begin; }
};

/// A slab with its upper face at `top`.
void add_slab(const Builder& root, const Look& look, Span x, Span s, float top) {
    root.add(Mesh::Slab, look, {x.middle(), top - 0.3f, s.middle()}, {x.length(), 0.3f, s.length()});
}

void add_mark(const Builder& root, const Look& look, Span x, Span s) {
    root.add(s.length() > 8 ? Mesh::Slab : Mesh::Box, look, {x.middle(), -0.01f, s.middle()},
             {x.length(), 0.018f, s.length()});
}

void add_line(const Builder& root, const Look& look, float x, Span s, float width, bool dashed) {
    const Span across{x - width * 0.5f, x + width * 0.5f};
    if (!dashed) return add_mark(root, look, across, s);
    for (float at = s.begin; at + 3 < s.end; at += 8) add_mark(root, look, across, {at, at + 3});
}

void add_crosswalk(const Builder& root, const Look& look, float half_width, Span s, int style) {
    if (style == 0) {
        for (float x = -half_width + 0.5f; x < half_width - 0.6f; x += 1.0f) add_mark(root, look, {x, x + 0.5f}, s);
    } else {
        add_mark(root, look, {-half_width, half_width}, {s.begin, s.begin + 0.15f});
        add_mark(root, look, {-half_width, half_width}, {s.end - 0.15f, s.end});
    }
}

void add_markings(const Builder& root, const City& city, Rng& rng, Span street) {
    Look white{Material::Marking, Label::Road, glm::vec3(rng.uniform(0.45f, 0.75f)), city.asphalt};
    white.style = rng.uniform(0.0f, 0.6f);  // how worn
    Look middle = white;
    if (rng.chance(0.25f)) middle.colour = rgb(0.85f, 0.65f, 0.15f);
    const Span free{street.begin + 6, street.end - 6};
    const float stop = street.end - 5.5f, stop_other = street.begin + 5.5f;
    if (city.median_half_m < 0.3f) {
        const int style = rng.integer(0, 3);
        if (style == 0) add_line(root, middle, 0, free, 0.12f, true);
        if (style == 1) add_line(root, middle, 0, free, 0.15f, false);
        if (style == 2)
            for (const float x : {-0.14f, 0.14f}) add_line(root, middle, x, free, 0.1f, false);
    }
    for (const float side : {-1.0f, 1.0f}) {
        for (int lane = 1; lane < city.lanes; ++lane)
            add_line(root, white, side * (city.median_half_m + city.lane_m * static_cast<float>(lane)), free, 0.12f,
                     true);
        if (city.parking || rng.chance(0.4f))
            add_line(root, white, side * city.road_edge_m(), free, 0.12f, city.parking && rng.chance(0.5f));
    }
    const float inner = city.median_half_m + 0.1f, outer = city.road_edge_m();
    add_mark(root, white, {inner, outer}, {stop, stop + 0.4f});
    add_mark(root, white, {-outer, -inner}, {stop_other - 0.4f, stop_other});
    if (rng.chance(0.8f)) {
        const int style = rng.chance(0.8f) ? 0 : 1;
        add_crosswalk(root, white, city.curb_x_m() - 0.2f, {street.end - 4.2f, street.end - 1.2f}, style);
        add_crosswalk(root, white, city.curb_x_m() - 0.2f, {street.begin + 1.2f, street.begin + 4.2f}, style);
    }
    if (rng.chance(0.5f))  // an arrow in each lane
        for (int lane = 0; lane < city.lanes; ++lane) {
            const float x = city.lane_centre_m(lane);
            add_mark(root, white, {x - 0.08f, x + 0.08f}, {stop - 9, stop - 5});
            for (int step = 0; step < 3; ++step) {
                const float half = 0.36f - 0.12f * static_cast<float>(step);
                const float at = stop - 5 + 0.4f * static_cast<float>(step);
                add_mark(root, white, {x - half, x + half}, {at, at + 0.4f});
            }
        }
}

void add_rails(const Builder& root, const City& city, Span street, Span crossing) {
    Look steel{Material::Plain, Label::Road, glm::vec3(0.22f), glm::vec3(0.2f)};
    const bool own_bed = city.median_half_m > 1;
    const float centre = own_bed ? city.median_half_m * 0.5f : city.lane_centre_m(0);
    const Label bed = !own_bed ? Label::Road : city.median_green ? Label::Terrain : Label::Sidewalk;
    const Span ends[3] = {
        {street.begin, street.begin + 6}, {street.begin + 6, street.end - 6}, {street.end - 6, crossing.end}};
    for (const Span& part : ends) {
        steel.label = &part == &ends[1] ? bed : Label::Road;
        for (const float side : {-1.0f, 1.0f})
            for (const float rail : {-0.72f, 0.72f}) add_line(root, steel, side * centre + rail, part, 0.08f, false);
    }
}

}  // namespace

void add_ground(const Builder& root, const City& city, int block) {
    Rng rng(mix_bits(mix_bits(city.seed, static_cast<uint64_t>(block + 100000)), 4));
    const Span whole{static_cast<float>(block) * city.block_m, static_cast<float>(block + 1) * city.block_m};
    const Span street{whole.begin, whole.end - city.crossing_m}, crossing{street.end, whole.end};
    const float curb = city.curb_x_m(), walk = city.sidewalk_x_m(), front = city.front_x_m();

    Look asphalt{Material::Asphalt, Label::Road, city.asphalt, city.asphalt * 0.7f};
    asphalt.seed = rng.uniform();
    asphalt.style = static_cast<float>(rng.integer(0, 5));  // 0: cobbles
    add_slab(root, asphalt, {-curb, curb}, street, 0);
    add_slab(root, asphalt, {-curb, curb}, crossing, 0);
    for (const float side : {-1.0f, 1.0f}) {
        const auto across = [&](float from, float to) { return side > 0 ? Span{from, to} : Span{-to, -from}; };
        asphalt.seed = rng.uniform();
        add_slab(root, asphalt, across(curb, far_x_m), crossing, 0);

        Look paving{Material::Paving, Label::Sidewalk, city.paving * rng.uniform(0.85f, 1.15f), city.paving * 0.6f};
        paving.style = static_cast<float>(city.paving_style);
        paving.seed = rng.uniform();
        const float top = city.curb_m;
        const Look stone{Material::Plain, Label::Sidewalk, glm::vec3(0.25f), glm::vec3(0.2f)};
        add_slab(root, stone, across(curb, curb + 0.18f), street, top + 0.004f);
        if (city.verge_m > 0.3f) {
            Look grass{Material::Grass, Label::Terrain, city.grass, city.grass * 0.6f};
            grass.seed = rng.uniform();
            add_slab(root, grass, across(curb + 0.18f, walk), {street.begin + 6, street.end - 6}, top - 0.01f);
            add_slab(root, paving, across(curb + 0.18f, walk), {street.begin, street.begin + 6}, top);
            add_slab(root, paving, across(curb + 0.18f, walk), {street.end - 6, street.end}, top);
        }
        add_slab(root, paving, across(city.verge_m > 0.3f ? walk : curb + 0.18f, front), street, top);
        add_slab(root, paving, across(front, far_x_m), {street.begin, street.begin + 2.5f}, top);
        add_slab(root, paving, across(front, far_x_m), {street.end - 2.5f, street.end}, top);
    }
    if (city.median_half_m > 0.3f) {
        const bool green = city.median_green;
        Look middle{green ? Material::Grass : Material::Paving, green ? Label::Terrain : Label::Sidewalk,
                    green ? city.grass : city.paving, city.paving * 0.6f};
        middle.seed = rng.uniform();
        const float half = city.median_half_m - 0.15f;
        add_slab(root, middle, {-half, half}, {street.begin + 6, street.end - 6}, city.tram ? 0.004f : city.curb_m);
    }
    if (city.tram) add_rails(root, city, street, crossing);
    add_markings(root, city, rng, street);
}

}  // namespace vkseg::sim
