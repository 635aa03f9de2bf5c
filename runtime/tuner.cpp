#include "runtime/tuner.hpp"

#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"
#include "runtime/relative_error.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <span>

namespace vkseg {

namespace {

/// A layer changes for a gain that is more than noise; so does the network.
constexpr double least_gain_of_layer = 0.03;
constexpr double least_gain_of_network = 0.01;

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

Choices with(Choices choices, const LayerChoices& more) {
    for (const auto& [label, choice] : more) choices.layers[label] = choice;
    return choices;
}

/// One step of tuning: the n-th candidate of every layer is tried in the n-th plan, and plan 0 is the current one.
class StepTuner {
public:
    StepTuner(const Graph& graph, const DeviceFacts& facts, const Choices& current, TuningStep step, TuningBench& bench,
              const TuningOptions& options, TuningReport& report)
        : graph_(graph),
          facts_(facts),
          current_(current),
          bench_(bench),
          options_(options),
          report_(report),
          layers_(tunable_layers(graph, facts, current, step)) {
        for (const TunableLayer& layer : layers_) {
            columns_ = std::max(columns_, layer.candidates.size());
            report_.candidates += layer.candidates.size();
        }
        allowed_.assign(layers_.size(), std::vector<bool>(columns_, true));
    }

    [[nodiscard]] Choices run() {
        if (columns_ == 0) return current_;
        std::vector<Choices> plans{current_};
        for (size_t column = 0; column < columns_; ++column) {
            std::vector<size_t> tried;
            for (size_t layer = 0; layer < layers_.size(); ++layer)
                if (column < layers_[layer].candidates.size()) tried.push_back(layer);
            refuse_wrong(column, tried);
            plans.push_back(plan_of(column, tried));
        }
        measure(plans);
        return has_layer_times() ? best_of_layers() : best_of_plans(plans);
    }

private:
    [[nodiscard]] Choices plan_of(size_t column, const std::vector<size_t>& tried) const {
        Choices choices = current_;
        for (const size_t layer : tried)
            if (allowed_[layer][column]) choices = with(std::move(choices), layers_[layer].candidates[column]);
        return choices;
    }

    /// When a plan computes something else, halves of it tell which layers are to blame.
    void refuse_wrong(size_t column, const std::vector<size_t>& tried) {
        if (tried.empty()) return;
        if (options_.progress) options_.progress(0, 0, "checking");
        std::string reason;
        try {
            reason = bench_.check(plan_of(column, tried));
        } catch (const Error& failure) {
            reason = failure.what();
        }
        if (reason.empty()) return;
        if (tried.size() == 1) {
            allowed_[tried[0]][column] = false;
            for (const auto& [label, choice] : layers_[tried[0]].candidates[column])
                report_.refused.push_back(fmt::format("'{}' with {}: {}", label, to_string(choice), reason));
            return;
        }
        const auto middle = tried.begin() + static_cast<std::ptrdiff_t>(tried.size() / 2);
        refuse_wrong(column, {tried.begin(), middle});
        refuse_wrong(column, {middle, tried.end()});
    }

    void measure(const std::vector<Choices>& plans) {
        totals_.resize(plans.size());
        times_.assign(plans.size(), std::vector<std::vector<double>>(layers_.size()));
        std::vector<std::map<std::string, size_t, std::less<>>> owners;
        for (const Choices& choices : plans) owners.push_back(owners_of(choices));
        for (int round = 0; round < options_.rounds; ++round)
            for (size_t plan = 0; plan < plans.size(); ++plan) {
                if (options_.progress)
                    options_.progress(static_cast<size_t>(round) * plans.size() + plan,
                                      static_cast<size_t>(options_.rounds) * plans.size(), "measuring");
                const PlanTimes times = bench_.measure(plans[plan]);
                totals_[plan].push_back(times.total_us);
                std::vector<double> layers(layers_.size(), 0);
                for (const auto& [label, us] : times.labels_us)
                    if (const auto owner = owners[plan].find(label); owner != owners[plan].end())
                        layers[owner->second] += us;
                if (!times.labels_us.empty())
                    for (size_t layer = 0; layer < layers.size(); ++layer) times_[plan][layer].push_back(layers[layer]);
            }
    }

