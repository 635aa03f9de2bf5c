#include "apps/common/class_names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

constexpr const char* lemmas_file = "imagenet_synset_to_lemma.txt";

std::string read_text(const std::filesystem::path& path) {
    const std::vector<uint8_t> bytes = read_file(path);
    std::string text(bytes.begin(), bytes.end());
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    return text;
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Lines that are not empty, without the space around them.
Names lines_of(std::string_view text) {
    Names lines;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        if (const auto line = trimmed(text.substr(0, end)); !line.empty()) lines.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// "n01440764": the letter n and eight digits.
bool starts_with_wordnet_id(std::string_view text) {
    return text.size() >= 9 && text[0] == 'n' &&
           std::ranges::all_of(text.substr(1, 8), [](char c) { return c >= '0' && c <= '9'; });
}

Names names_of_lines(const std::filesystem::path& path, Names lines) {
    std::map<std::string, std::string, std::less<>> lemmas;
    const bool only_ids =
        std::ranges::all_of(lines, [](const auto& line) { return line.size() == 9 && starts_with_wordnet_id(line); });
    if (const auto beside = path.parent_path() / lemmas_file; only_ids && std::filesystem::exists(beside))
        for (const std::string& line : lines_of(read_text(beside)))
            if (starts_with_wordnet_id(line)) lemmas[line.substr(0, 9)] = trimmed(std::string_view(line).substr(9));
    for (std::string& line : lines) {
        if (!starts_with_wordnet_id(line)) continue;
        const auto lemma = lemmas.find(line);
        if (lemma != lemmas.end())
            line = lemma->second;
        else if (line.size() > 10 && (line[9] == ' ' || line[9] == '\t'))
            line = trimmed(std::string_view(line).substr(9));
    }
    return lines;
}

/// A text, or the last one of a list, as Keras puts the WordNet id before the name.
std::string json_name(const Json& value, const std::string& where) {
    const Json& name = value.is_array() && !value.empty() ? value.back() : value;
    if (!name.is_string()) throw error("{} is no text", where);
    return name.get<std::string>();
}

Names names_of_json(const std::filesystem::path& path, const std::string& text) {
    const Json document = Json::parse(text, nullptr, false);
    if (document.is_discarded()) throw error("'{}' is not valid JSON", path.string());
    Names names;
    for (size_t i = 0; i < document.size(); ++i) {
        const std::string where = fmt::format("'{}': name {}", path.string(), i);
        if (document.is_array()) {
            names.push_back(json_name(document[i], where));
            continue;
        }
        const auto found = document.find(std::to_string(i));
        if (found == document.end())
            throw error("{} is missing; an object has the keys 0 to {}", where, document.size() - 1);
        names.push_back(json_name(*found, where));
    }
    return names;
}

/// Walks over Python source and sees texts, lists of texts and comments; nothing is run.
class PythonLists {
public:
    explicit PythonLists(std::string_view source) : rest_(source) {}

    /// The next list that holds texts and nothing else.
    std::optional<Names> next() {
        while (!rest_.empty()) {
            const char first = rest_[0];
            if (first == '[') {
                rest_.remove_prefix(1);
                const std::string_view inside = rest_;
                if (auto names = list()) return names;
                rest_ = inside;
            } else if (first == '"' || first == '\'') {
                (void)text();
            } else if (first == '#') {
                skip_space();
            } else {
                rest_.remove_prefix(1);
            }
        }
        return std::nullopt;
    }

private:
    std::optional<Names> list() {
        Names names;
        for (;;) {
            skip_space();
            if (rest_.empty()) return std::nullopt;
            if (rest_[0] == ']') return names;
            auto name = text();
            if (!name) return std::nullopt;
            names.push_back(std::move(*name));
            skip_space();
            if (rest_.starts_with(','))
                rest_.remove_prefix(1);
            else if (!rest_.starts_with(']'))
                return std::nullopt;
        }
    }

    /// A text in single, double or triple quotes; nothing where none begins or it does not end.
    std::optional<std::string> text() {
        if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\'')) return std::nullopt;
        const std::string triple(3, rest_[0]);
        const std::string quote = rest_.starts_with(triple) ? triple : triple.substr(0, 1);
        rest_.remove_prefix(quote.size());
        std::string result;
        while (!rest_.empty() && !rest_.starts_with(quote)) {
            if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
            result += rest_[0];
            rest_.remove_prefix(1);
        }
        if (rest_.empty()) return std::nullopt;
        rest_.remove_prefix(quote.size());
        return result;
    }

    void skip_space() {
        while (!rest_.empty()) {
            if (rest_[0] == '#')
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
            else if (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\r' || rest_[0] == '\n')
                rest_.remove_prefix(1);
            else
                return;
        }
    }

    std::string_view rest_;
};

Names names_of_python(const std::filesystem::path& path, const std::string& text, size_t classes) {
    PythonLists lists(text);
    size_t largest = 0;
    while (auto names = lists.next()) {
        if (names->size() == classes) return *names;
        largest = std::max(largest, names->size());
    }
    throw error("'{}' has no list of {} names; its longest has {}", path.string(), classes, largest);
}

}  // namespace

std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes) {
    const std::string text = read_text(path);
    const size_t first = text.find_first_not_of(" \t\r\n");
    Names names;
    if (path.extension() == ".py")
        names = names_of_python(path, text, static_cast<size_t>(classes));
    else if (first != std::string::npos && (text[first] == '[' || text[first] == '{'))
        names = names_of_json(path, text);
    else
        names = names_of_lines(path, lines_of(text));
    if (names.size() != static_cast<size_t>(classes))
        throw error("'{}' has {} names, but the network gives {} classes", path.string(), names.size(), classes);
    return names;
}

ClassList read_named_class_set(const std::filesystem::path& path, ClassList numbered) {
    const Names names = read_class_names(path, static_cast<int>(numbered.classes.size()));
    numbered.name = names.size() == 1000 ? "imagenet" : path.stem().string();
    for (size_t i = 0; i < names.size(); ++i) numbered.classes[i].name = names[i];
    return numbered;
}

}  // namespace vkseg::app
