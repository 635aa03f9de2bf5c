#include "runtime/api/model_loader.hpp"

#include "importer/importer.hpp"
#include "models/network.hpp"

namespace vkseg {

std::shared_ptr<const Model> load_model(const ModelOptions& options, int width, int height) {
    const NetworkInfo& info = network(options.network);
    if (width <= 0) width = info.default_width;
    if (height <= 0) height = info.default_height;
    Model model;
    model.network = info.name;
    model.preprocess = info.preprocess;
    model.mask_sampling = info.mask_sampling;
    BuiltNetwork built;
    if (options.weights) {
        const Weights weights = load_weights(*options.weights);
        model.non_finite_tensors = names_of_non_finite(weights);
        built = build_network(info.name, options.config, weights, width, height);
    } else {
        built = build_network(info.name, options.config, width, height);
    }
    model.parameters = built.parameters;
    model.graph = std::move(built.graph);
    return make_model(std::move(model), options.disabled_passes);
}

}  // namespace vkseg
