#include "apps/common/npy.hpp"

#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "apps/common/atomic_file.hpp"
#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are copied without swapping bytes");

using Bytes = std::span<const uint8_t>;

constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t max_rank = 32;  // what NumPy itself allows

struct Header {
    std::string type;
    bool is_fortran = false;
    Shape shape;
};

/// Reads the Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and nothing more
/// general: keys in any order, each exactly once.
class HeaderParser {
public:
    HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

    Header parse() {
        std::optional<std::string> type;
        std::optional<bool> is_fortran;
        std::optional<Shape> shape;
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr" && !type) {
                skip_spaces();
                if (peek() == '[') throw error("'{}' holds records, expected an array of numbers", name_);
                type = string();
            } else if (key == "fortran_order" && !is_fortran) {
                is_fortran = boolean();
            } else if (key == "shape" && !shape) {
                shape = tuple();
            } else {
                throw damaged("unexpected key");
            }
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_spaces();
        if (at_ != text_.size()) throw damaged("text after the dictionary");
        if (!type || !is_fortran || !shape) throw damaged("'descr', 'fortran_order' or 'shape' is missing");
        return {*type, *is_fortran, *shape};
    }

private:
    [[nodiscard]] Error damaged(const char* what) const {
        return error("'{}' has a damaged NumPy header: {} at byte {}", name_, what, at_);
    }

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_spaces() {
        while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') ++at_;
    }

    bool accept(char wanted) {
        skip_spaces();
        if (peek() != wanted) return false;
        ++at_;
        return true;
    }

    void expect(char wanted) {
        if (!accept(wanted)) throw error("'{}' has a damaged NumPy header: no '{}' at byte {}", name_, wanted, at_);
    }

    std::string string() {
        skip_spaces();
        const char quote = peek();
        if (quote != '\'' && quote != '"') throw damaged("no text");
        const size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) throw damaged("text without end");
        const std::string_view found = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return std::string(found);
    }

    bool boolean() {
        skip_spaces();
        for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return value;
            }
        }
        throw damaged("neither True nor False");
    }

    Shape tuple() {
        Shape shape;
        expect('(');
        while (!accept(')')) {
            skip_spaces();
            int64_t extent = 0;
            const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
            if (code != std::errc() || extent < 0) throw damaged("no extent");
            at_ = static_cast<size_t>(end - text_.data());
            accept('L');  // Python 2 wrote long integers like that
            if (shape.size() == max_rank) throw damaged("more than 32 extents");
            shape.push_back(extent);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return shape;
    }

    std::string_view text_;
    const std::string& name_;
    size_t at_ = 0;
};

float half_to_float(uint16_t half) {
    const int exponent = half >> 10 & 0x1F;
    const int mantissa = half & 0x3FF;
    float magnitude;
    if (exponent == 0x1F) {
        magnitude = mantissa ? NAN : INFINITY;
    } else if (exponent == 0) {
        magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    } else {
        magnitude = std::ldexp(static_cast<float>(mantissa | 0x400), exponent - 25);
    }
    return half & 0x8000 ? -magnitude : magnitude;
}

template <typename T>
void convert(Bytes from, std::vector<float>& to) {
    for (size_t i = 0; i < to.size(); ++i) {
        T value;
        std::memcpy(&value, from.data() + i * sizeof(T), sizeof(T));
        to[i] = static_cast<float>(value);
    }
}

void convert_half(Bytes from, std::vector<float>& to) {
    for (size_t i = 0; i < to.size(); ++i) {
        uint16_t value;
        std::memcpy(&value, from.data() + i * sizeof(value), sizeof(value));
        to[i] = half_to_float(value);
    }
}

struct ElementType {
    std::string_view name;
    size_t size_bytes;
    void (*convert)(Bytes from, std::vector<float>& to);
};

constexpr ElementType element_types[] = {
    {"<f4", 4, convert<float>},    {"<f8", 8, convert<double>},   {"<f2", 2, convert_half},
    {"|u1", 1, convert<uint8_t>},  {"|i1", 1, convert<int8_t>},   {"|b1", 1, convert<uint8_t>},
    {"<u2", 2, convert<uint16_t>}, {"<i2", 2, convert<int16_t>},  {"<u4", 4, convert<uint32_t>},
    {"<i4", 4, convert<int32_t>},  {"<u8", 8, convert<uint64_t>}, {"<i8", 8, convert<int64_t>},
};

