#include "apps/simulator/scene/meshes.hpp"

#include "apps/simulator/scene/random.hpp"

#include <glm/gtc/constants.hpp>

#include <cmath>

namespace vkseg::sim {

namespace {

constexpr float body = 0, glass = 1, trim = 2;

class Sculptor {
public:
    explicit Sculptor(MeshLibrary& library) : library_(library) {}

    /// Corners counter-clockwise seen from outside; uv runs (0,0) (1,0) (1,1) (0,1).
    void quad(glm::vec3 a, glm::vec3 b, glm::vec3 c, glm::vec3 d, float part = body) {
        const glm::vec3 normal = glm::normalize(glm::cross(c - a, d - b));
        const uint32_t first = vertex(a, normal, {0, 0}, part);
        vertex(b, normal, {1, 0}, part);
        vertex(c, normal, {1, 1}, part);
        vertex(d, normal, {0, 1}, part);
        triangle(first, first + 1, first + 2);
        triangle(first, first + 2, first + 3);
    }

    uint32_t vertex(glm::vec3 position, glm::vec3 normal, glm::vec2 uv = {}, float part = body) {
        library_.vertices.push_back({position, normal, uv, part});
        return static_cast<uint32_t>(library_.vertices.size() - 1);
    }

    void triangle(uint32_t a, uint32_t b, uint32_t c) { library_.indices.insert(library_.indices.end(), {a, b, c}); }

    void flat_triangle(glm::vec3 a, glm::vec3 b, glm::vec3 c) {
        const glm::vec3 normal = glm::normalize(glm::cross(b - a, c - a));
        const uint32_t first = vertex(a, normal);
        vertex(b, normal);
        vertex(c, normal);
        triangle(first, first + 1, first + 2);
    }

    struct Ring {
        float back, front, half_width, y;
    };
    struct Parts {
        float sides = body, front = body, back = body, top = body;
    };

