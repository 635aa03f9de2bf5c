#pragma once

#include "graph/plan/tunable_layers.hpp"
#include "runtime/session.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Choices by measuring. What is slower, or computes anything else, is never chosen.

namespace vkseg {

struct PlanTimes {
    /// As the host waits for it: launches and barriers count.
    double total_us = 0;
    /// By label of the dispatches; empty where nothing but the whole run can be timed.
    std::map<std::string, double, std::less<>> labels_us;
};

/// What tuning asks of a device: the clock and the judge. Tests have one that is neither.
class TuningBench {
public:
    virtual ~TuningBench() = default;
    /// One run of the plan with these choices.
    [[nodiscard]] virtual PlanTimes measure(const Choices& choices) = 0;
    /// Empty when the plan with these choices computes what it should, else what is wrong with it.
    [[nodiscard]] virtual std::string check(const Choices& choices) = 0;
};

/// A graph with one input and one output of floats on a device. Results are compared with the CPU reference at a small
/// size, and with those of the first choices at the graph's own.
class SessionBench final : public TuningBench {
public:
    /// `context` and `graph` must outlive it.
    SessionBench(Context& context, const Graph& graph, const Choices& trusted);
    [[nodiscard]] PlanTimes measure(const Choices& choices) override;
    [[nodiscard]] std::string check(const Choices& choices) override;

private:
    [[nodiscard]] std::vector<float> run(Session& session, const Graph& graph, const Choices& choices);
    void make_current(const Choices& choices);

    Context& context_;
    const Graph& graph_;
    Graph small_;
    double tolerance_;
    std::vector<float> wanted_small_, wanted_;
    Session session_, small_session_;
    std::optional<Choices> current_;
};

struct TuningOptions {
    /// Times that each plan is measured in turn with the others.
    int rounds = 7;
    /// Called before each run with those done and those in sight, and what they are for.
    std::function<void(size_t done, size_t total, const std::string& what)> progress;
};

struct TuningReport {
    /// What to use: those that were given, unless others are faster as a whole.
    Choices choices;
    double untuned_us = 0;
    double tuned_us = 0;
    size_t layers = 0;
    size_t candidates = 0;
    /// Layers for which something else than the rule was chosen.
    size_t changed = 0;
    /// Sentences on candidates that compute something else.
    std::vector<std::string> refused;
    size_t untuned_dispatches = 0;
    size_t tuned_dispatches = 0;
};

/// Measures what `tunable_layers` proposes, step by step, and keeps what is faster. Each candidate is measured in a
/// plan that tries one on every layer, so that few plans tell about many layers; plans take turns, so that a change of
/// the machine's speed meets all of them. Without times by layer, each such plan is taken or left as a whole.
[[nodiscard]] TuningReport tune(const Graph& graph, const DeviceFacts& facts, const Choices& choices,
                                TuningBench& bench, const TuningOptions& options = {});

}  // namespace vkseg