const ElementType& element_type(const std::string& type, const std::string& name) {
    for (const ElementType& known : element_types) {
        if (known.name == type) return known;
    }
    if (type.starts_with('>')) throw error("'{}' holds big-endian numbers ('{}'), expected little-endian", name, type);
    throw error("'{}' holds numbers of type '{}', expected float16, float32, float64, bool or an integer", name, type);
}

/// Element count, or nothing where it would not fit the file by far.
std::optional<size_t> checked_count(const Shape& shape) {
    size_t count = 1;
    for (int64_t extent : shape) {
        if (__builtin_mul_overflow(count, static_cast<size_t>(extent), &count)) return std::nullopt;
    }
    return count;
}

/// Fortran order is C order of the reversed shape with the axes reversed.
std::vector<float> to_c_order(const Shape& shape, const std::vector<float>& fortran) {
    std::vector<size_t> stride(shape.size(), 1);
    for (size_t axis = 1; axis < shape.size(); ++axis) {
        stride[axis] = stride[axis - 1] * static_cast<size_t>(shape[axis - 1]);
    }
    std::vector<float> values(fortran.size());
    std::vector<int64_t> index(shape.size(), 0);
    size_t from = 0;
    for (float& value : values) {
        value = fortran[from];
        for (size_t axis = shape.size(); axis-- > 0;) {
            from += stride[axis];
            if (++index[axis] < shape[axis]) break;
            from -= stride[axis] * static_cast<size_t>(shape[axis]);
            index[axis] = 0;
        }
    }
    return values;
}

}  // namespace

Tensor read_npy(const std::filesystem::path& path) {
    return decode_npy(read_file(path), path.string());
}

Tensor decode_npy(Bytes file, const std::string& name) {
    if (file.empty()) throw error("'{}' is empty, expected a NumPy .npy file", name);
    if (file.size() < magic.size() || std::memcmp(file.data(), magic.data(), magic.size()) != 0) {
        throw error("'{}' is not a NumPy .npy file", name);
    }
    if (file.size() < 12) throw error("'{}' is incomplete: it ends within the NumPy header", name);
    const int version = file[6];
    if (version < 1 || version > 3) throw error("'{}' has NumPy format version {}, expected 1 to 3", name, version);
    size_t header_size = file[8] | size_t{file[9]} << 8;
    if (version > 1) header_size |= size_t{file[10]} << 16 | size_t{file[11]} << 24;
    const size_t header_at = version > 1 ? 12 : 10;
    if (header_size > file.size() - header_at) {
        throw error("'{}' is incomplete: it ends within the NumPy header", name);
    }

    const std::string_view text(reinterpret_cast<const char*>(file.data()) + header_at, header_size);
    const Header header = HeaderParser(text, name).parse();
    const ElementType& type = element_type(header.type, name);
    const Bytes data = file.subspan(header_at + header_size);
    const std::optional<size_t> count = checked_count(header.shape);
    if (!count || data.size() % type.size_bytes != 0 || data.size() / type.size_bytes != *count) {
        throw error("'{}' holds {} bytes of data, which is not what its shape {} of '{}' takes", name, data.size(),
                    to_string(header.shape), header.type);
    }

    std::vector<float> values(*count);
    type.convert(data, values);
    if (header.is_fortran && header.shape.size() > 1) values = to_c_order(header.shape, values);
    return Tensor(header.shape, std::move(values));
}

void write_npy(const std::filesystem::path& path, const Shape& shape, std::span<const float> values) {
    assert(static_cast<int64_t>(values.size()) == element_count(shape));
    assert(shape.size() <= max_rank);
    std::string extents;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
        // A tuple of one keeps its comma: "(3,)".
        extents += fmt::format("{}{}", shape[axis], axis + 1 < shape.size() ? ", " : shape.size() == 1 ? "," : "");
    }
    std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", extents);
    // NumPy aligns the data to 64 bytes, so that readers may map the file.
    constexpr size_t preamble = 10, alignment = 64;
    header.append((alignment - (preamble + header.size() + 1) % alignment) % alignment, ' ');
    header += '\n';

    std::string start(magic);
    start += {'\1', '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
    start += header;
    AtomicFile file(path);
    file.write(std::span(reinterpret_cast<const uint8_t*>(start.data()), start.size()));
    file.write(std::span(reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()));
    file.commit();
}

}  // namespace vkseg::app
