#include "apps/common/npy.hpp"
#include "apps/vkseg/golden_case.hpp"
#include "apps/vkseg/tuned.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace vkseg::app {

int run_verify(const VerifyOptions& options) {
    if (!options.common.config.empty() || !options.common.weights.empty() || !options.common.size.empty())
        throw error("verify takes network, weights, configuration and size from each case.json");
    std::vector<GoldenCase> cases;
    for (const std::string& folder : options.cases) cases.push_back(read_golden_case(folder));
    if (!options.dump.empty()) {
        std::error_code status;
        std::filesystem::create_directories(options.dump, status);
        if (!std::filesystem::is_directory(options.dump))
            throw error("--dump '{}' is no folder and cannot be made one", options.dump);
    }
    const std::unique_ptr<Context> context = open_context(options.common);
    const bool for_people = options.common.json.empty();
    if (for_people)
        fmt::print("{:42} {:9} {:10} {:>12} {:>12} {:>11} {:>6}  on {}\n", "case", "precision", "arithmetic",
                   "relative L2", "largest", "agreement", "",
                   context == nullptr ? "CPU reference" : context->facts().name);
    nlohmann::json results = nlohmann::json::array();
    bool all_passed = true;
    for (const GoldenCase& golden : cases) {
        ModelOptions model;
        model.network = golden.network;
        model.config = golden.config;
        model.weights = golden.weights;
        model.disabled_passes = {options.common.disabled_passes.begin(), options.common.disabled_passes.end()};
        const auto loaded = load_model(model, golden.width, golden.height);
        RunnerOptions how = runner_options(options.common);
        use_tuned(how, options.common, *loaded, context.get(), {});
        Runner runner(loaded, context.get(), how);
        const bool fp16 = runner.precision() == Precision::FP16;
        const Tensor scores = runner.scores(golden_input(golden));
        const GoldenScore score = compare_with_golden(golden, scores, fp16);
        all_passed = all_passed && score.passed;
        if (!options.dump.empty())
            write_npy(std::filesystem::path(options.dump) / (golden.name + ".npy"), golden.output_shape, scores.data);
        if (for_people) {
            fmt::print("{:42} {:9} {:10} {:12.3e} {:12.3e} {:10.4f}% {:>6}\n", golden.name, name_of(runner.precision()),
                       name_of(runner.arithmetic()), score.relative_l2, score.largest_error,
                       score.class_agreement * 100, score.passed ? "passed" : "FAILED");
            std::fflush(stdout);
        }
        results.push_back({{"case", golden.name},
                           {"precision", name_of(runner.precision())},
                           {"arithmetic", name_of(runner.arithmetic())},
                           {"relative_l2", score.relative_l2},
                           {"largest_error", score.largest_error},
                           {"class_agreement", score.class_agreement},
                           {"class_flips", score.class_flips},
                           {"passed", score.passed}});
    }
    if (!for_people)
        write_json({{"device", context == nullptr ? "CPU reference" : context->facts().name},
                    {"driver", context == nullptr ? "none" : context->facts().driver},
                    {"cases", results},
                    {"passed", all_passed}},
                   options.common.json);
    return all_passed ? 0 : 1;
}

}  // namespace vkseg::app
