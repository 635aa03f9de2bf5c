#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vkseg::sim {

/// Mixes the bits of a key (the finaliser of splitmix64).
[[nodiscard]] constexpr uint64_t mix_bits(uint64_t key) {
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9u;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebu;
    return key ^ (key >> 31);
}

[[nodiscard]] constexpr uint64_t mix_bits(uint64_t seed, uint64_t key) {
    return mix_bits(seed + 0x9e3779b97f4a7c15u * (key + 1));
}

/// A stream of numbers that is the same everywhere: the distributions of the standard library differ between
/// implementations, and a seed must name one city.
class Rng {
public:
    explicit Rng(uint64_t seed) : state_(mix_bits(seed + 0x9e3779b97f4a7c15u)) {}

    uint64_t next() { return mix_bits(state_ += 0x9e3779b97f4a7c15u); }
    /// [0, 1)
    float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }
    float uniform(float low, float high) { return low + (high - low) * uniform(); }
    /// Both ends included.
    int integer(int low, int high) { return low + static_cast<int>(next() % static_cast<uint64_t>(high - low + 1)); }
    bool chance(float probability) { return uniform() < probability; }
    template <typename T, size_t N>
    const T& pick(const std::array<T, N>& values) {
        return values[next() % N];
    }

private:
    uint64_t state_;
};

}  // namespace vkseg::sim
