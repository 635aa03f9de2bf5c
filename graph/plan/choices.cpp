#include "graph/plan/choices.hpp"

#include "graph/ir/error.hpp"

#include <array>
#include <charconv>

namespace vkseg {

namespace {

struct Number {
    const char* word;
    int LayerChoice::*member;
    int high;
};
constexpr std::array numbers{Number{"planes", &LayerChoice::planes, 16}, Number{"pixels", &LayerChoice::pixels, 8},
                             Number{"unrolled_macs", &LayerChoice::unrolled_macs, 1 << 20}};

struct Flag {
    const char* word;
    bool LayerChoice::*member;
};
constexpr std::array flags{Flag{"direct", &LayerChoice::direct}, Flag{"addresses", &LayerChoice::addresses},
                           Flag{"separate", &LayerChoice::separate},
                           Flag{"fp32_arithmetic", &LayerChoice::fp32_arithmetic}};

void read_word(std::string_view word, LayerChoice& choice) {
    for (const Flag& flag : flags)
        if (word == flag.word) {
            choice.*flag.member = true;
            return;
        }
    const size_t equals = word.find('=');
    for (const Number& number : numbers) {
        if (equals == word.npos || word.substr(0, equals) != number.word) continue;
        const std::string_view digits = word.substr(equals + 1);
        int value = 0;
        const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || value < 1 || value > number.high)
            throw error("expected {} from 1 to {}, found '{}'", number.word, number.high, digits);
        choice.*number.member = value;
        return;
    }
    throw error("there is no choice '{}' for a layer", word);
}

}  // namespace

std::string to_string(const LayerChoice& choice) {
    std::string text;
    for (const Number& number : numbers)
        if (choice.*number.member != 0) text += fmt::format(" {}={}", number.word, choice.*number.member);
    for (const Flag& flag : flags)
        if (choice.*flag.member) text += fmt::format(" {}", flag.word);
    return text.empty() ? text : text.substr(1);
}

LayerChoice parse_layer_choice(std::string_view text) {
    LayerChoice choice;
    while (!text.empty()) {
        const size_t end = std::min(text.find(' '), text.size());
        if (end > 0) read_word(text.substr(0, end), choice);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return choice;
}

}  // namespace vkseg
