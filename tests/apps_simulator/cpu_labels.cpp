#include "tests/apps_simulator/cpu_labels.hpp"

#include "apps/simulator/scene/meshes.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace vkseg::sim::test {

namespace {

using Polygon = std::vector<glm::dvec4>;

/// What lies in front of the near plane (w >= near).
Polygon clipped(const std::array<glm::dvec4, 3>& triangle) {
    Polygon result;
    const double near = near_plane_m;
    for (size_t i = 0; i < 3; ++i) {
        const glm::dvec4 &a = triangle[i], &b = triangle[(i + 1) % 3];
        if (a.w >= near) result.push_back(a);
        if ((a.w >= near) != (b.w >= near)) result.push_back(a + (b - a) * ((near - a.w) / (b.w - a.w)));
    }
    return result;
}

}  // namespace

CpuLabels draw_labels(const Frame& frame, int width, int height) {
    const MeshLibrary meshes = make_meshes();
    CpuLabels result{app::Image(width, height, 1), app::Image(width, height, 1)};
    std::fill(result.labels.pixels.begin(), result.labels.pixels.end(), static_cast<uint8_t>(Label::Sky));
    std::vector<double> nearness(result.labels.pixels.size(), 0);
    const glm::dmat4 to_clip =
        glm::dmat4(frame.camera.projection(static_cast<float>(width) / static_cast<float>(height))) *
        glm::dmat4(frame.camera.view());

    const auto fill = [&](const glm::dvec4& a, const glm::dvec4& b, const glm::dvec4& c, const Item& item) {
        std::array<glm::dvec3, 3> p;  // pixels, and 1/w
        const std::array<glm::dvec4, 3> corners{a, b, c};
        for (size_t i = 0; i < 3; ++i)
            p[i] = {(corners[i].x / corners[i].w * 0.5 + 0.5) * width,
                    (corners[i].y / corners[i].w * 0.5 + 0.5) * height, 1 / corners[i].w};
        const double area = (p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[1].y - p[0].y) * (p[2].x - p[0].x);
        // y runs down: what is counter-clockwise in the world is clockwise here.
        if (area >= 0) return;
        const auto [left, right] = std::minmax({p[0].x, p[1].x, p[2].x});
        const auto [top, bottom] = std::minmax({p[0].y, p[1].y, p[2].y});
        const int x0 = std::max(0, static_cast<int>(std::floor(std::max(left, -1.0)))),
                  x1 = std::min(width - 1, static_cast<int>(std::min(right, 1e6)));
        const int y0 = std::max(0, static_cast<int>(std::floor(std::max(top, -1.0)))),
                  y1 = std::min(height - 1, static_cast<int>(std::min(bottom, 1e6)));
        for (int y = y0; y <= y1; ++y)
            for (int x = x0; x <= x1; ++x) {
                const double px = x + 0.5, py = y + 0.5;
                const double u = ((p[1].x - px) * (p[2].y - py) - (p[1].y - py) * (p[2].x - px)) / area;
                const double v = ((p[2].x - px) * (p[0].y - py) - (p[2].y - py) * (p[0].x - px)) / area;
                const double w = 1 - u - v;
                if (u < 0 || v < 0 || w < 0) continue;
                const double near = u * p[0].z + v * p[1].z + w * p[2].z;
                const size_t at = static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
                if (near <= nearness[at]) continue;
                nearness[at] = near;
                result.labels.pixels[at] = static_cast<uint8_t>(item.instance.label);
                result.leaves.pixels[at] = item.material == Material::Foliage ? 1 : 0;
            }
    };

    for (const Item& item : frame.items) {
        // Shadows have no class.
        if (item.material == Material::ContactShadow) continue;
        const MeshRange& range = meshes.ranges[static_cast<size_t>(item.mesh)];
        for (uint32_t i = range.first_index; i < range.first_index + range.index_count; i += 3) {
            std::array<glm::dvec4, 3> triangle;
            for (uint32_t corner = 0; corner < 3; ++corner) {
                const glm::vec4 position(meshes.vertices[meshes.indices[i + corner]].position, 1);
                const glm::vec4* rows = item.instance.rows;
                const glm::vec3 world(glm::dot(rows[0], position), glm::dot(rows[1], position),
                                      glm::dot(rows[2], position));
                triangle[corner] = to_clip * glm::dvec4(glm::dvec3(frame.bend.apply(world)), 1);
            }
            const Polygon polygon = clipped(triangle);
            for (size_t corner = 2; corner < polygon.size(); ++corner)
                fill(polygon[0], polygon[corner - 1], polygon[corner], item);
        }
    }
    return result;
}

}  // namespace vkseg::sim::test
