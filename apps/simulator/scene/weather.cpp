#include "apps/simulator/scene/weather.hpp"

#include <glm/gtc/constants.hpp>

#include <cmath>

namespace vkseg::sim {

Weather make_weather(uint64_t seed) {
    Rng rng(mix_bits(seed, 21));
    Weather weather;
    const float kind = rng.uniform();
    float elevation = rng.uniform(0.35f, 1.2f);
    const float azimuth = rng.uniform(0, glm::two_pi<float>());
    glm::vec3 sun = glm::vec3(1.0f, rng.uniform(0.86f, 0.98f), rng.uniform(0.68f, 0.94f)) * rng.uniform(2.2f, 3.6f);
    weather.zenith = glm::mix(glm::vec3(0.13f, 0.28f, 0.62f), glm::vec3(0.3f, 0.45f, 0.75f), rng.uniform());
    weather.horizon = glm::mix(glm::vec3(0.55f, 0.68f, 0.85f), glm::vec3(0.85f, 0.85f, 0.82f), rng.uniform());
    weather.clouds = rng.uniform(0, 0.65f);
    weather.fog_per_m = rng.uniform(0.0003f, 0.0035f);
    weather.dust = rng.uniform(0.2f, 0.8f);
    if (kind < 0.30f) {  // overcast
        weather.shadow = rng.uniform(0.0f, 0.25f);
        const glm::vec3 grey = glm::mix(glm::vec3(0.5f, 0.55f, 0.62f), glm::vec3(0.9f), rng.uniform());
        weather.zenith = grey * 0.85f;
        weather.horizon = grey;
        sun *= 0.25f;
        weather.clouds = rng.uniform(0.85f, 1.0f);
        weather.fog_per_m = rng.uniform(0.001f, 0.007f);
        weather.wet = rng.chance(0.5f) ? rng.uniform(0.3f, 1.0f) : 0;
    } else if (kind < 0.37f) {  // fog
        weather.shadow = 0;
        weather.zenith = weather.horizon = glm::vec3(rng.uniform(0.45f, 0.85f));
        sun *= 0.15f;
        weather.clouds = 1;
        weather.fog_per_m = rng.uniform(0.010f, 0.03f);
        weather.wet = rng.uniform(0, 0.5f);
    } else if (kind < 0.52f) {  // low sun
        elevation = rng.uniform(0.08f, 0.3f);
        sun *= glm::vec3(1.0f, rng.uniform(0.55f, 0.8f), rng.uniform(0.25f, 0.55f));
        weather.horizon = glm::vec3(0.95f, rng.uniform(0.55f, 0.8f), rng.uniform(0.4f, 0.65f));
        weather.zenith *= 0.7f;
    } else if (kind < 0.60f) {  // dusk
        elevation = rng.uniform(0.05f, 0.2f);
        sun *= glm::vec3(0.16f, 0.1f, 0.08f);
        weather.zenith = glm::vec3(0.05f, 0.08f, 0.2f);
        const float glow = rng.uniform(0.16f, 0.36f);
        weather.horizon = glm::vec3(glow, 0.05f + 0.62f * glow, 0.11f + 0.3f * glow);
        weather.night = 0.6f;
        weather.shadow = 0.3f;
    } else if (kind < 0.66f) {  // night
        sun = glm::vec3(0.05f, 0.06f, 0.09f);
        weather.zenith = glm::vec3(0.008f, 0.012f, 0.03f);
        weather.horizon = glm::vec3(0.05f, 0.04f, 0.05f) * rng.uniform(0.6f, 2.0f);
        weather.night = 1;
        weather.shadow = 0.3f;
        weather.wet = rng.chance(0.4f) ? rng.uniform(0.3f, 1.0f) : 0;
    }
    if (rng.chance(0.08f)) weather.wet = std::max(weather.wet, rng.uniform(0.2f, 0.7f));
    weather.sun_colour = sun;
    weather.ground = glm::mix(weather.horizon, weather.zenith, 0.4f) * 0.25f + sun * std::sin(elevation) * 0.05f;
    weather.sun_direction = {std::cos(elevation) * std::sin(azimuth), std::sin(elevation),
                             std::cos(elevation) * std::cos(azimuth)};
    return weather;
}

Lens make_lens(uint64_t seed, const Weather& weather) {
    Rng rng(mix_bits(seed, 22));
    Lens lens;
    // What the meter would choose, missed by up to a stop.
    const glm::vec3 sky = glm::mix(weather.horizon, weather.zenith, 0.5f);
    const float light =
        glm::dot(sky * 0.8f + weather.sun_colour * 0.30f * weather.sun_direction.y + glm::vec3(0.12f * weather.night),
                 glm::vec3(0.3f, 0.5f, 0.2f));
    lens.exposure = 1.15f / (light + 0.04f) * std::exp2(rng.uniform(-0.7f, 0.6f));
    lens.contrast = rng.uniform(0.85f, 1.2f);
    lens.saturation = rng.uniform(0.6f, 1.2f);
    lens.white = {rng.uniform(0.9f, 1.1f), 1, rng.uniform(0.88f, 1.12f)};
    lens.noise = rng.chance(0.7f) ? rng.uniform(0, 0.02f) : rng.uniform(0.02f, 0.06f);
    if (weather.night > 0.5f) lens.noise += 0.015f;
    lens.blur_px = rng.chance(0.7f) ? rng.uniform(0, 0.6f) : rng.uniform(0.6f, 1.4f);
    lens.vignette = rng.uniform(0, 0.4f);
    lens.bloom = rng.uniform(0, 0.3f);
    lens.gamma = rng.uniform(0.88f, 1.14f);
    return lens;
}

}  // namespace vkseg::sim
