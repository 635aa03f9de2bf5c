#include <nlohmann/json.hpp>

#include "apps/common/palette.hpp"
#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

using Json = nlohmann::json;

constexpr size_t max_classes = 256;  // label pictures have 8 bits

/// A number that label pictures and colours can hold, else nothing.
bool read_byte(const Json& value, int& byte) {
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned() ? value.get<uint64_t>() > 255 : value.get<int64_t>() < 0) return false;
    byte = value.get<int>();
    return true;
}

ClassInfo read_class(const Json& entry, size_t position, const std::string& file) {
    // Every message says which entry: the file may well be generated and have one line.
    const std::string where = fmt::format("'{}', class {}", file, position);
    if (!entry.is_object())
        throw error("{}: expected {{\"name\", \"colour\", \"id\"}}, found {}", where, entry.type_name());
    ClassInfo info;
    bool has_name = false, has_colour = false;
    info.label_id = static_cast<int>(position);
    for (const auto& [key, value] : entry.items()) {
        if (key == "name") {
            if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
                throw error("{}: \"name\" must be a text that is not empty", where);
            }
            info.name = value.get<std::string>();
            has_name = true;
        } else if (key == "colour" || key == "color") {
            if (!value.is_array() || value.size() != 3)
                throw error("{}: \"{}\" must be [red, green, blue]", where, key);
            for (size_t channel = 0; channel < 3; ++channel) {
                int byte = 0;
                if (!read_byte(value[channel], byte)) {
                    throw error("{}: \"{}\" must hold whole numbers from 0 to 255", where, key);
                }
                info.colour[channel] = static_cast<uint8_t>(byte);
            }
            has_colour = true;
        } else if (key == "id") {
            if (!read_byte(value, info.label_id)) throw error("{}: \"id\" must be a whole number from 0 to 255", where);
        } else {
            throw error("{}: unknown key \"{}\", expected \"name\", \"colour\" and \"id\"", where, key);
        }
    }
    if (!has_name) throw error("{}: \"name\" is missing", where);
    if (!has_colour) throw error("{}: \"colour\" is missing", where);
    return info;
}

}  // namespace

ClassList read_class_set(const std::filesystem::path& path) {
    const std::string name = path.string();
    const std::vector<uint8_t> text = read_file(path);
    Json document;
    try {
        document = Json::parse(text.begin(), text.end());
    } catch (const Json::exception& failure) {
        // "[json.exception.parse_error.101] parse error at line 2, column 5: ..." without the library's number.
        std::string_view reason = failure.what();
        if (const size_t end = reason.find("] "); end != std::string_view::npos) reason.remove_prefix(end + 2);
        throw error("'{}' is not valid JSON: {}", name, reason);
    }
    if (!document.is_array()) throw error("'{}' must hold a list of classes, found {}", name, document.type_name());
    if (document.empty()) throw error("'{}' holds no classes", name);
    if (document.size() > max_classes) {
        throw error("'{}' holds {} classes, at most {} are supported", name, document.size(), max_classes);
    }
    ClassList set{path.stem().string(), {}};
    for (const Json& entry : document) set.classes.push_back(read_class(entry, set.classes.size(), name));
    return set;
}

}  // namespace vkseg::app
