#include "apps/vkseg/support.hpp"
#include "models/network.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vkseg::app {

int run_networks(const NetworksOptions& options) {
    nlohmann::json list = nlohmann::json::array();
    for (const NetworkInfo* info : networks()) {
        const BuiltNetwork built = build_network(info->name, {}, info->default_width, info->default_height);
        const uint64_t macs = count_macs(built.graph);
        if (!options.json.empty()) {
            nlohmann::json keys = nlohmann::json::object();
            for (const auto& [key, meaning] : info->config_keys) keys[key] = meaning;
            list.push_back({{"name", info->name},
                            {"paper", info->paper},
                            {"summary", info->summary},
                            {"params", built.parameters},
                            {"macs", macs},
                            {"classes", built.classes},
                            {"default_size", {info->default_width, info->default_height}},
                            {"preprocess",
                             {{"order", info->preprocess.bgr ? "BGR" : "RGB"},
                              {"subtract", info->preprocess.subtract},
                              {"multiply", info->preprocess.multiply}}},
                            {"bilinear_corners_aligned", info->mask_sampling == Sampling::BilinearAligned},
                            {"config", keys},
                            {"published_weights", info->published_weights},
                            {"paper_figures", info->paper_figures}});
            continue;
        }
        fmt::print("{}: {}\n    {}\n    {:.3f} M parameters, {:.2f} G multiply-adds at {}x{}, {} classes, {} input\n",
                   info->name, info->summary, info->paper, static_cast<double>(built.parameters) / 1e6,
                   static_cast<double>(macs) / 1e9, info->default_width, info->default_height, built.classes,
                   info->preprocess.bgr ? "BGR" : "RGB");
        fmt::print("    weights: {}\n    paper: {}\n",
                   info->published_weights.empty() ? "none are published" : info->published_weights,
                   info->paper_figures.empty() ? "not available" : info->paper_figures);
        for (const auto& [key, meaning] : info->config_keys) fmt::print("    --config {}: {}\n", key, meaning);
    }
    if (!options.json.empty()) write_json({{"networks", list}}, options.json);
    return 0;
}

}  // namespace vkseg::app
