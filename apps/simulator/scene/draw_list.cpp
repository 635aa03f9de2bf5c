#include "apps/simulator/scene/draw_list.hpp"

#include <glm/gtc/matrix_transform.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace vkseg::sim {

namespace {

constexpr float shadow_half_m = 40, shadow_depth_m = 300;
constexpr uint32_t shadow_texels = 1024;

/// What is near tends to come first, so that it hides what follows.
constexpr std::array<uint8_t, static_cast<size_t>(Material::Count)> order_of_materials() {
    constexpr std::array order{Material::Car,     Material::Coach,         Material::Wheel,   Material::Cloth,
                               Material::Plain,   Material::Sign,          Material::Signal,  Material::Lamp,
                               Material::Bark,    Material::Foliage,       Material::Masonry, Material::Marking,
                               Material::Asphalt, Material::Paving,        Material::Grass,   Material::Facade,
                               Material::Roof,    Material::ContactShadow, Material::Spokes,  Material::Fence};
    static_assert(order.size() == static_cast<size_t>(Material::Count));
    std::array<uint8_t, static_cast<size_t>(Material::Count)> places{};
    for (size_t i = 0; i < order.size(); ++i) places[static_cast<size_t>(order[i])] = static_cast<uint8_t>(i);
    return places;
}

struct Entry {
    uint32_t key;  ///< material and mesh
    float depth;
    uint32_t item;
};

std::vector<Batch> make_batches(std::vector<Entry>& entries, const Items& items, std::vector<Instance>& instances) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.key != b.key ? a.key < b.key : a.depth != b.depth ? a.depth < b.depth : a.item < b.item;
    });
    std::vector<Batch> batches;
    for (const Entry& entry : entries) {
        const Item& item = items[entry.item];
        if (batches.empty() || batches.back().material != item.material || batches.back().mesh != item.mesh)
            batches.push_back({item.material, item.mesh, static_cast<uint32_t>(instances.size()), 0});
        ++batches.back().instance_count;
        instances.push_back(item.instance);
    }
    return batches;
}

glm::mat4 shadow_matrix_of(const Frame& frame) {
    const Camera& camera = frame.camera;
    const glm::vec3 centre(camera.position.x + std::sin(camera.yaw) * 24, 0,
                           -camera.position.z - std::cos(camera.yaw) * 24);
    const glm::vec3 sun = frame.weather.sun_direction;
    glm::mat4 view = glm::lookAt(centre + sun * (shadow_depth_m * 0.5f), centre, glm::vec3(0, 1, 0));
    // Whole texels, so that edges do not crawl while the camera moves.
    constexpr float texel_m = 2 * shadow_half_m / shadow_texels;
    view[3].x = std::round(view[3].x / texel_m) * texel_m;
    view[3].y = std::round(view[3].y / texel_m) * texel_m;
    glm::mat4 projection(1);
    projection[0][0] = 1 / shadow_half_m;
    projection[1][1] = -1 / shadow_half_m;
    projection[2][2] = -1 / shadow_depth_m;
    return projection * view;
}

}  // namespace

DrawList make_draw_list(const Frame& frame, uint32_t width, uint32_t height) {
    static constexpr auto places = order_of_materials();
    DrawList list;
    const float aspect = static_cast<float>(width) / static_cast<float>(height);
    const glm::mat4 view = frame.camera.view();
    list.view_projection = frame.camera.projection(aspect) * view;
    list.shadow_matrix = shadow_matrix_of(frame);
    const float tan_x = std::tan(frame.camera.horizontal_fov * 0.5f), tan_y = tan_x / aspect;
    const float cos_x = 1 / std::sqrt(1 + tan_x * tan_x), cos_y = 1 / std::sqrt(1 + tan_y * tan_y);
    const float pixels_per_tangent = static_cast<float>(width) * 0.5f / tan_x;
    const bool shadows = frame.weather.shadow > 0.01f;

    std::vector<Entry> opaque, blended, shadowing;
    opaque.reserve(frame.items.size());
    for (uint32_t i = 0; i < frame.items.size(); ++i) {
        const Item& item = frame.items[i];
        const glm::vec4* rows = item.instance.rows;
        const glm::vec3 straight(rows[0].y * 0.5f + rows[0].w, rows[1].y * 0.5f + rows[1].w,
                                 rows[2].y * 0.5f + rows[2].w);
        float squares = 0;
        for (int row = 0; row < 3; ++row) squares += glm::dot(glm::vec3(rows[row]), glm::vec3(rows[row]));
        float radius = 0.5f * std::sqrt(squares) * 1.2f;
        // Long things bend away from where their middle says.
        if (item.mesh == Mesh::Slab) radius += 0.002f * radius * radius;
        const glm::vec3 centre = frame.bend.apply(straight);
        const glm::vec3 seen(view * glm::vec4(centre, 1));
        const float depth = -seen.z;
        const uint32_t key =
            static_cast<uint32_t>(places[static_cast<size_t>(item.material)]) * 64 + static_cast<uint32_t>(item.mesh);
        const bool inside = depth > near_plane_m - radius && (std::abs(seen.x) - depth * tan_x) * cos_x < radius &&
                            (std::abs(seen.y) - depth * tan_y) * cos_y < radius;
        const bool large_enough = radius * pixels_per_tangent > 0.4f * depth;
        if (inside && large_enough) {
            if (item.material >= first_blended_material)
                blended.push_back({key, -depth, i});
            else
                opaque.push_back({key, depth, i});
        }
        if (shadows && casts_shadow(item.material) && radius > 0.12f) {
            const glm::vec4 lit = list.shadow_matrix * glm::vec4(centre, 1);
            const float margin = 1 + radius / shadow_half_m;
            if (std::abs(lit.x) < margin && std::abs(lit.y) < margin)
                shadowing.push_back({static_cast<uint32_t>(item.mesh), 0, i});
        }
    }
    list.instances.reserve(opaque.size() + blended.size() + shadowing.size());
    list.opaque = make_batches(opaque, frame.items, list.instances);
    list.blended = make_batches(blended, frame.items, list.instances);
    // Shadows know no materials.
    list.shadows = make_batches(shadowing, frame.items, list.instances);
    std::vector<Batch> merged;
    for (const Batch& batch : list.shadows)
        if (!merged.empty() && merged.back().mesh == batch.mesh)
            merged.back().instance_count += batch.instance_count;
        else
            merged.push_back(batch);
    list.shadows = std::move(merged);
    return list;
}

}  // namespace vkseg::sim
