#include "graph/ir/error.hpp"
#include "importer/safetensors.hpp"
#include "importer/stored_values.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Header length (u64), a JSON object {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...},
// elements.

namespace vkseg::importer {
namespace {

using nlohmann::json;

constexpr auto dtypes = std::to_array<std::pair<std::string_view, StoredType>>({
    {"F64", StoredType::F64},
    {"F32", StoredType::F32},
    {"F16", StoredType::F16},
    {"BF16", StoredType::BF16},
    {"I64", StoredType::I64},
    {"I32", StoredType::I32},
    {"I16", StoredType::I16},
    {"I8", StoredType::I8},
    {"U8", StoredType::U8},
    {"BOOL", StoredType::Bool},
});

json parse_header(std::string_view text, const std::string& file) {
    // The deepest a header goes: the object, an entry, its shape.
    constexpr size_t max_depth = 3;
    std::array<std::set<std::string, std::less<>>, max_depth + 1> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
        const auto level = static_cast<size_t>(depth);
        if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
            if (level >= max_depth) throw error("'{}': its safetensors header nests deeper than expected", file);
            keys[level + 1].clear();
        } else if (event == json::parse_event_t::key) {
            // JSON readers disagree on which of two equal keys counts.
            const auto& key = parsed.get_ref<const std::string&>();
            if (!keys[level].insert(key).second) {
                throw error("'{}': its safetensors header names {} twice", file, in_quotes(key));
            }
        }
        return true;
    };
    try {
        return json::parse(text.begin(), text.end(), check);
    } catch (const json::parse_error& problem) {
        throw error("'{}': its safetensors header is not valid JSON (at byte {})", file, problem.byte);
    } catch (const json::exception&) {
        throw error("'{}': its safetensors header is not valid JSON", file);
    }
}

/// A list of non-negative integers.
std::optional<Shape> read_integers(const json& entry, const char* key) {
    const auto it = entry.find(key);
    if (it == entry.end() || !it->is_array()) return std::nullopt;
    Shape integers;
    for (const json& element : *it) {
        if (!element.is_number_unsigned()) return std::nullopt;
        const auto number = element.get<uint64_t>();
        if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
        integers.push_back(static_cast<int64_t>(number));
    }
    return integers;
}

/// Text by text, as the format has it; whatever else stands there is nobody's business here.
std::map<std::string, std::string, std::less<>> read_metadata(const json& entry) {
    std::map<std::string, std::string, std::less<>> metadata;
    if (!entry.is_object()) return metadata;
    for (const auto& [key, value] : entry.items()) {
        if (value.is_string()) metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
}

struct Placed {
    std::string_view name;
    StoredType type = StoredType::F32;
    Shape shape;
    uint64_t begin = 0;
    uint64_t end = 0;
};

Placed read_entry(const std::string& name, const json& entry, uint64_t data_bytes, const std::string& file) {
    const auto malformed = [&](const char* expected) {
        return error("'{}': tensor {} is malformed, expected {}", file, in_quotes(name), expected);
    };
    if (!entry.is_object()) throw malformed("an object with dtype, shape and data_offsets");
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) throw malformed("a dtype");
    const auto& dtype_name = dtype->get_ref<const std::string&>();
    const auto known = std::ranges::find(dtypes, dtype_name, &std::pair<std::string_view, StoredType>::first);
    if (known == dtypes.end()) {
        throw error("'{}': tensor {} has dtype {}, expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL", file,
                    in_quotes(name), in_quotes(dtype_name));
    }
    const StoredType type = known->second;
    auto shape = read_integers(entry, "shape");
    if (!shape) throw malformed("a shape of non-negative integers");
    if (shape->size() > max_axes) {
        throw error("'{}': tensor {} has {} axes, expected at most {}", file, in_quotes(name), shape->size(), max_axes);
    }
    const auto offsets = read_integers(entry, "data_offsets");
    if (!offsets || offsets->size() != 2) throw malformed("two data_offsets");
    const auto begin = static_cast<uint64_t>((*offsets)[0]);
    const auto end = static_cast<uint64_t>((*offsets)[1]);
    if (begin > end || end > data_bytes) {
        throw error("'{}': tensor {} lies at bytes {} to {} of the data, which has {}", file, in_quotes(name), begin,
                    end, data_bytes);
    }
    const auto count = checked_element_count(*shape);
    const auto bytes = count ? checked_byte_count(*count, type) : std::nullopt;
    if (!bytes || static_cast<uint64_t>(*bytes) != end - begin) {
        throw error("'{}': tensor {} of shape {} and dtype {} does not fit its {} bytes", file, in_quotes(name),
                    to_string(*shape), dtype_name, end - begin);
    }
    return {.name = name, .type = type, .shape = std::move(*shape), .begin = begin, .end = end};
}

/// Also bounds memory: without shared bytes, all tensors together are no larger than the file.
void refuse_overlaps(std::vector<Placed>& tensors, const std::string& file) {
    std::ranges::sort(tensors, {}, [](const Placed& tensor) { return std::pair(tensor.begin, tensor.end); });
    const Placed* previous = nullptr;
    for (const Placed& tensor : tensors) {
        if (tensor.begin == tensor.end) continue;
        if (previous != nullptr && tensor.begin < previous->end) {
            throw error("'{}': tensors {} and {} share bytes", file, in_quotes(previous->name), in_quotes(tensor.name));
        }
        previous = &tensor;
    }
}

}  // namespace

Weights read_safetensors(Bytes bytes, const std::string& file) {
    ByteReader in(bytes, file);
    in.enter("the header length");
    const auto header_bytes = in.take_number<uint64_t>();
    if (header_bytes > max_safetensors_header_bytes) {
        throw error("'{}': claims a safetensors header of {} bytes, expected at most {}", file, header_bytes,
                    max_safetensors_header_bytes);
    }
    in.enter("the safetensors header");
    const json header = parse_header(in.take_text(header_bytes), file);
    if (!header.is_object()) throw error("'{}': its safetensors header is not a JSON object", file);
    const Bytes data = bytes.subspan(in.position());

    std::vector<Placed> tensors;
    Weights weights{.source = file, .tensors = {}, .metadata = {}};
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") {
            weights.metadata = read_metadata(entry);
        } else {
            tensors.push_back(read_entry(name, entry, data.size(), file));
        }
    }
    refuse_overlaps(tensors, file);
    for (const Placed& placed : tensors) {
        const Bytes elements = data.subspan(placed.begin, placed.end - placed.begin);
        add_tensor(weights, placed.name,
                   {.tensor = gather_contiguous(placed.type, elements, placed.shape), .stored_type = placed.type});
    }
    return weights;
}

}  // namespace vkseg::importer
