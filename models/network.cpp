#include "models/network.hpp"

#include "graph/ir/error.hpp"
#include "models/made_up_weights.hpp"
#include "models/parameter_source.hpp"
#include "models/scope.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <set>

namespace vkseg {

namespace {

std::vector<std::unique_ptr<const NetworkInfo>>& registry() {
    static std::vector<std::unique_ptr<const NetworkInfo>> entries;
    return entries;
}

BuiltNetwork build_with(const NetworkInfo& info, const Config& config, ParameterSource& source, int width, int height) {
    std::vector<std::string> keys;
    for (const auto& [key, meaning] : info.config_keys) keys.push_back(key);
    config.refuse_unknown(keys);
    if (width < 1 || height < 1) throw error("a picture of {}x{} pixels has no pixels", width, height);
    BuiltNetwork built;
    Graph& graph = built.graph;
    // The weights are read at the network's own size, so that a size it cannot take is not mistaken for bad weights.
    const ValueId image = graph.add_input("image", {ValueKind::Features, {3, info.default_height, info.default_width}});
    Scope root(source, "");
    const ValueId scores = info.build(config, graph, image, root);
    source.refuse_extra();
    source.scale_made_up(graph, made_up_weight_factors(graph));
    graph.outputs = {scores};
    graph.values[static_cast<size_t>(scores)].name = "scores";
    built.parameters = source.parameters();
    built.classes = graph.desc(scores).channels();
    set_network_size(graph, info.name, width, height);
    return built;
}

bool fits(const NetworkInfo& info, const Config& config, const Weights& weights) {
    try {
        ParameterSource source(weights);
        (void)build_with(info, config, source, info.default_width, info.default_height);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// Another configuration that the weights fit: other classes, or batch norm folded or not. Tried out, so that the hint
/// is right; "" when none fits.
std::string fitting_configuration(const NetworkInfo& info, const Config& config, const Weights& weights) {
    const auto has_key = [&](std::string_view key) {
        return std::ranges::any_of(info.config_keys, [&](const auto& entry) { return entry.first == key; });
    };
    std::set<int64_t> classes{0};  // 0: as it is
    if (has_key("classes"))
        for (const auto& [name, tensor] : weights.tensors)
            for (size_t axis = 0; axis < std::min<size_t>(2, tensor.tensor.shape.size()); ++axis)
                if (tensor.tensor.shape[axis] <= 256) classes.insert(tensor.tensor.shape[axis]);
    const bool folds = has_key("batch_norm");
    for (const bool other_norm : {false, true})
        for (const int64_t count : classes) {
            Config candidate = config;
            std::vector<std::string> keys;
            if (count > 0) {
                candidate.set("classes", static_cast<double>(count));
                keys.push_back(fmt::format("\"classes\": {}", count));
            }
            if (other_norm) {
                if (!folds) continue;
                const bool value = !config.boolean("batch_norm", false);
                candidate.set("batch_norm", value);
                keys.push_back(fmt::format("\"batch_norm\": {}", value));
            }
            if (!keys.empty() && fits(info, candidate, weights)) return fmt::format("{{{}}}", fmt::join(keys, ", "));
        }
    return "";
}

BuiltNetwork build(const NetworkInfo& info, const Config& config, ParameterSource& source, int width, int height) {
    try {
        return build_with(info, config, source, width, height);
    } catch (const WeightsMismatch& reason) {
        const std::string fitting = fitting_configuration(info, config, *source.weights());
        if (fitting.empty()) throw;
        throw error("{}; they fit {} with --config '{}'", reason.what(), info.name, fitting);
    }
}

}  // namespace

Preprocess espnet_preprocess() {
    const float mean[] = {72.3923111f, 82.90893555f, 73.15840149f};
    const float deviation[] = {45.3192215f, 46.15289307f, 44.91483307f};
    Preprocess result;
    result.bgr = true;
    for (size_t c = 0; c < 3; ++c) {
        result.subtract[c] = mean[c];
        result.multiply[c] = 1.0f / (deviation[c] * 255.0f);
    }
    return result;
}

Preprocess imagenet_preprocess() {
    const float mean[] = {0.485f, 0.456f, 0.406f};
    const float deviation[] = {0.229f, 0.224f, 0.225f};
    Preprocess result;
    for (size_t c = 0; c < 3; ++c) {
        result.subtract[c] = mean[c] * 255.0f;
        result.multiply[c] = 1.0f / (deviation[c] * 255.0f);
    }
    return result;
}

RegisterNetwork::RegisterNetwork(NetworkInfo info) {
    registry().push_back(std::make_unique<const NetworkInfo>(std::move(info)));
}

const std::vector<const NetworkInfo*>& networks() {
    static const std::vector<const NetworkInfo*> sorted = [] {
        std::vector<const NetworkInfo*> entries;
        for (const auto& entry : registry()) entries.push_back(entry.get());
        std::ranges::sort(entries, {}, &NetworkInfo::name);
        return entries;
    }();
    return sorted;
}

const NetworkInfo& network(std::string_view name) {
    std::string names;
    for (const NetworkInfo* info : networks()) {
        if (info->name == name) return *info;
        names += (names.empty() ? "" : ", ") + info->name;
    }
    throw error("there is no network '{}'; known are {}", name, names);
}

BuiltNetwork build_network(std::string_view name, const Config& config, const Weights& weights, int width, int height) {
    ParameterSource source(weights);
    return build(network(name), config, source, width, height);
}

BuiltNetwork build_network(std::string_view name, const Config& config, int width, int height, uint64_t seed) {
    ParameterSource source(seed);
    return build(network(name), config, source, width, height);
}

Weights make_random_weights(std::string_view name, const Config& config, uint64_t seed) {
    const NetworkInfo& info = network(name);
    ParameterSource source(seed);
    (void)build(info, config, source, info.default_width, info.default_height);
    Weights weights;
    for (const auto& [path, tensor] : source.made()) weights.tensors[path] = {tensor, StoredType::F32};
    return weights;
}

}  // namespace vkseg
