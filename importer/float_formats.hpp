#pragma once

#include <bit>
#include <cstdint>

namespace vkseg::importer {

/// IEEE 754 binary16; exact for every input, NaN payloads kept.
[[nodiscard]] inline float float_from_half(uint16_t half) {
    const uint32_t sign = (half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1fu;
    const uint32_t mantissa = half & 0x3ffu;
    if (exponent == 0) {
        // Zero or subnormal: every such value is a normal float32.
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
    }
    const uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

/// bfloat16: the upper half of a float32.
[[nodiscard]] inline float float_from_bfloat16(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace vkseg::importer
