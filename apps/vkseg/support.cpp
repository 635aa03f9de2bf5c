#include "apps/vkseg/support.hpp"

#include "apps/common/atomic_file.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vkseg::app {

std::string Engine::device_name() const {
    return context == nullptr ? "CPU reference" : context->facts().name;
}
std::string Engine::driver_name() const {
    return context == nullptr ? "none" : context->facts().driver;
}
const char* Engine::precision_name() const {
    return runner->precision() == Precision::FP16 ? "fp16" : "fp32";
}

std::unique_ptr<Context> open_context(const CommonOptions& options) {
    if (options.device == "reference") return nullptr;
    ContextOptions context;
    context.device = options.device;
    context.log = warn;
    return std::make_unique<Context>(std::move(context));
}

std::shared_ptr<const Model> open_model(const CommonOptions& options, const std::string& network, const Config& config,
                                        std::array<int, 2> size) {
    ModelOptions model;
    model.network = network;
    model.config = config;
    if (!options.weights.empty()) model.weights = options.weights;
    model.disabled_passes = {options.disabled_passes.begin(), options.disabled_passes.end()};
    auto loaded = load_model(model, size[0], size[1]);
    for (const std::string& name : loaded->non_finite_tensors)
        warn(fmt::format("'{}': tensor '{}' holds values that are not finite; the result will be of no use",
                         options.weights, name));
    return loaded;
}

Engine open_engine(const CommonOptions& options, const std::string& network, const Config& config,
                   std::array<int, 2> size) {
    const PrecisionChoice precision = parse_precision(options.precision);
    Engine engine;
    // The model first: a wrong file name should not wait for a driver.
    engine.model = open_model(options, network, config, size);
    engine.context = open_context(options);
    engine.runner = std::make_unique<Runner>(engine.model, engine.context.get(), RunnerOptions{precision, {}});
    return engine;
}

std::array<int, 2> parse_size(const std::string& text) {
    if (text.empty()) return {0, 0};
    std::array<int, 2> size{0, 0};
    const char* const end = text.data() + text.size();
    const auto width = std::from_chars(text.data(), end, size[0]);
    bool good = width.ec == std::errc() && width.ptr != end && (*width.ptr == 'x' || *width.ptr == 'X');
    if (good) {
        const auto height = std::from_chars(width.ptr + 1, end, size[1]);
        good = height.ec == std::errc() && height.ptr == end;
    }
    if (!good) throw error("--size '{}': expected WIDTHxHEIGHT in pixels, such as 1024x512", text);
    if (size[0] < 1 || size[1] < 1 || size[0] > 32767 || size[1] > 32767)
        throw error("--size {}: a side has 1 to 32767 pixels", text);
    return size;
}

PrecisionChoice parse_precision(const std::string& text) {
    if (text == "auto") return PrecisionChoice::Auto;
    if (text == "fp32") return PrecisionChoice::FP32;
    if (text == "fp16") return PrecisionChoice::FP16;
    throw error("--precision '{}': expected fp32, fp16 or auto", text);
}

Config config_from_json(const nlohmann::json& object, const std::string& source) {
    if (!object.is_object()) throw error("{}: expected a JSON object such as {{\"classes\": 20}}", source);
    Config config;
    for (const auto& [key, value] : object.items()) {
        if (value.is_boolean()) {
            config.set(key, value.get<bool>());
        } else if (value.is_number()) {
            config.set(key, value.get<double>());
        } else if (value.is_string()) {
            config.set(key, value.get<std::string>());
        } else if (value.is_array()) {
            std::vector<double> numbers;
            for (const auto& item : value) {
                if (!item.is_number()) throw error("{}: key '{}' holds a list of something but numbers", source, key);
                numbers.push_back(item.get<double>());
            }
            config.set(key, numbers);
        } else {
            throw error("{}: key '{}' is neither a number, a truth value, a text nor a list of numbers", source, key);
        }
    }
    return config;
}

Config parse_config(const std::string& text) {
    if (text.empty()) return {};
    std::string json = text, source = "--config";
    if (text.find('{') == std::string::npos) {
        std::ifstream file(text);
        if (!file) throw error("--config '{}' is neither a JSON object nor a file that can be read", text);
        json.assign(std::istreambuf_iterator<char>(file), {});
        source = "'" + text + "'";
    }
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    if (parsed.is_discarded()) throw error("{}: this is not valid JSON: {:.80}", source, json);
    return config_from_json(parsed, source);
}

ClassSet choose_classes(const std::string& wanted, const std::string& network, int classes) {
    if (wanted.empty()) return default_class_set(network, classes);
    const auto names = class_set_names();
    const ClassSet chosen =
        std::find(names.begin(), names.end(), wanted) != names.end() ? class_set(wanted) : read_class_set(wanted);
    if (static_cast<int>(chosen.classes.size()) != classes)
        throw error("--classes '{}' has {} classes, but the network gives {}", wanted, chosen.classes.size(), classes);
    return chosen;
}

void write_json(const nlohmann::json& value, const std::string& target) {
    const std::string text = value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (target != "-") {
        write_file(target, text);
        return;
    }
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw error("could not write to standard output");
}

void warn(const std::string& text) {
    fmt::print(stderr, "vkseg: {}\n", text);
}

}  // namespace vkseg::app
