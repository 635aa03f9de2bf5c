#include "graph/plan/tuned_choices.hpp"

#include "graph/fuse/fuse.hpp"
#include "graph/ir/byte_stream.hpp"
#include "graph/ir/error.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vkseg {

namespace {

constexpr std::string_view first_line = "vkseg tuned choices 1";
/// No network has so many layers.
constexpr size_t max_text_bytes = 16u << 20;

uint64_t checksum_of(std::string_view text) {
    return checksum({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

/// Everything that is one line of text stays one line.
std::string one_line(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    return text;
}

template <typename T>
T number(std::string_view text, int base = 10) {
    T value{};
    const char* const end = text.data() + text.size();
    std::from_chars_result result{};
    if constexpr (std::is_floating_point_v<T>)
        result = std::from_chars(text.data(), end, value);
    else
        result = std::from_chars(text.data(), end, value, base);
    if (result.ec != std::errc() || result.ptr != end) throw error("expected a number, found '{}'", text);
    return value;
}

/// Takes what stands before `separator`, and the separator.
std::string_view take(std::string_view& text, std::string_view separator) {
    const size_t at = text.find(separator);
    if (at == text.npos) throw error("expected '{}' in '{}'", separator, text);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at + separator.size());
    return taken;
}

void read_line(std::string_view key, std::string_view rest, TunedChoices& tuned) {
    if (key == "version") {
        tuned.version = rest;
    } else if (key == "network") {
        tuned.network = take(rest, " ");
        tuned.width = number<int>(take(rest, "x"));
        tuned.height = number<int>(rest);
        if (tuned.width < 1 || tuned.height < 1 || tuned.width > 32767 || tuned.height > 32767)
            throw error("expected sides of 1 to 32767 pixels, found {}x{}", tuned.width, tuned.height);
    } else if (key == "graph") {
        tuned.graph_hash = number<uint64_t>(rest, 16);
    } else if (key == "device") {
        tuned.vendor_id = number<uint32_t>(take(rest, ":"), 16);
        tuned.device_id = number<uint32_t>(take(rest, " "), 16);
        tuned.device = rest;
    } else if (key == "driver") {
        tuned.driver_version = number<uint32_t>(take(rest, " "), 16);
        tuned.driver = rest;
    } else if (key == "microseconds") {
        tuned.untuned_us = number<double>(take(rest, " untuned, "));
        tuned.tuned_us = number<double>(take(rest, " tuned"));
        if (!std::isfinite(tuned.untuned_us) || !std::isfinite(tuned.tuned_us)) throw error("expected finite times");
    } else if (key == "precision") {
        if (rest != "fp32" && rest != "fp16") throw error("expected precision fp32 or fp16, found '{}'", rest);
        tuned.choices.precision = rest == "fp16" ? Precision::FP16 : Precision::FP32;
    } else if (key == "arithmetic") {
        if (rest != "fp32" && rest != "fp16") throw error("expected arithmetic fp32 or fp16, found '{}'", rest);
        tuned.choices.arithmetic = rest == "fp16" ? Arithmetic::FP16 : Arithmetic::FP32;
    } else if (key == "deny") {
        if (rest != "cpu_shaped") throw error("there is no kernel family '{}' to deny", rest);
        tuned.choices.denied_families.emplace(rest);
    } else if (key == "disable") {
        const auto& names = fusion_names();
        if (std::ranges::find(names, rest) == names.end())
            throw error("there is no fusion '{}' to disable; fusions are {}", rest, fmt::join(names, ", "));
        tuned.choices.disabled_fusions.emplace(rest);
    } else if (key == "layer") {
        const size_t colon = rest.rfind(": ");
        if (colon == rest.npos) throw error("expected 'layer NAME: CHOICE', found '{}'", rest);
        tuned.choices.layers.emplace(rest.substr(0, colon), parse_layer_choice(rest.substr(colon + 2)));
    } else {
        throw error("there is no line '{}' in tuned choices", key);
    }
}

}  // namespace

uint64_t structure_hash(const Graph& graph) {
    // At a size of its own, so that the hash is that of the network and not of one picture.
    Graph sized = graph;
    const auto [width, height] = nearest_valid_size(graph, 256, 128);
    sized.set_input_size(width, height);
    return checksum_of(to_string(sized));
}

TunedChoices tuned_choices_for(const Graph& graph, std::string_view network, const DeviceFacts& facts,
                               std::string_view version) {
    TunedChoices tuned;
    tuned.version = version;
    tuned.network = network;
    tuned.width = graph.desc(graph.inputs.at(0)).width();
    tuned.height = graph.desc(graph.inputs.at(0)).height();
    tuned.graph_hash = structure_hash(graph);
    tuned.vendor_id = facts.vendor_id;
    tuned.device_id = facts.device_id;
    tuned.driver_version = facts.driver_version;
    tuned.device = one_line(facts.name);
    tuned.driver = one_line(facts.driver);
    return tuned;
}

std::string to_string(const TunedChoices& tuned) {
    const Choices& choices = tuned.choices;
    std::string text = fmt::format(
        "{}\nversion {}\nnetwork {} {}x{}\ngraph {:016x}\ndevice {:04x}:{:04x} {}\ndriver {:08x} {}\n"
        "microseconds {:.1f} untuned, {:.1f} tuned\nprecision {}\n",
        first_line, tuned.version, tuned.network, tuned.width, tuned.height, tuned.graph_hash, tuned.vendor_id,
        tuned.device_id, tuned.device, tuned.driver_version, tuned.driver, tuned.untuned_us, tuned.tuned_us,
        choices.precision == Precision::FP16 ? "fp16" : "fp32");
    if (choices.arithmetic == Arithmetic::FP16) text += "arithmetic fp16\n";
    for (const std::string& name : choices.denied_families) text += fmt::format("deny {}\n", name);
    for (const std::string& name : choices.disabled_fusions) text += fmt::format("disable {}\n", name);
    for (const auto& [label, choice] : choices.layers)
        if (choice != LayerChoice{}) text += fmt::format("layer {}: {}\n", label, to_string(choice));
    return text + fmt::format("checksum {:016x}\n", checksum_of(text));
}

TunedChoices parse_tuned_choices(std::string_view text) {
    if (text.size() > max_text_bytes || text.substr(0, text.find('\n')) != first_line)
        throw error("expected tuned choices that begin with '{}', found something else", first_line);
    const size_t last = text.rfind("\nchecksum ");
    if (last == text.npos || !text.ends_with('\n')) throw error("expected a checksum at the end; it is truncated");
    const std::string_view body = text.substr(0, last + 1);
    std::string_view end = text.substr(last + 1);
    (void)take(end, " ");
    const uint64_t expected = number<uint64_t>(take(end, "\n"), 16);
    if (!end.empty() || checksum_of(body) != expected)
        throw error("expected checksum {:016x}, found {:016x}; it is damaged", expected, checksum_of(body));
    TunedChoices tuned;
    std::string_view rest = body;
    (void)take(rest, "\n");
    while (!rest.empty()) {
        std::string_view line = take(rest, "\n");
        const std::string_view key = take(line, " ");
        read_line(key, line, tuned);
    }
    if (tuned.version.empty() || tuned.network.empty() || tuned.width == 0)
        throw error("expected version and network, found none");
    if (tuned.choices.arithmetic == Arithmetic::FP16 && tuned.choices.precision == Precision::FP32)
        throw error("expected precision fp16 where arithmetic is fp16, found fp32");
    return tuned;
}

std::string misfit_of_graph(const TunedChoices& tuned, const Graph& graph) {
    if (tuned.graph_hash == structure_hash(graph)) return "";
    return fmt::format("they were measured for another graph: {} with another configuration, or other passes",
                       tuned.network);
}

std::string misfit(const TunedChoices& tuned, const Graph& graph, const DeviceFacts& facts, std::string_view version) {
    const std::string device = one_line(facts.name), driver = one_line(facts.driver);
    if (tuned.vendor_id != facts.vendor_id || tuned.device_id != facts.device_id || tuned.device != device)
        return fmt::format("they were measured on '{}', and this is '{}'", tuned.device, device);
    if (tuned.driver_version != facts.driver_version || tuned.driver != driver)
        return fmt::format("they were measured with driver '{}', and this is '{}'", tuned.driver, driver);
    if (tuned.version != version)
        return fmt::format("they were measured with vkseg {}, and this is {}", tuned.version, version);
    return misfit_of_graph(tuned, graph);
}

}  // namespace vkseg
