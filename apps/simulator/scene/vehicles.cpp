#include "apps/simulator/scene/props.hpp"

#include <glm/gtc/constants.hpp>

#include <cmath>

namespace vkseg::sim {

namespace {

const Look tyre{Material::Wheel, Label::Car, {0.02f, 0.02f, 0.02f}, {0.4f, 0.4f, 0.42f}};

Look plain(Label label, glm::vec3 colour) {
    return {Material::Plain, label, colour, colour};
}

Look lamp(Label label, glm::vec3 colour, bool on) {
    return {Material::Lamp, label, colour, colour, on ? 3.0f : 0.15f};
}

void add_wheels(const Builder& at, Label label, float axle_front, float axle_back, float width, float diameter,
                float rim, Rng& rng) {
    Look look = tyre;
    look.label = label;
    look.colour2 = glm::vec3(rng.uniform(0.15f, 0.6f)) * rim;
    look.seed = rng.uniform();
    const float thick = diameter * 0.36f;
    for (const float side : {-1.0f, 1.0f})
        for (const float axle : {axle_front, axle_back})
            at.wheel(look, {side * (width - thick) * 0.5f, diameter * 0.5f, axle}, diameter, thick);
}

void add_contact_shadow(const Builder& at, float length, float width) {
    at.add(Mesh::Slab, {Material::ContactShadow}, {0, 0.015f, 0}, {width * 1.25f, 0.001f, length * 1.12f});
}

/// Head and tail lights, a plate at each end.
void add_lights(const Builder& at, Label label, float length, float width, float y, float size,
                const VehicleState& state) {
    for (const float side : {-1.0f, 1.0f}) {
        const float x = side * (width * 0.5f - size * 0.85f);
        at.add(Mesh::Box, lamp(label, {1, 0.95f, 0.8f}, state.lights_on), {x, y, length * 0.5f - 0.03f},
               {size * 1.5f, size, 0.10f});
        at.add(Mesh::Box, lamp(label, {1, 0.03f, 0.02f}, state.lights_on || state.braking),
               {x, y + size * 0.7f, -length * 0.5f + 0.04f}, {size * 1.2f, size * 1.4f, 0.12f});
    }
    const Look plate = plain(label, {0.75f, 0.75f, 0.72f});
    for (const float end : {-1.0f, 1.0f})
        at.add(Mesh::Box, plate, {0, y - size * 1.4f, end * (length * 0.5f - 0.005f)}, {0.5f, 0.11f, 0.03f});
}

VehicleSize add_car(const Builder& at, const VehicleState& state, Rng& rng, bool van) {
    struct Shape {
        Mesh mesh;
        float length, width, height, wheel;
    };
    static constexpr std::array<Shape, 4> shapes{{{Mesh::Sedan, 4.6f, 1.82f, 1.45f, 0.64f},
                                                  {Mesh::Hatchback, 4.0f, 1.75f, 1.5f, 0.62f},
                                                  {Mesh::Suv, 4.6f, 1.9f, 1.72f, 0.74f},
                                                  {Mesh::Van, 5.1f, 1.98f, 2.1f, 0.68f}}};
    Shape shape = van ? shapes[3] : shapes[static_cast<size_t>(rng.integer(0, 2))];
    shape.length *= rng.uniform(0.92f, 1.08f);
    shape.height *= rng.uniform(0.94f, 1.06f);
    Look paint{Material::Car, Label::Car, paint_colour(rng), glm::vec3(rng.uniform(0.01f, 0.05f))};
    // A taxi is one colour with a sign; a delivery van has no side windows.
    paint.style = van && rng.chance(0.5f) ? 1.0f : 0.0f;
    paint.seed = rng.uniform();
    at.add(shape.mesh, paint, {0, 0, 0}, {shape.width, shape.height, shape.length});
    add_wheels(at, Label::Car, shape.length * 0.31f, -shape.length * 0.30f, shape.width, shape.wheel, 1, rng);
    add_lights(at, Label::Car, shape.length, shape.width, shape.height * (van ? 0.33f : 0.41f), 0.15f, state);
    const Look mirror = plain(Label::Car, paint.colour * 0.6f);
    for (const float side : {-1.0f, 1.0f})
        at.add(Mesh::Box, mirror, {side * shape.width * 0.52f, shape.height * 0.6f, shape.length * 0.19f},
               {0.2f, 0.14f, 0.1f});
    if (rng.chance(0.06f))
        at.add(Mesh::Box, lamp(Label::Car, {1.0f, 0.75f, 0.1f}, state.lights_on), {0, shape.height * 0.98f, -0.2f},
               {0.5f, 0.16f, 0.2f});
    else if (rng.chance(0.15f))
        at.add(Mesh::Capsule, plain(Label::Car, glm::vec3(0.03f)), {0, shape.height, -0.4f}, {0.8f, 0.3f, 1.5f});
    add_contact_shadow(at, shape.length, shape.width);
    return {shape.length, shape.width};
}

VehicleSize add_truck(const Builder& at, const VehicleState& state, Rng& rng) {
    const float width = rng.uniform(2.2f, 2.5f), cab_height = rng.uniform(2.5f, 3.2f), cab_length = 2.1f;
    const float length = rng.uniform(6.5f, 9.5f), bed = length - cab_length - 0.25f;
    const glm::vec3 colour = paint_colour(rng);
    Look cab{Material::Car, Label::Truck, colour, glm::vec3(0.02f)};
    cab.seed = rng.uniform();
    const float front = length * 0.5f;
    at.add(Mesh::Cab, cab, {0, 0.35f, front - cab_length * 0.5f}, {width, cab_height, cab_length});
    const Look dark = plain(Label::Truck, glm::vec3(0.03f));
    at.add(Mesh::Box, dark, {0, 0.55f, -0.2f}, {width * 0.6f, 0.4f, length - 0.6f});
    const float middle = -front + bed * 0.5f;
    const int cargo = rng.integer(0, 5);
    if (cargo <= 2) {
        Look load{Material::Coach, Label::Truck, rng.chance(0.5f) ? glm::vec3(0.7f) : paint_colour(rng),
                  paint_colour(rng)};
        load.style = 0;
        load.seed = rng.uniform();
        at.add(Mesh::Box, load, {0, 0.95f, middle}, {width, cab_height * rng.uniform(0.85f, 1.05f), bed});
    } else if (cargo == 3) {
        Look tank = plain(Label::Truck, glm::vec3(rng.uniform(0.3f, 0.75f)));
        at.beam(Mesh::Capsule, tank, {0, 2.1f, -front}, {0, 2.1f, -front + bed}, 2.1f);
    } else {
        const Look board = plain(Label::Truck, paint_colour(rng) * 0.7f);
        at.add(Mesh::Box, board, {0, 0.95f, middle}, {width, 0.15f, bed});
        for (const float side : {-1.0f, 1.0f})
            at.add(Mesh::Box, board, {side * width * 0.49f, 0.95f, middle}, {0.06f, 0.8f, bed});
        const Look load = plain(Label::Truck, hsv(rng.uniform(0.02f, 0.12f), 0.5f, rng.uniform(0.2f, 0.6f)));
        at.add(cargo == 4 ? Mesh::Gable : Mesh::Box, load, {0, 1.1f, middle}, {width * 0.85f, 1.2f, bed * 0.85f});
    }
    add_wheels(at, Label::Truck, front - 1.1f, -front + 1.4f, width, 1.0f, 0.7f, rng);
    if (length > 8) add_wheels(at, Label::Truck, -front + 2.5f, -front + 1.4f, width, 1.0f, 0.7f, rng);
    add_lights(at, Label::Truck, length, width, 0.8f, 0.2f, state);
    add_contact_shadow(at, length, width);
    return {length, width};
}

VehicleSize add_bus(const Builder& at, const VehicleState& state, Rng& rng) {
    const float length = rng.uniform(9.5f, 12.5f), width = 2.5f;
    const float height = rng.chance(0.2f) ? 4.2f : rng.uniform(2.9f, 3.2f);
    Look side{Material::Coach, Label::Bus, paint_colour(rng), paint_colour(rng)};
    side.style = height > 4 ? 2.0f : 1.0f;
    side.seed = rng.uniform();
    side.params = {rng.uniform(1.2f, 2.2f), state.lights_on ? 1.0f : 0.0f, 0, 0};
    at.add(Mesh::Box, side, {0, 0.3f, 0}, {width, height - 0.3f, length});
    if (rng.chance(0.6f))
        at.add(Mesh::Box, plain(Label::Bus, glm::vec3(0.5f)), {0, height, -length * 0.1f}, {1.6f, 0.25f, 2.6f});
    for (const float end : {-1.0f, 1.0f})
        at.add(Mesh::Box, lamp(Label::Bus, {1, 0.5f, 0.05f}, true), {0, height - 0.42f, end * (length * 0.5f + 0.01f)},
               {1.5f, 0.22f, 0.05f});
    add_wheels(at, Label::Bus, length * 0.5f - 2.6f, -length * 0.5f + 3.0f, width + 0.06f, 0.95f, 0.6f, rng);
    add_lights(at, Label::Bus, length, width, 0.7f, 0.22f, state);
    add_contact_shadow(at, length, width);
    return {length, width};
}

VehicleSize add_tram(const Builder& at, const VehicleState& state, Rng& rng) {
    const int cars = rng.integer(2, 4);
    const float part = rng.uniform(7.0f, 10.0f), length = part * static_cast<float>(cars), width = 2.45f;
    const float height = rng.uniform(3.2f, 3.6f);
    Look side{Material::Coach, Label::Train, paint_colour(rng), paint_colour(rng), 1};
    side.params = {rng.uniform(1.3f, 2.4f), state.lights_on ? 1.0f : 0.0f, 0, 0};
    side.seed = rng.uniform();
    const Look dark = plain(Label::Train, glm::vec3(0.025f));
    for (int i = 0; i < cars; ++i) {
        const float middle = -length * 0.5f + part * (static_cast<float>(i) + 0.5f);
        at.add(Mesh::Box, side, {0, 0.35f, middle}, {width, height - 0.35f, part - 0.5f});
        at.add(Mesh::Box, dark, {0, 0.08f, middle}, {width * 0.8f, 0.4f, part * 0.5f});
        at.add(Mesh::Box, plain(Label::Train, glm::vec3(0.35f)), {0, height, middle}, {1.5f, 0.3f, part * 0.5f});
        if (i + 1 < cars)
            at.add(Mesh::Box, dark, {0, 0.45f, middle + part * 0.5f}, {width * 0.9f, height - 0.6f, 0.6f});
    }
    const float roof = height + 0.25f;
    const Look arm = plain(Label::Train, glm::vec3(0.05f));
    at.beam(Mesh::Box, arm, {0, roof, 0}, {0, roof + 0.8f, 0.9f}, 0.07f);
    at.beam(Mesh::Box, arm, {0, roof + 0.8f, 0.9f}, {0, roof + 1.7f, 0}, 0.07f);
    at.add(Mesh::Box, arm, {0, roof + 1.7f, 0}, {1.6f, 0.06f, 0.2f});
    for (const float end : {-1.0f, 1.0f})
        at.add(Mesh::Box, lamp(Label::Train, {1, 0.5f, 0.05f}, true), {0, height - 0.4f, end * (length * 0.5f - 0.24f)},
               {1.3f, 0.22f, 0.05f});
    add_lights(at, Label::Train, length - 0.5f, width, 0.8f, 0.2f, state);
    add_contact_shadow(at, length, width);
    return {length, width};
}

void add_spoked_wheel(const Builder& at, Label label, float forward, float diameter) {
    Look look{Material::Spokes, label, {0.02f, 0.02f, 0.02f}, {0.3f, 0.3f, 0.3f}};
    at.wheel(look, {0, diameter * 0.5f, forward}, diameter, 0.05f);
}

VehicleSize add_bicycle(const Builder& at, const VehicleState& state, Rng& rng) {
    const Look frame = plain(Label::Bicycle, paint_colour(rng) * 0.8f);
    const Look dark = plain(Label::Bicycle, glm::vec3(0.02f));
    for (const float wheel : {-0.52f, 0.52f}) add_spoked_wheel(at, Label::Bicycle, wheel, 0.68f);
    const glm::vec3 crank{0, 0.3f, -0.05f}, saddle{0, 0.92f, -0.22f}, head{0, 0.88f, 0.36f};
    const float tube = 0.045f;
    at.beam(Mesh::Box, frame, crank, saddle, tube);
    at.beam(Mesh::Box, frame, crank, head, tube);
    at.beam(Mesh::Box, frame, {0, 0.80f, -0.19f}, head, tube);
    at.beam(Mesh::Box, frame, {0, 0.34f, 0.52f}, {0, 1.02f, 0.32f}, tube);
    at.beam(Mesh::Box, frame, {0, 0.34f, -0.52f}, crank, tube * 0.8f);
    at.beam(Mesh::Box, frame, {0, 0.34f, -0.52f}, {0, 0.8f, -0.19f}, tube * 0.8f);
    at.add(Mesh::Box, dark, saddle, {0.16f, 0.07f, 0.27f});
    at.beam(Mesh::Box, dark, {-0.29f, 1.04f, 0.27f}, {0.29f, 1.04f, 0.27f}, 0.045f);
    if (rng.chance(0.35f))
        at.add(Mesh::Box, plain(Label::Bicycle, {0.15f, 0.1f, 0.05f}), {0, 0.84f, 0.58f}, {0.36f, 0.24f, 0.26f});
    if (state.ridden) {
        const float turn = state.distance_m / 0.9f;
        const glm::vec3 reach{0.11f, 0.17f * std::sin(turn), 0.17f * std::cos(turn)};
        add_rider(at, rng, {0, 0.98f, -0.2f}, {0.26f, 1.06f, 0.27f}, crank + glm::vec3(-reach.x, reach.y, reach.z),
                  crank + glm::vec3(reach.x, -reach.y, -reach.z), rng.chance(0.5f));
    }
    return {1.75f, 0.6f};
}

VehicleSize add_motorcycle(const Builder& at, const VehicleState& state, Rng& rng) {
    const bool scooter = rng.chance(0.45f);
    const Look paint = {Material::Car, Label::Motorcycle, paint_colour(rng), glm::vec3(0.02f)};
    const Look dark = plain(Label::Motorcycle, glm::vec3(0.025f));
    Look wheel = tyre;
    wheel.label = Label::Motorcycle;
    const float diameter = scooter ? 0.48f : 0.64f;
    at.wheel(wheel, {0, diameter * 0.5f, 0.68f}, diameter, 0.15f);
    at.wheel(wheel, {0, diameter * 0.5f, -0.66f}, diameter, 0.19f);
    at.add(Mesh::Capsule, paint, {0, 0.45f, -0.45f}, {0.36f, 0.38f, 0.85f});
    at.add(Mesh::Box, dark, {0, 0.80f, -0.4f}, {0.3f, 0.1f, 0.8f});
    if (scooter) {
        at.add(Mesh::Box, paint, {0, 0.22f, 0.15f}, {0.36f, 0.09f, 0.6f});
        at.add(Mesh::Box, paint, {0, 0.3f, 0.48f}, {0.4f, 0.62f, 0.12f});
    } else {
        at.add(Mesh::Capsule, paint, {0, 0.62f, 0.18f}, {0.34f, 0.36f, 0.62f});
        at.add(Mesh::Box, plain(Label::Motorcycle, glm::vec3(0.2f)), {0, 0.28f, 0.05f}, {0.38f, 0.36f, 0.5f});
    }
    at.beam(Mesh::Box, dark, {0, diameter * 0.5f, 0.68f}, {0, 1.0f, 0.42f}, 0.12f);
    at.beam(Mesh::Box, dark, {-0.36f, 1.04f, 0.36f}, {0.36f, 1.04f, 0.36f}, 0.05f);
    at.add(Mesh::Sphere, lamp(Label::Motorcycle, {1, 0.95f, 0.8f}, state.lights_on), {0, 0.82f, 0.56f},
           {0.22f, 0.22f, 0.16f});
    at.add(Mesh::Box, lamp(Label::Motorcycle, {1, 0.03f, 0.02f}, state.lights_on || state.braking), {0, 0.7f, -0.9f},
           {0.2f, 0.1f, 0.08f});
    if (rng.chance(0.3f)) at.add(Mesh::Box, dark, {0, 0.9f, -0.75f}, {0.42f, 0.34f, 0.4f});
    if (state.ridden)
        add_rider(at, rng, {0, 0.90f, -0.25f}, {0.31f, 1.06f, 0.36f}, {-0.24f, 0.33f, 0.1f}, {0.24f, 0.33f, 0.1f},
                  true);
    add_contact_shadow(at, 1.9f, 0.6f);
    return {2.0f, 0.75f};
}

}  // namespace

glm::vec3 paint_colour(Rng& rng) {
    const float kind = rng.uniform();
    if (kind < 0.2f) return glm::vec3(rng.uniform(0.55f, 0.8f));
    if (kind < 0.38f) return glm::vec3(rng.uniform(0.008f, 0.04f));
    if (kind < 0.6f) return glm::vec3(rng.uniform(0.08f, 0.45f)) * glm::vec3(0.97f, 1, 1.04f);
    return hsv(rng.uniform(), rng.uniform(0.35f, 1.0f), rng.uniform(0.2f, 0.95f));
}

VehicleSize vehicle_room(VehicleKind kind) {
    switch (kind) {
        case VehicleKind::Car:
            return {5, 1.9f};
        case VehicleKind::Van:
            return {5.6f, 2};
        case VehicleKind::Truck:
            return {9.6f, 2.5f};
        case VehicleKind::Bus:
            return {12.6f, 2.5f};
        case VehicleKind::Tram:
            return {40, 2.5f};
        case VehicleKind::Motorcycle:
            return {2.1f, 0.8f};
        case VehicleKind::Bicycle:
            return {1.8f, 0.6f};
    }
    return {5, 2};
}

VehicleSize add_vehicle(const Builder& at, VehicleKind kind, const VehicleState& state, Rng& rng) {
    switch (kind) {
        case VehicleKind::Car:
            return add_car(at, state, rng, false);
        case VehicleKind::Van:
            return add_car(at, state, rng, true);
        case VehicleKind::Truck:
            return add_truck(at, state, rng);
        case VehicleKind::Bus:
            return add_bus(at, state, rng);
        case VehicleKind::Tram:
            return add_tram(at, state, rng);
        case VehicleKind::Motorcycle:
            return add_motorcycle(at, state, rng);
        case VehicleKind::Bicycle:
            return add_bicycle(at, state, rng);
    }
    return {};
}

}  // namespace vkseg::sim
