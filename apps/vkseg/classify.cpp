#include "apps/common/files.hpp"
#include "apps/common/image.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <numeric>

namespace vkseg::app {

namespace {

std::vector<std::string> read_names(const std::string& file, int classes, const ClassList& baked) {
    std::vector<std::string> names;
    if (file.empty()) {
        for (const ClassInfo& info : baked.classes) names.push_back(info.name);
        for (int i = static_cast<int>(names.size()); i < classes; ++i) names.push_back(fmt::format("class {}", i));
        return names;
    }
    std::ifstream stream(file);
    if (!stream) throw error("--names '{}' cannot be read", file);
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.empty()) names.push_back(line);
    }
    if (names.size() != static_cast<size_t>(classes))
        throw error("--names '{}' has {} names, but the network gives {} classes", file, names.size(), classes);
    return names;
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
    const auto names = read_names(options.names, engine.model->classes, engine.classes);
    nlohmann::json pictures = nlohmann::json::array();
    for (const auto& input : inputs) {
        const Image picture = read_image(input);
        const auto probabilities = engine.runner->classify(picture.pixels, picture.width, picture.height);
        nlohmann::json top = nlohmann::json::array();
        if (options.common.json.empty()) fmt::print("{}\n", input.string());
        for (size_t index : most_probable(probabilities)) {
            top.push_back({{"index", index}, {"name", names[index]}, {"probability", probabilities[index]}});
            if (options.common.json.empty())
                fmt::print("  {:6.2f} %  {}\n", static_cast<double>(probabilities[index]) * 100, names[index]);
        }
        pictures.push_back({{"input", input.string()}, {"top", top}});
    }
    if (!options.common.json.empty())
        write_json({{"network", engine.model->network},
                    {"device", engine.device_name()},
                    {"precision", engine.precision_name()},
                    {"pictures", pictures}},
                   options.common.json);
    return 0;
}

}  // namespace vkseg::app
