#pragma once

#include "graph/ir/error.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Numbers and texts as bytes. The reader is made for bytes that anybody may have written: it never reads beyond them,
// and what it allocates stays in proportion to what is there.

namespace vkseg {

// Files are little-endian and are copied into host numbers as they lie.
static_assert(std::endian::native == std::endian::little);

template <typename T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

class ByteWriter {
public:
    template <Number T>
    void number(T value) {
        block(&value, sizeof value);
    }
    void flag(bool value) { number<uint8_t>(value ? 1 : 0); }
    void text(std::string_view value) {
        number(static_cast<uint32_t>(value.size()));
        block(value.data(), value.size());
    }
    void block(const void* data, size_t size_bytes);
    [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }

private:
    std::vector<uint8_t> bytes_;
};

/// FNV-1a: tells a damaged file, not a forged one.
[[nodiscard]] inline uint64_t checksum(std::span<const uint8_t> bytes) {
    uint64_t value = 14695981039346656037ull;
    for (uint8_t byte : bytes) value = (value ^ byte) * 1099511628211ull;
    return value;
}

/// A cursor over bytes that outlive it. Every function throws `Error` saying what was expected and what was found.
class ByteReader {
public:
    explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

    template <Number T>
    [[nodiscard]] T number() {
        T value;
        std::memcpy(&value, block(sizeof value).data(), sizeof value);
        return value;
    }
    [[nodiscard]] bool flag() {
        const auto value = number<uint8_t>();
        if (value > 1) throw error("expected a truth value at offset {}, found {}", position_ - 1, value);
        return value == 1;
    }
    [[nodiscard]] std::string text() {
        const auto bytes = block(number<uint32_t>());
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    /// A number of things that follow and take at least `least_bytes` each.
    [[nodiscard]] uint32_t count(uint64_t least_bytes) {
        const auto value = number<uint32_t>();
        expect(value * least_bytes);
        return value;
    }
    [[nodiscard]] std::span<const uint8_t> block(uint64_t size_bytes) {
        expect(size_bytes);
        const auto taken = bytes_.subspan(position_, size_bytes);
        position_ += size_bytes;
        return taken;
    }
    [[nodiscard]] uint64_t remaining() const { return bytes_.size() - position_; }

private:
    void expect(uint64_t size_bytes) const {
        if (size_bytes <= remaining()) return;
        throw error("expected {} more bytes at offset {}, found {}", size_bytes, position_, remaining());
    }

    std::span<const uint8_t> bytes_;
    uint64_t position_ = 0;
};

}  // namespace vkseg
