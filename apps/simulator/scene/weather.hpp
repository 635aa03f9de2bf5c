#pragma once

#include "apps/simulator/scene/random.hpp"

#include <glm/glm.hpp>

namespace vkseg::sim {

/// Light and air.
struct Weather {
    glm::vec3 sun_direction{0.4f, 0.7f, -0.5f};  ///< towards the sun, or the moon
    glm::vec3 sun_colour{3.0f};
    glm::vec3 zenith{0.2f, 0.35f, 0.7f}, horizon{0.6f, 0.7f, 0.8f}, ground{0.2f};
    float shadow = 1;     ///< 0: the light comes from everywhere
    float clouds = 0.3f;  ///< share of the sky
    float fog_per_m = 0.002f;
    float wet = 0;  ///< 0 dry, 1 standing water
    float night = 0;
    float dust = 0.5f;
};

/// What a camera does to a picture.
struct Lens {
    float exposure = 1;
    float contrast = 1;
    float saturation = 1;
    glm::vec3 white{1};
    float noise = 0.01f;
    float blur_px = 0.3f;
    float vignette = 0.2f;
    float bloom = 0.1f;
    float gamma = 1;
};

[[nodiscard]] Weather make_weather(uint64_t seed);
[[nodiscard]] Lens make_lens(uint64_t seed, const Weather& weather);

}  // namespace vkseg::sim