    /// Between a lower and an upper rectangle; forward is -z.
    void frustum(const Ring& low, const Ring& high, const Parts& parts) {
        const glm::vec3 l[4] = {{-low.half_width, low.y, -low.back},
                                {low.half_width, low.y, -low.back},
                                {low.half_width, low.y, -low.front},
                                {-low.half_width, low.y, -low.front}};
        const glm::vec3 h[4] = {{-high.half_width, high.y, -high.back},
                                {high.half_width, high.y, -high.back},
                                {high.half_width, high.y, -high.front},
                                {-high.half_width, high.y, -high.front}};
        quad(l[0], l[1], h[1], h[0], parts.back);
        quad(l[1], l[2], h[2], h[1], parts.sides);
        quad(l[2], l[3], h[3], h[2], parts.front);
        quad(l[3], l[0], h[0], h[3], parts.sides);
        quad(h[0], h[1], h[2], h[3], parts.top);
    }

private:
    MeshLibrary& library_;
};

void box(Sculptor& s, int divisions) {
    const auto at = [](float x, float y, float z) { return glm::vec3(x, y, z); };
    s.quad(at(-.5f, 0, .5f), at(.5f, 0, .5f), at(.5f, 1, .5f), at(-.5f, 1, .5f));
    s.quad(at(.5f, 0, -.5f), at(-.5f, 0, -.5f), at(-.5f, 1, -.5f), at(.5f, 1, -.5f));
    for (int i = 0; i < divisions; ++i) {
        const float a = 0.5f - static_cast<float>(i) / static_cast<float>(divisions);
        const float b = 0.5f - static_cast<float>(i + 1) / static_cast<float>(divisions);
        s.quad(at(.5f, 0, a), at(.5f, 0, b), at(.5f, 1, b), at(.5f, 1, a));
        s.quad(at(-.5f, 0, b), at(-.5f, 0, a), at(-.5f, 1, a), at(-.5f, 1, b));
        s.quad(at(-.5f, 1, a), at(.5f, 1, a), at(.5f, 1, b), at(-.5f, 1, b));
        s.quad(at(-.5f, 0, b), at(.5f, 0, b), at(.5f, 0, a), at(-.5f, 0, a));
    }
}

struct ProfilePoint {
    float radius, y;
};

/// Turned around y.
template <size_t N>
void lathe(Sculptor& s, const ProfilePoint (&profile)[N], uint32_t sides, float bumps = 0) {
    uint32_t first = 0;
    Rng rng(77);
    for (size_t ring = 0; ring < N; ++ring) {
        const ProfilePoint& before = profile[ring == 0 ? 0 : ring - 1];
        const ProfilePoint& after = profile[ring + 1 == N ? ring : ring + 1];
        const glm::vec2 slope = glm::normalize(glm::vec2(after.y - before.y, before.radius - after.radius));
        float first_bump = 1;
        for (uint32_t side = 0; side <= sides; ++side) {
            const float angle = glm::two_pi<float>() * static_cast<float>(side) / static_cast<float>(sides);
            float bump = 1 + bumps * rng.uniform(-1, 1);
            if (side == 0) first_bump = bump;
            if (side == sides) bump = first_bump;
            const glm::vec2 around(std::cos(angle), std::sin(angle));
            const glm::vec3 position(around.x * profile[ring].radius * bump, 0.5f + (profile[ring].y - 0.5f) * bump,
                                     around.y * profile[ring].radius * bump);
            const uint32_t index = s.vertex(position, {around.x * slope.x, slope.y, around.y * slope.x},
                                            {static_cast<float>(side) / static_cast<float>(sides), profile[ring].y});
            if (ring == 0 && side == 0) first = index;
        }
    }
    const uint32_t row = sides + 1;
    for (uint32_t ring = 0; ring + 1 < N; ++ring)
        for (uint32_t side = 0; side < sides; ++side) {
            const uint32_t a = first + ring * row + side, b = a + 1, c = a + row, d = c + 1;
            s.triangle(a, c, b);
            s.triangle(b, c, d);
        }
}

/// Flat along z, with `corners` corners, the first at `turn`.
void disc(Sculptor& s, uint32_t corners, float turn, float radius, float centre_y) {
    const auto corner = [&](uint32_t i, float z) {
        const float angle = turn + glm::two_pi<float>() * static_cast<float>(i) / static_cast<float>(corners);
        return glm::vec3(std::cos(angle) * radius, centre_y + std::sin(angle) * radius, z);
    };
    for (const float z : {0.5f, -0.5f}) {
        const uint32_t centre = s.vertex({0, centre_y, z}, {0, 0, z * 2}, {0.5f, 0.5f});
        for (uint32_t i = 0; i <= corners; ++i) {
            const glm::vec3 position = corner(i, z);
            s.vertex(position, {0, 0, z * 2}, {position.x + 0.5f, position.y});
        }
        for (uint32_t i = 1; i <= corners; ++i)
            if (z > 0)
                s.triangle(centre, centre + i, centre + i + 1);
            else
                s.triangle(centre, centre + i + 1, centre + i);
    }
    for (uint32_t i = 0; i < corners; ++i)
        s.quad(corner(i, 0.5f), corner(i, -0.5f), corner(i + 1, -0.5f), corner(i + 1, 0.5f), trim);
}

void gable(Sculptor& s) {
    const glm::vec3 a(-.5f, 0, .5f), b(.5f, 0, .5f), c(.5f, 0, -.5f), d(-.5f, 0, -.5f), e(0, 1, .5f), f(0, 1, -.5f);
    s.quad(b, c, f, e);
    s.quad(d, a, e, f);
    s.flat_triangle(a, b, e);
    s.flat_triangle(c, d, f);
}

using Ring = Sculptor::Ring;

/// Sills, shoulders and a cabin of glass below a painted roof.
void car(Sculptor& s, float shoulder_y, const Ring& cabin_low, const Ring& cabin_high, float hood_y) {
    s.frustum({-.48f, .48f, .46f, .13f}, {-.5f, .5f, .5f, .30f}, {trim, trim, trim, body});
    s.frustum({-.5f, .5f, .5f, .30f}, {-.49f, .47f, .49f, hood_y}, {});
    s.frustum({-.49f, cabin_low.front + .06f, .49f, hood_y}, {-.48f, cabin_low.front, .475f, shoulder_y}, {});
    s.frustum(cabin_low, cabin_high, {glass, glass, glass, body});
}

}  // namespace

MeshLibrary make_meshes() {
    MeshLibrary library;
    Sculptor s(library);
    const auto make = [&](Mesh mesh, auto sculpt) {
        MeshRange& range = library.ranges[static_cast<size_t>(mesh)];
        range.first_index = static_cast<uint32_t>(library.indices.size());
        sculpt();
        range.index_count = static_cast<uint32_t>(library.indices.size()) - range.first_index;
    };
    make(Mesh::Box, [&] { box(s, 1); });
    make(Mesh::Slab, [&] { box(s, 20); });
    make(Mesh::Column, [&] { lathe(s, {{.5f, 0}, {.5f, 1}, {.5f, 1}, {0, 1}}, 8); });
    make(Mesh::Cone, [&] { lathe(s, {{.5f, 0}, {.38f, .22f}, {.17f, .65f}, {0, 1}}, 9, 0.10f); });
    make(Mesh::Capsule, [&] { lathe(s, {{0, 0}, {.34f, .04f}, {.5f, .18f}, {.5f, .82f}, {.34f, .96f}, {0, 1}}, 8); });
    make(Mesh::Sphere, [&] { lathe(s, {{0, 0}, {.35f, .146f}, {.5f, .5f}, {.35f, .854f}, {0, 1}}, 9); });
    make(Mesh::Blob, [&] {
        lathe(s, {{0, 0}, {.25f, .067f}, {.433f, .25f}, {.5f, .5f}, {.433f, .75f}, {.25f, .933f}, {0, 1}}, 11, 0.17f);
    });
    make(Mesh::Gable, [&] { gable(s); });
    make(Mesh::Disc, [&] { disc(s, 16, 0, .5f, .5f); });
    make(Mesh::Triangle, [&] { disc(s, 3, glm::half_pi<float>(), .577f, .333f); });
    make(Mesh::Octagon, [&] { disc(s, 8, glm::pi<float>() / 8, .541f, .5f); });
    make(Mesh::Sedan, [&] { car(s, .62f, {-.40f, .20f, .45f, .62f}, {-.27f, .04f, .36f, .99f}, .58f); });
    make(Mesh::Hatchback, [&] { car(s, .60f, {-.475f, .24f, .46f, .60f}, {-.40f, .06f, .38f, .99f}, .56f); });
    make(Mesh::Suv, [&] { car(s, .60f, {-.475f, .22f, .465f, .60f}, {-.43f, .08f, .41f, .98f}, .57f); });
    make(Mesh::Van, [&] { car(s, .56f, {-.48f, .36f, .47f, .56f}, {-.47f, .20f, .43f, .99f}, .48f); });
    make(Mesh::Cab, [&] {
        s.frustum({-.48f, .49f, .48f, .08f}, {-.5f, .5f, .5f, .25f}, {trim, trim, trim, body});
        s.frustum({-.5f, .5f, .5f, .25f}, {-.5f, .48f, .5f, .52f}, {});
        s.frustum({-.5f, .48f, .5f, .52f}, {-.5f, .36f, .47f, .9f}, {glass, glass, body, body});
        s.frustum({-.5f, .36f, .47f, .9f}, {-.48f, .2f, .44f, 1}, {});
    });
    return library;
}

}  // namespace vkseg::sim