    /// The layer that each label of a plan belongs to: that of its first node in one.
    [[nodiscard]] std::map<std::string, size_t, std::less<>> owners_of(const Choices& choices) const {
        std::map<std::string, size_t, std::less<>> layer_of_node, owners;
        for (size_t layer = 0; layer < layers_.size(); ++layer)
            for (const std::string& name : layers_[layer].members) layer_of_node.emplace(name, layer);
        for (const auto& [label, nodes] : nodes_by_label(graph_, facts_, choices))
            for (const std::string& node : nodes)
                if (const auto found = layer_of_node.find(node); found != layer_of_node.end()) {
                    owners.emplace(label, found->second);
                    break;
                }
        return owners;
    }

    [[nodiscard]] bool has_layer_times() const {
        return std::ranges::any_of(times_[0], [](const auto& layer) { return !layer.empty(); });
    }

    [[nodiscard]] Choices best_of_layers() const {
        Choices chosen = current_;
        for (size_t layer = 0; layer < layers_.size(); ++layer) {
            double best = median(times_[0][layer]) * (1 - least_gain_of_layer);
            const LayerChoices* winner = nullptr;
            for (size_t column = 0; column < layers_[layer].candidates.size(); ++column) {
                const double time = median(times_[column + 1][layer]);
                // A layer whose labels are nowhere in the plan has no time and proves nothing.
                if (!allowed_[layer][column] || time <= 0 || time >= best) continue;
                best = time;
                winner = &layers_[layer].candidates[column];
            }
            if (winner != nullptr) chosen = with(std::move(chosen), *winner);
        }
        return chosen;
    }

    [[nodiscard]] Choices best_of_plans(const std::vector<Choices>& plans) const {
        size_t winner = 0;
        double best = median(totals_[0]) * (1 - least_gain_of_layer);
        for (size_t plan = 1; plan < plans.size(); ++plan)
            if (const double time = median(totals_[plan]); time < best) {
                best = time;
                winner = plan;
            }
        return plans[winner];
    }

    const Graph& graph_;
    const DeviceFacts& facts_;
    const Choices& current_;
    TuningBench& bench_;
    const TuningOptions& options_;
    TuningReport& report_;
    const std::vector<TunableLayer> layers_;
    size_t columns_ = 0;
    /// By layer and column; by plan; by plan and layer.
    std::vector<std::vector<bool>> allowed_;
    std::vector<std::vector<double>> totals_;
    std::vector<std::vector<std::vector<double>>> times_;
};

/// Times of two plans that take turns.
std::array<double, 2> compare(TuningBench& bench, const Choices& first, const Choices& second,
                              const TuningOptions& options) {
    std::vector<double> times[2];
    for (int round = 0; round < options.rounds; ++round) {
        if (options.progress)
            options.progress(static_cast<size_t>(round), static_cast<size_t>(options.rounds), "comparing");
        times[0].push_back(bench.measure(first).total_us);
        times[1].push_back(first == second ? times[0].back() : bench.measure(second).total_us);
    }
    return {median(times[0]), median(times[1])};
}

HostValue made_up_input(const Graph& graph) {
    HostValue value{graph.desc(graph.inputs.at(0)), {}, {}};
    const int64_t count = element_count(value.desc.shape);
    for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i)
        value.floats.push_back(static_cast<float>(i * 2654435761u >> 8) / static_cast<float>(1 << 23) - 1.0f);
    return value;
}

}  // namespace

