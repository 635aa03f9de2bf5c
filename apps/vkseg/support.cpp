#include "apps/vkseg/support.hpp"

#include "apps/common/atomic_file.hpp"
#include "apps/common/palette.hpp"
#include "apps/common/shipped_files.hpp"
#include "apps/vkseg/tuned.hpp"
#include "graph/ir/error.hpp"
#include "importer/config_json.hpp"
#include "models/class_sets.hpp"
#include "models/network.hpp"

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
    return name_of(runner->precision());
}
const char* Engine::arithmetic_name() const {
    return name_of(runner->arithmetic());
}

std::unique_ptr<Context> open_context(const CommonOptions& options,
                                      const std::function<void(ContextOptions&)>& adjust) {
    if (options.device == "reference") return nullptr;
    ContextOptions context;
    context.device = options.device;
    context.log = warn;
    if (adjust) adjust(context);
    return std::make_unique<Context>(std::move(context));
}

namespace {

/// A file by its ending, by its folder, or because there is one and no network of that name.
bool names_file(const std::string& text) {
    if (std::ranges::any_of(networks(), [&](const NetworkInfo* info) { return info->name == text; })) return false;
    return text.ends_with(".vkseg") || text.find('/') != std::string::npos || is_baked_file(text);
}

OpenedNetwork open_baked(const CommonOptions& options, const std::string& file, std::array<int, 2> size) {
    if (!options.weights.empty() || !options.config.empty())
        throw error("'{}' is a baked network with its own weights and configuration: leave {} out", file,
                    options.weights.empty() ? "--config" : "--weights");
    BakedOptions baked{size[0], size[1], {options.disabled_passes.begin(), options.disabled_passes.end()}};
    BakedModel loaded = load_baked(std::filesystem::path(file), baked);
    OpenedNetwork opened{loaded.model, std::move(loaded.classes), std::move(loaded.choices), std::move(loaded.tuned),
                         parse_precision(options.precision)};
    if (opened.precision == PrecisionChoice::Auto && !loaded.precision_by_device)
        opened.precision = opened.choices.precision == Precision::FP16 ? PrecisionChoice::FP16 : PrecisionChoice::FP32;
    return opened;
}

}  // namespace

OpenedNetwork open_network(const CommonOptions& options, const std::string& network, const Config& config,
                           std::array<int, 2> size) {
    OpenedNetwork opened;
    if (names_file(network)) {
        opened = open_baked(options, network, size);
    } else {
        ModelOptions model;
        model.network = network;
        model.config = config;
        if (!options.weights.empty()) model.weights = options.weights;
        model.disabled_passes = {options.disabled_passes.begin(), options.disabled_passes.end()};
        opened.precision = parse_precision(options.precision);
        opened.model = load_model(model, size[0], size[1]);
    }
    opened.choices.disabled_fusions.insert(options.disabled_fusions.begin(), options.disabled_fusions.end());
    for (const std::string& name : opened.model->non_finite_tensors)
        warn(fmt::format("'{}': tensor '{}' holds values that are not finite; the result will be of no use",
                         options.weights.empty() ? network : options.weights, name));
    return opened;
}

std::shared_ptr<const Model> open_model(const CommonOptions& options, const std::string& network, const Config& config,
                                        std::array<int, 2> size) {
    return open_network(options, network, config, size).model;
}

Engine open_engine(const CommonOptions& options, const std::string& network, const Config& config,
                   std::array<int, 2> size) {
    Engine engine;
    // The model first: a wrong file name should not wait for a driver.
    OpenedNetwork opened = open_network(options, network, config, size);
    engine.model = opened.model;
    engine.classes = std::move(opened.classes);
    engine.context = open_context(options);
    RunnerOptions how{opened.precision, opened.choices.denied_families, opened.choices.disabled_fusions,
                      opened.choices.layers, wanted_arithmetic(options)};
    use_tuned(how, options, *engine.model, engine.context.get(), opened.tuned);
    engine.runner = std::make_unique<Runner>(engine.model, engine.context.get(), how);
    return engine;
}

void expect_trained(const CommonOptions& options, const std::string& network, const char* command) {
    if (!options.weights.empty() || names_file(network)) return;
    throw error("{} needs trained weights: --weights FILE with the network, or a baked network in its place", command);
}

void take_shipped_weights(CommonOptions& options, const std::string& network) {
    // A configuration of one's own makes another network than the one that was trained.
    if (!options.weights.empty() || !options.config.empty() || names_file(network)) return;
    const std::string& name = vkseg::network(network).shipped_weights;
    if (name.empty()) return;
    const std::filesystem::path file = shipped_file(std::filesystem::path("weights") / name);
    if (std::filesystem::exists(file)) options.weights = file.string();
}

std::string weights_notice(const Model& model) {
    if (model.notice.empty()) return {};
    std::string text = fmt::format("Weights {}.", model.notice);
    const std::string& published = vkseg::network(model.network).published_weights;
    if (!published.empty())
        text += fmt::format(" Published ones: github.com/{}; pass their file with --weights FILE.", published);
    return text;
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

RunnerOptions runner_options(const CommonOptions& options) {
    RunnerOptions runner;
    runner.precision = parse_precision(options.precision);
    runner.arithmetic = wanted_arithmetic(options);
    runner.disabled_fusions = {options.disabled_fusions.begin(), options.disabled_fusions.end()};
    return runner;
}

bool wants_bilinear(const std::string& upsample) {
    if (upsample != "nearest" && upsample != "bilinear")
        throw error("--upsample '{}': expected nearest or bilinear", upsample);
    return upsample == "bilinear";
}

PrecisionChoice parse_precision(const std::string& text) {
    if (text == "auto") return PrecisionChoice::Auto;
    if (text == "fp32") return PrecisionChoice::FP32;
    if (text == "fp16") return PrecisionChoice::FP16;
    throw error("--precision '{}': expected fp32, fp16 or auto", text);
}

std::optional<Arithmetic> parse_arithmetic(const std::string& text) {
    if (text.empty()) return std::nullopt;
    if (text == "fp32") return Arithmetic::FP32;
    if (text == "fp16") return Arithmetic::FP16;
    throw error("--arithmetic '{}': expected fp32 or fp16", text);
}

Arithmetic wanted_arithmetic(const CommonOptions& options) {
    return parse_arithmetic(options.arithmetic).value_or(Arithmetic::FP32);
}

const char* name_of(Precision precision) {
    return precision == Precision::FP16 ? "fp16" : "fp32";
}

const char* name_of(Arithmetic arithmetic) {
    return arithmetic == Arithmetic::FP16 ? "fp16" : "fp32";
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
    return config_from_json(json, source);
}

ClassList choose_classes(const std::string& wanted, const Model& model, const ClassList& baked) {
    if (wanted.empty()) return baked.classes.empty() ? default_class_set(model.network, model.classes) : baked;
    auto names = class_set_names();
    names.emplace_back("imagenet");
    const ClassList chosen =
        std::find(names.begin(), names.end(), wanted) != names.end() ? class_set(wanted) : read_class_set(wanted);
    if (static_cast<int>(chosen.classes.size()) != model.classes)
        throw error("--classes '{}' has {} classes, but the network gives {}", wanted, chosen.classes.size(),
                    model.classes);
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
