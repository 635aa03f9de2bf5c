#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vkseg {

/// Configuration of a network as plain data: what `--config JSON` and the golden cases say, without a JSON library.
/// Values are booleans, numbers, strings and lists of numbers. Getters range-check, and throw `Error` naming the key.
class Config {
public:
    using Value = std::variant<bool, double, std::string, std::vector<double>>;

    Config() = default;
    Config(std::initializer_list<std::pair<const std::string, Value>> values) : values_(values) {}

    void set(std::string key, Value value) { values_[std::move(key)] = std::move(value); }
    [[nodiscard]] bool has(std::string_view key) const { return values_.find(key) != values_.end(); }
    [[nodiscard]] const std::map<std::string, Value, std::less<>>& values() const { return values_; }

    /// Whole number in [low, high].
    [[nodiscard]] int integer(std::string_view key, int fallback, int low, int high) const;
    /// Number in [low, high].
    [[nodiscard]] double number(std::string_view key, double fallback, double low, double high) const;
    [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;
    /// One of `allowed`.
    [[nodiscard]] std::string choice(std::string_view key, std::string fallback,
                                     const std::vector<std::string>& allowed) const;
    /// List of exactly `count` numbers in [low, high] (any length when `count` is 0).
    [[nodiscard]] std::vector<double> numbers(std::string_view key, std::vector<double> fallback, size_t count,
                                              double low, double high) const;

    /// Throws `Error` naming the first key outside `known`, and the keys that are known.
    void refuse_unknown(const std::vector<std::string>& known) const;

private:
    [[nodiscard]] const Value* find(std::string_view key) const;
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace vkseg
