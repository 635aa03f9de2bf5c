#include "importer/config_json.hpp"

#include "graph/ir/error.hpp"

#include <nlohmann/json.hpp>

namespace vkseg {

namespace {

Config::Value value_from_json(const nlohmann::json& value, const std::string& key, const std::string& source) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_array())
        throw error("{}: key '{}' is neither a number, a truth value, a text nor a list of numbers", source, key);
    std::vector<double> numbers;
    for (const auto& item : value) {
        if (!item.is_number()) throw error("{}: key '{}' holds a list of something but numbers", source, key);
        numbers.push_back(item.get<double>());
    }
    return numbers;
}

}  // namespace

Config config_from_json(const std::string& json, const std::string& source) {
    const auto object = nlohmann::json::parse(json, nullptr, false);
    if (object.is_discarded()) throw error("{}: this is not valid JSON: {:.80}", source, json);
    if (!object.is_object()) throw error("{}: expected a JSON object such as {{\"classes\": 20}}", source);
    Config config;
    for (const auto& [key, value] : object.items()) config.set(key, value_from_json(value, key, source));
    return config;
}

}  // namespace vkseg
