#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace vkseg::importer {

// Every format read here is little-endian and is copied into host numbers as it lies.
static_assert(std::endian::native == std::endian::little);

using Bytes = std::span<const uint8_t>;

/// Text out of a file, made fit for a message: quoted, control and non-ASCII bytes escaped, long text cut.
[[nodiscard]] std::string in_quotes(std::string_view text);

[[nodiscard]] inline std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A bounds-checked cursor over the bytes of one file; reading past the end throws vkseg::Error naming the file and
/// the part being read. Does not own the bytes.
class ByteReader {
public:
    ByteReader(Bytes bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

    /// What the following bytes are, for messages: "the object pickle".
    void enter(std::string part) { part_ = std::move(part); }

    [[nodiscard]] Bytes take(uint64_t count);
    [[nodiscard]] std::string_view take_text(uint64_t count) { return text_of(take(count)); }
    /// Up to the next line feed, which is consumed and not returned.
    [[nodiscard]] std::string_view take_line();

    template <typename T>
    [[nodiscard]] T take_number() {
        static_assert(std::is_arithmetic_v<T>);
        T number;
        std::memcpy(&number, take(sizeof(T)).data(), sizeof(T));
        return number;
    }

    [[nodiscard]] uint64_t position() const { return position_; }
    [[nodiscard]] uint64_t remaining() const { return bytes_.size() - position_; }
    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] const std::string& part() const { return part_; }

private:
    Bytes bytes_;
    std::string file_;
    std::string part_ = "the file";
    uint64_t position_ = 0;
};

}  // namespace vkseg::importer
