#include "runtime/api/model_loader.hpp"

#include "graph/ir/error.hpp"
#include "importer/importer.hpp"
#include "models/network.hpp"

#include <array>
#include <charconv>

namespace vkseg {

namespace {

std::string metadata_of(const Weights& weights, std::string_view key) {
    const auto entry = weights.metadata.find(key);
    return entry == weights.metadata.end() ? std::string() : entry->second;
}

/// {width, height} that the weights were trained at; {0, 0} when they do not say.
std::array<int, 2> input_size(const Weights& weights) {
    const std::string text = metadata_of(weights, "input_size");
    if (text.empty()) return {0, 0};
    std::array<int, 2> size{0, 0};
    const char* const end = text.data() + text.size();
    const auto width = std::from_chars(text.data(), end, size[0]);
    if (width.ec == std::errc() && width.ptr != end && *width.ptr == 'x') {
        const auto height = std::from_chars(width.ptr + 1, end, size[1]);
        constexpr int largest = 32767;
        if (height.ec == std::errc() && height.ptr == end && size[0] > 0 && size[1] > 0 && size[0] <= largest &&
            size[1] <= largest)
            return size;
    }
    throw error("'{}': its metadata gives the input_size '{}', expected WIDTHxHEIGHT such as 512x256", weights.source,
                one_line(text));
}

}  // namespace

std::shared_ptr<const Model> load_model(const ModelOptions& options, int width, int height) {
    const NetworkInfo& info = network(options.network);
    Model model;
    model.network = info.name;
    model.preprocess = info.preprocess;
    model.mask_sampling = info.mask_sampling;
    const auto take_size = [&](std::array<int, 2> size) {
        if (width <= 0) width = size[0];
        if (height <= 0) height = size[1];
    };
    BuiltNetwork built;
    if (options.weights) {
        const Weights weights = load_weights(*options.weights);
        model.non_finite_tensors = names_of_non_finite(weights);
        model.notice = one_line(metadata_of(weights, "notice"));
        take_size(input_size(weights));
        take_size({info.default_width, info.default_height});
        built = build_network(info.name, options.config, weights, width, height);
    } else {
        take_size({info.default_width, info.default_height});
        built = build_network(info.name, options.config, width, height);
    }
    model.parameters = built.parameters;
    model.graph = std::move(built.graph);
    return make_model(std::move(model), options.disabled_passes);
}

}  // namespace vkseg
