#include "runtime/api/model.hpp"

#include "graph/passes/passes.hpp"
#include "importer/importer.hpp"

namespace vkseg {

std::shared_ptr<const Model> load_model(const ModelOptions& options, int width, int height) {
    const NetworkInfo& info = network(options.network);
    auto model = std::make_shared<Model>();
    model->network = info.name;
    model->preprocess = info.preprocess;
    model->width = width > 0 ? width : info.default_width;
    model->height = height > 0 ? height : info.default_height;
    BuiltNetwork built;
    if (options.weights) {
        const Weights weights = load_weights(*options.weights);
        model->non_finite_tensors = names_of_non_finite(weights);
        built = build_network(info.name, options.config, weights, model->width, model->height);
    } else {
        built = build_network(info.name, options.config, model->width, model->height);
    }
    model->parameters = built.parameters;
    model->classes = built.classes;
    model->simplified = built.graph;
    simplify(model->simplified, {.disabled = options.disabled_passes, .observer = {}});
    model->graph = std::move(built.graph);
    return model;
}

}  // namespace vkseg