TuningReport tune(const Graph& graph, const DeviceFacts& facts, const Choices& choices, TuningBench& bench,
                  const TuningOptions& options) {
    TuningReport report;
    report.choices = choices;
    report.untuned_dispatches = report.tuned_dispatches = compile(graph, facts, choices).dispatch_count();
    report.layers = nodes_by_label(graph, facts, choices).size();
    Choices tuned = choices;
    for (const TuningStep step : {TuningStep::Grouping, TuningStep::Tiling, TuningStep::Access}) {
        Choices chosen = StepTuner(graph, facts, tuned, step, bench, options, report).run();
        if (chosen == tuned) continue;
        // What is faster layer by layer has to be so as a whole, with launches and shared caches, and right.
        if (const std::string reason = bench.check(chosen); !reason.empty()) {
            report.refused.push_back(fmt::format("all that was chosen together: {}", reason));
            continue;
        }
        const auto [before, after] = compare(bench, tuned, chosen, options);
        if (after < before * (1 - least_gain_of_network)) tuned = std::move(chosen);
    }
    const auto [before, after] = compare(bench, choices, tuned, options);
    report.untuned_us = report.tuned_us = before;
    if (tuned == choices || after > before * (1 - least_gain_of_network)) return report;
    report.tuned_us = after;
    for (const auto& [label, choice] : tuned.layers)
        if (choice != choices.layer(label)) ++report.changed;
    report.tuned_dispatches = compile(graph, facts, tuned).dispatch_count();
    report.choices = std::move(tuned);
    return report;
}

SessionBench::SessionBench(Context& context, const Graph& graph, const Choices& trusted)
    : context_(context),
      graph_(graph),
      small_(graph),
      // Rounding of 24 bits in another order, of 11 bits stored after every layer, and of products to 11 bits too.
      tolerance_(trusted.arithmetic == Arithmetic::FP16 ? 1e-2
                 : trusted.precision == Precision::FP16 ? 5e-3
                                                        : 1e-5),
      session_(context),
      small_session_(context) {
    const auto [width, height] = nearest_valid_size(graph, 64, 48);
    small_.set_input_size(width, height);
    const HostValue input = made_up_input(small_);
    wanted_small_ = run_reference(small_, std::span(&input, 1))[0].floats;
    wanted_ = run(session_, graph_, trusted);
    if (const std::string reason = check(trusted); !reason.empty())
        throw error("'{}' is not to be trusted with this network even untuned: {}", context.facts().name, reason);
}

std::vector<float> SessionBench::run(Session& session, const Graph& graph, const Choices& choices) {
    const auto plan = std::make_shared<const Plan>(compile(graph, context_.facts(), choices));
    session.set_plan(plan, [&] { return pack_weights(*plan, graph); });
    const HostValue input = made_up_input(graph);
    std::memcpy(session.input(0).data(), input.floats.data(), input.floats.size() * sizeof(float));
    session.run();
    std::vector<float> result(static_cast<size_t>(element_count(graph.desc(graph.outputs.at(0)).shape)));
    std::memcpy(result.data(), session.output(0).data(), result.size() * sizeof(float));
    return result;
}

std::string SessionBench::check(const Choices& choices) {
    const double small = relative_error(run(small_session_, small_, choices), wanted_small_);
    if (!(small <= tolerance_))
        return fmt::format("relative error {:.1e} against the CPU reference, expected at most {:.0e}", small,
                           tolerance_);
    current_ = choices;
    const double own = relative_error(run(session_, graph_, choices), wanted_);
    if (!(own <= tolerance_))
        return fmt::format("relative error {:.1e} against the untuned plan, expected at most {:.0e}", own, tolerance_);
    return "";
}

void SessionBench::make_current(const Choices& choices) {
    if (current_ == choices) return;
    // Pipelines are made and memory is touched before any clock runs.
    (void)run(session_, graph_, choices);
    current_ = choices;
}

PlanTimes SessionBench::measure(const Choices& choices) {
    make_current(choices);
    PlanTimes times;
    const auto start = std::chrono::steady_clock::now();
    session_.run();
    times.total_us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    for (const DispatchTime& time : session_.profile())
        times.labels_us[time.label] += static_cast<double>(time.nanoseconds) / 1e3;
    return times;
}

}  // namespace vkseg
