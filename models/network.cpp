#include "models/network.hpp"

#include "graph/ir/error.hpp"
#include "models/parameter_source.hpp"
#include "models/scope.hpp"

#include <algorithm>
#include <memory>

namespace vkseg {

namespace {

std::vector<std::unique_ptr<const NetworkInfo>>& registry() {
    static std::vector<std::unique_ptr<const NetworkInfo>> entries;
    return entries;
}

BuiltNetwork build(const NetworkInfo& info, const Config& config, ParameterSource& source, int width, int height) {
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
    graph.outputs = {scores};
    graph.values[static_cast<size_t>(scores)].name = "scores";
    built.parameters = source.parameters();
    built.classes = graph.desc(scores).channels();
    set_network_size(graph, info.name, width, height);
    return built;
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
