#include "apps/vkseg/tuned.hpp"

#include "apps/common/atomic_file.hpp"
#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"
#include "runtime/pipeline_cache_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace vkseg::app {

namespace {

/// A line on a terminal that is redrawn; nothing elsewhere.
class TuningLine {
public:
    explicit TuningLine(std::string network) : network_(std::move(network)), shown_(isatty(fileno(stderr)) != 0) {}
    ~TuningLine() {
        if (shown_) fmt::print(stderr, "\r\033[K");
    }
    TuningLine(const TuningLine&) = delete;
    TuningLine& operator=(const TuningLine&) = delete;
    void show(size_t done, size_t total, const std::string& what) const {
        if (!shown_) return;
        fmt::print(stderr, "\r\033[Ktuning {}: {}", network_, what);
        if (total > 0) fmt::print(stderr, ", {} of {}", done, total);
        std::fflush(stderr);
    }

private:
    std::string network_;
    bool shown_;
};

std::string misfit_here(const TunedChoices& tuned, const Model& model, const DeviceFacts& facts, PrecisionChoice wanted,
                        std::optional<Arithmetic> arithmetic) {
    if (wanted != PrecisionChoice::Auto && tuned.choices.precision != precision_on(facts, wanted))
        return fmt::format("they were measured in {}, and --precision says {}", name_of(tuned.choices.precision),
                           name_of(precision_on(facts, wanted)));
    if (arithmetic && tuned.choices.arithmetic != *arithmetic)
        return fmt::format("they were measured in {} arithmetic, and --arithmetic says {}",
                           name_of(tuned.choices.arithmetic), name_of(*arithmetic));
    return misfit(tuned, model.simplified, facts, VKSEG_VERSION);
}

/// A damaged file in the cache is no reason to stop.
std::optional<TunedChoices> read_cached(const std::filesystem::path& file) {
    std::error_code status;
    if (file.empty() || !std::filesystem::exists(file, status)) return std::nullopt;
    try {
        return read_tuned(file);
    } catch (const Error& reason) {
        warn(fmt::format("tuned choices are ignored: {}", reason.what()));
        return std::nullopt;
    }
}

}  // namespace

std::filesystem::path tuned_path(const Model& model, const DeviceFacts& facts) {
    const std::filesystem::path folder = cache_folder();
    if (folder.empty()) return {};
    return folder / fmt::format("tuned-{:04x}-{:04x}-{}-{:016x}.txt", facts.vendor_id, facts.device_id, model.network,
                                structure_hash(model.simplified));
}

TunedChoices read_tuned(const std::filesystem::path& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    try {
        return parse_tuned_choices({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    } catch (const Error& reason) {
        throw error("'{}': {}", file.string(), reason.what());
    }
}

std::optional<TunedChoices> find_tuned(const CommonOptions& options, const Model& model, const DeviceFacts& facts,
                                       PrecisionChoice wanted, const std::vector<TunedChoices>& baked) {
    if (options.no_tuned) return std::nullopt;
    const std::optional<Arithmetic> arithmetic = parse_arithmetic(options.arithmetic);
    if (!options.choices.empty()) {
        std::error_code status;
        if (!std::filesystem::exists(options.choices, status))
            throw error("--choices '{}' does not exist; 'vkseg tune' writes such files", options.choices);
        try {
            TunedChoices tuned = read_tuned(options.choices);
            const std::string reason = misfit_here(tuned, model, facts, wanted, arithmetic);
            if (reason.empty()) return tuned;
            warn(fmt::format("tuned choices of '{}' are ignored: {}", options.choices, reason));
        } catch (const Error& reason) {
            warn(fmt::format("tuned choices are ignored: {}", reason.what()));
        }
        return std::nullopt;
    }
    const std::filesystem::path cached = tuned_path(model, facts);
    if (const auto tuned = read_cached(cached)) {
        const std::string reason = misfit_here(*tuned, model, facts, wanted, arithmetic);
        if (reason.empty()) return tuned;
        warn(fmt::format("tuned choices of '{}' are ignored: {}; 'vkseg tune {}' measures anew", cached.string(),
                         reason, model.network));
    }
    for (const TunedChoices& tuned : baked)
        if (misfit_here(tuned, model, facts, wanted, arithmetic).empty()) return tuned;
    return std::nullopt;
}

Tuned tune_model(const Model& model, Context& context, const Choices& choices, int rounds) {
    const TuningLine line(model.network);
    line.show(0, 0, "reference");
    SessionBench bench(context, model.simplified, choices);
    TuningOptions options;
    options.rounds = rounds;
    options.progress = [&](size_t done, size_t total, const std::string& what) { line.show(done, total, what); };
    Tuned tuned{tuned_choices_for(model.simplified, model.network, context.facts(), VKSEG_VERSION),
                tune(model.simplified, context.facts(), choices, bench, options)};
    tuned.choices.untuned_us = tuned.report.untuned_us;
    tuned.choices.tuned_us = tuned.report.tuned_us;
    tuned.choices.choices = tuned.report.choices;
    return tuned;
}

void use_tuned(RunnerOptions& runner, const CommonOptions& options, const Model& model, Context* context,
               const std::vector<TunedChoices>& baked) {
    if (context == nullptr) {
        if (!options.choices.empty() || options.tune) throw error("the reference has no plan to tune");
        return;
    }
    Choices choices;
    choices.precision = precision_on(context->facts(), runner.precision);
    choices.arithmetic = runner.arithmetic;
    choices.denied_families = runner.denied_families;
    choices.disabled_fusions = runner.disabled_fusions;
    std::optional<TunedChoices> tuned = find_tuned(options, model, context->facts(), runner.precision, baked);
    if (!tuned && options.tune) {
        expect_arithmetic(context->facts(), choices);
        tuned = tune_model(model, *context, choices, 7).choices;
        const std::filesystem::path file = tuned_path(model, context->facts());
        std::error_code status;
        std::filesystem::create_directories(file.parent_path(), status);
        try {
            if (!file.empty()) write_file(file, to_string(*tuned));
        } catch (const Error& reason) {
            warn(fmt::format("tuned choices are not kept: {}", reason.what()));
        }
    }
    if (!tuned) return;
    choices.merge_tuned(tuned->choices);
    runner.precision = choices.precision == Precision::FP16 ? PrecisionChoice::FP16 : PrecisionChoice::FP32;
    runner.arithmetic = choices.arithmetic;
    runner.denied_families = choices.denied_families;
    runner.disabled_fusions = choices.disabled_fusions;
    runner.layers = choices.layers;
}

}  // namespace vkseg::app
