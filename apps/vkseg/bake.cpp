#include "apps/common/atomic_file.hpp"
#include "apps/vkseg/tuned.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vkseg::app {

int run_bake(const BakeOptions& options) {
    expect_trained(options.common, options.network, "bake");
    OpenedNetwork opened = open_network(options.common, options.network, parse_config(options.common.config),
                                        parse_size(options.common.size));
    const Model& model = *opened.model;
    const ClassList classes = choose_classes(options.classes, model, opened.classes);
    for (const std::string& file : options.tuned) opened.tuned.push_back(read_tuned(file));
    opened.choices.precision = opened.precision == PrecisionChoice::FP16 ? Precision::FP16 : Precision::FP32;
    const std::vector<uint8_t> bytes =
        bake(model, opened.choices, classes, opened.precision == PrecisionChoice::Auto, opened.tuned);
    write_file(options.output, bytes);
    if (options.common.json.empty())
        fmt::print("{} {}x{}, {} classes of {} -> {} ({:.2f} MB)\n", model.network, model.width, model.height,
                   model.classes, classes.name, options.output, static_cast<double>(bytes.size()) / 1e6);
    else
        write_json({{"network", model.network},
                    {"size", {model.width, model.height}},
                    {"params", model.parameters},
                    {"classes", classes.name},
                    {"output", options.output},
                    {"bytes", bytes.size()}},
                   options.common.json);
    return 0;
}

}  // namespace vkseg::app
