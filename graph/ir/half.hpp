#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace vkseg {

/// The largest 16-bit float, and the smallest of full precision.
constexpr float largest_half = 65504.0f, smallest_normal_half = 6.103515625e-5f;

/// The nearest 16-bit float, clamped as kernels do it where they store; what is no number stays so.
[[nodiscard]] inline float rounded_to_half(float value) {
    if (std::isnan(value)) return value;
    const float size = std::min(std::abs(value), largest_half);
    // Steps of the last of 11 bits; below the normal range they stay as they are there.
    const float step = std::ldexp(1.0f, std::ilogb(std::max(size, smallest_normal_half)) - 10);
    return std::copysign(std::nearbyint(size / step) * step, value);
}

/// The same as IEEE 754 binary16.
[[nodiscard]] inline uint16_t half_bits(float value) {
    const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
    if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00);
    const float size = std::abs(rounded_to_half(value));
    const int exponent = std::ilogb(std::max(size, smallest_normal_half));
    const auto steps = static_cast<int>(std::ldexp(size, 10 - exponent));
    // The first bit of a number of full precision carries into the exponent.
    return static_cast<uint16_t>(sign | (((exponent + 14) << 10) + steps));
}

}  // namespace vkseg
