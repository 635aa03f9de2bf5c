#pragma once

#include "apps/simulator/scene/instance.hpp"

#include <array>

namespace vkseg::sim {

struct Vertex {
    glm::vec3 position;
    glm::vec3 normal;
    /// Across a face, 0 to 1; only where a material asks for it.
    glm::vec2 uv;
    /// 0: body, 1: glass, 2: dark trim.
    float part;
};

struct MeshRange {
    uint32_t first_index = 0;
    uint32_t index_count = 0;
};

/// All shapes in one vertex and one index list; indices count from the start of the list.
struct MeshLibrary {
    std::vector<Vertex> vertices;
    std::vector<uint32_t> indices;
    std::array<MeshRange, static_cast<size_t>(Mesh::Count)> ranges;
};

[[nodiscard]] MeshLibrary make_meshes();

}  // namespace vkseg::sim
