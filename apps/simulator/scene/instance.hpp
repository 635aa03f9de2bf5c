#pragma once

#include <glm/glm.hpp>

#include <cstdint>
#include <vector>

namespace vkseg::sim {

/// What a pixel shows, as Cityscapes numbers it in its labelIds.
enum class Label : uint8_t {
    Road = 7,
    Sidewalk = 8,
    Building = 11,
    Wall = 12,
    Fence = 13,
    Pole = 17,
    TrafficLight = 19,
    TrafficSign = 20,
    Vegetation = 21,
    Terrain = 22,
    Sky = 23,
    Person = 24,
    Rider = 25,
    Car = 26,
    Truck = 27,
    Bus = 28,
    Train = 31,
    Motorcycle = 32,
    Bicycle = 33,
};

/// Shapes of unit size: x and z from -0.5 to 0.5, y from 0 to 1; forward is -z.
enum class Mesh : uint8_t {
    Box,
    Slab,     ///< a box whose length is divided, so that it follows the bend of the street
    Column,   ///< a cylinder along y
    Cone,     ///< along y
    Capsule,  ///< a column with round ends
    Sphere,
    Blob,      ///< an uneven sphere
    Gable,     ///< a roof with its ridge along z
    Disc,      ///< a flat cylinder along z
    Triangle,  ///< the same with three corners
    Octagon,
    Sedan,
    Hatchback,
    Suv,
    Van,
    Cab,  ///< of a truck
    Count
};

/// How a surface is shaded; the numbers are those of shaders/object.frag.
enum class Material : uint8_t {
    Plain,
    Asphalt,
    Marking,
    Paving,
    Grass,
    Facade,
    Masonry,
    Foliage,
    Bark,
    Car,
    Coach,
    Wheel,
    Cloth,
    Sign,
    Signal,
    Lamp,
    Roof,
    // From here on the colour is blended over what is behind. The label is not: a fence is a fence in its holes as
    // well.
    ContactShadow,
    Fence,
    Spokes,
    Count
};

inline constexpr Material first_blended_material = Material::ContactShadow;

[[nodiscard]] constexpr bool casts_shadow(Material material) {
    return material != Material::Asphalt && material != Material::Marking && material != Material::Grass &&
           material != Material::Paving && material != Material::ContactShadow;
}

/// One shape in the world, as the vertex stage reads it.
struct Instance {
    glm::vec4 rows[3];  ///< of the matrix from unit shape to world
    glm::vec4 colour;   ///< linear; a: a number of its own, 0 to 1
    glm::vec4 colour2;  ///< linear; a: the style, whose meaning depends on the material
    glm::vec4 params;   ///< likewise
    uint32_t label;
    uint32_t reserved[3];
};
static_assert(sizeof(Instance) == 112);

struct Item {
    Mesh mesh;
    Material material;
    Instance instance;
};

using Items = std::vector<Item>;

}  // namespace vkseg::sim
