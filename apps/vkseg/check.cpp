#include "apps/vkseg/tuned.hpp"
#include "graph/ir/error.hpp"
#include "runtime/relative_error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace vkseg::app {

namespace {

/// A picture-like input: smooth shapes with some noise, the same on every machine.
Tensor made_up_input(int width, int height) {
    Tensor input({3, height, width});
    uint32_t noise = 1;
    size_t i = 0;
    for (int c = 0; c < 3; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                noise = noise * 1664525u + 1013904223u;
                const double wave = std::sin(x * 0.11 + c) * std::cos(y * 0.07 - c);
                input.data[i++] = static_cast<float>(wave + static_cast<double>(noise >> 8) / (1 << 24) - 0.5);
            }
    return input;
}

}  // namespace

int run_check(const CheckOptions& options) {
    if (!options.common.weights.empty() && options.networks.size() > 1)
        throw error("--weights belong to one network, but {} are named", options.networks.size());
    std::array<int, 2> size = parse_size(options.common.size);
    if (size[0] == 0) size = {256, 128};
    const std::unique_ptr<Context> context = open_context(options.common);
    nlohmann::json results = nlohmann::json::array();
    bool all_passed = true;
    for (const std::string& name : options.networks) {
        const auto model = open_model(options.common, name, parse_config(options.common.config), size);
        RunnerOptions runner = runner_options(options.common);
        use_tuned(runner, options.common, *model, context.get(), {});
        Runner device(model, context.get(), runner);
        Runner plain(model, nullptr, {});
        const Tensor input = made_up_input(model->width, model->height);
        const double error = relative_error(device.scores(input).data, plain.scores(input).data);
        // Rounding of 24 bits, of 11 bits stored after every layer, and of products to 11 bits too.
        const bool fp16 = device.precision() == Precision::FP16;
        const bool half = device.arithmetic() == Arithmetic::FP16;
        const double tolerance = half ? 1e-2 : fp16 ? 5e-3 : 1e-5;
        const bool passed = error <= tolerance;
        all_passed = all_passed && passed;
        results.push_back({{"network", name},
                           {"precision", name_of(device.precision())},
                           {"arithmetic", name_of(device.arithmetic())},
                           {"relative_l2", error},
                           {"tolerance", tolerance},
                           {"passed", passed}});
        if (options.common.json.empty())
            fmt::print("{} {}x{} {} on {}: relative L2 error {:.2e} against the CPU reference (at most {:.0e}): {}\n",
                       name, model->width, model->height, name_of(device.precision()),
                       context == nullptr ? "CPU reference" : context->facts().name, error, tolerance,
                       passed ? "passed" : "FAILED");
    }
    if (!options.common.json.empty())
        write_json({{"device", context == nullptr ? "CPU reference" : context->facts().name},
                    {"driver", context == nullptr ? "none" : context->facts().driver},
                    {"networks", results},
                    {"passed", all_passed}},
                   options.common.json);
    return all_passed ? 0 : 1;
}

}  // namespace vkseg::app
