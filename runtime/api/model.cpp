#include "runtime/api/model.hpp"

#include "graph/passes/passes.hpp"

namespace vkseg {

std::shared_ptr<const Model> make_model(Model model, const std::set<std::string, std::less<>>& disabled_passes) {
    const TensorDesc& image = model.graph.desc(model.graph.inputs.at(0));
    model.width = image.width();
    model.height = image.height();
    model.classes = model.graph.desc(model.graph.outputs.at(0)).channels();
    model.simplified = model.graph;
    simplify(model.simplified, {.disabled = disabled_passes, .observer = {}});
    return std::make_shared<const Model>(std::move(model));
}

}  // namespace vkseg
