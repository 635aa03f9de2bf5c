#include "runtime/api/model.hpp"

#include "graph/passes/passes.hpp"

namespace vkseg {

std::string one_line(std::string text) {
    constexpr size_t longest = 200;
    if (text.size() > longest) text.resize(longest);
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

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
