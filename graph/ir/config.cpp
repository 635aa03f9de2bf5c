#include "graph/ir/config.hpp"

#include "graph/ir/error.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vkseg {

namespace {

std::string text_of(const Config::Value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
    if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *text);
    return fmt::format("[{}]", fmt::join(std::get<std::vector<double>>(value), ", "));
}

Error wrong(std::string_view key, const std::string& expected, const Config::Value& found) {
    return error("config key '{}' must be {}, found {}", key, expected, text_of(found));
}

/// False for NaN too.
bool in_range(double value, double low, double high) {
    return value >= low && value <= high;
}

/// Edits (insertions, deletions, replacements) that turn one word into the other.
size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < from.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < to.size(); ++j) {
            const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

/// The known key that a slip of the finger would explain; "" when none is near.
std::string closest(const std::string& key, const std::vector<std::string>& known) {
    std::string best;
    size_t best_distance = std::max<size_t>(key.size() / 2, 1) + 1;
    for (const std::string& candidate : known) {
        const size_t distance = edit_distance(key, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace

const Config::Value* Config::find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

int Config::integer(std::string_view key, int fallback, int low, int high) const {
    const Value* value = find(key);
    if (!value) return fallback;
    const auto* number = std::get_if<double>(value);
    if (!number || !in_range(*number, low, high) || std::trunc(*number) != *number) {
        throw wrong(key, fmt::format("a whole number from {} to {}", low, high), *value);
    }
    return static_cast<int>(*number);
}

double Config::number(std::string_view key, double fallback, double low, double high) const {
    const Value* value = find(key);
    if (!value) return fallback;
    const auto* number = std::get_if<double>(value);
    if (!number || !in_range(*number, low, high)) {
        throw wrong(key, fmt::format("a number from {} to {}", low, high), *value);
    }
    return *number;
}

bool Config::boolean(std::string_view key, bool fallback) const {
    const Value* value = find(key);
    if (!value) return fallback;
    const auto* flag = std::get_if<bool>(value);
    if (!flag) throw wrong(key, "true or false", *value);
    return *flag;
}

std::string Config::choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed) const {
    const Value* value = find(key);
    if (!value) return fallback;
    const auto* text = std::get_if<std::string>(value);
    if (!text || std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
        throw wrong(key, fmt::format("one of \"{}\"", fmt::join(allowed, "\", \"")), *value);
    }
    return *text;
}

std::vector<double> Config::numbers(std::string_view key, std::vector<double> fallback, size_t count, double low,
                                    double high) const {
    const Value* value = find(key);
    if (!value) return fallback;
    const auto* list = std::get_if<std::vector<double>>(value);
    const bool fits = list && (count == 0 || list->size() == count) &&
                      std::all_of(list->begin(), list->end(), [&](double n) { return in_range(n, low, high); });
    if (!fits) {
        const std::string length = count == 0 ? "a list of numbers" : fmt::format("a list of {} numbers", count);
        throw wrong(key, fmt::format("{} from {} to {}", length, low, high), *value);
    }
    return *list;
}

void Config::refuse_unknown(const std::vector<std::string>& known) const {
    for (const auto& [key, value] : values_) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        if (known.empty()) throw error("config key '{}' is unknown: no keys are known here", key);
        const std::string suggestion = closest(key, known);
        throw error("config key '{}' is unknown{}; known keys: {}", key,
                    suggestion.empty() ? "" : fmt::format(" (did you mean '{}'?)", suggestion), fmt::join(known, ", "));
    }
}

}  // namespace vkseg
