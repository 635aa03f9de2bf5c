#include "apps/common/class_names.hpp"
#include "apps/common/files.hpp"
#include "apps/common/image.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"
#include "models/class_sets.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace vkseg::app {

namespace {

ClassList classes_of(const ClassifyOptions& options, const Model& model, const ClassList& baked) {
    if (options.names.empty()) return baked.classes.empty() ? generated_class_set(model.classes) : baked;
    return read_named_class_set(options.names, generated_class_set(model.classes));
}

std::vector<size_t> most_probable(const std::vector<float>& probabilities) {
    std::vector<size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t kept = std::min<size_t>(5, order.size());
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(kept),
                              [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
    order.resize(kept);
    return order;
}

}  // namespace

int run_classify(const ClassifyOptions& options) {
    const auto inputs = expand_inputs(options.inputs);
    expect_trained(options.common, options.network, "classify");
    Engine engine = open_engine(options.common, options.network, parse_config(options.common.config),
                                parse_size(options.common.size));
    const ClassList classes = classes_of(options, *engine.model, engine.classes);
    nlohmann::json pictures = nlohmann::json::array();
    for (const auto& input : inputs) {
        const Image picture = read_image(input);
        const auto probabilities = engine.runner->classify(picture.pixels, picture.width, picture.height);
        nlohmann::json top = nlohmann::json::array();
        if (options.common.json.empty()) fmt::print("{}\n", input.string());
        for (size_t index : most_probable(probabilities)) {
            top.push_back(
                {{"index", index}, {"name", classes.classes[index].name}, {"probability", probabilities[index]}});
            if (options.common.json.empty())
                fmt::print("  {:6.2f} %  {}\n", static_cast<double>(probabilities[index]) * 100,
                           classes.classes[index].name);
        }
        pictures.push_back({{"input", input.string()}, {"top", top}});
    }
    if (!options.common.json.empty())
        write_json({{"network", engine.model->network},
                    {"device", engine.device_name()},
                    {"precision", engine.precision_name()},
                    {"arithmetic", engine.arithmetic_name()},
                    {"class_set", classes.name},
                    {"pictures", pictures}},
                   options.common.json);
    return 0;
}

}  // namespace vkseg::app
