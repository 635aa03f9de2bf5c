#include "apps/common/atomic_file.hpp"
#include "apps/vkseg/bench_report.hpp"
#include "apps/vkseg/driver_clock.hpp"
#include "apps/vkseg/support.hpp"
#include "apps/vkseg/wall_clock.hpp"
#include "graph/fuse/fuse.hpp"
#include "graph/ir/error.hpp"
#include "runtime/device_peaks.hpp"
#include "runtime/pipeline_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace vkseg::app {

namespace {

/// One network in one precision and arithmetic on a context of its own, so that each shows its whole start-up.
class Job {
public:
    Job(const BenchOptions& options, const std::string& network, const std::string& precision,
        const std::string& arithmetic, bool fused) {
        CommonOptions common = options.common;
        common.precision = precision;
        common.arithmetic = arithmetic;
        if (!fused) common.disabled_fusions = {fusion_names().begin(), fusion_names().end()};
        labels_ = options.task == "labels";
        const WallClock network_clock;
        OpenedNetwork opened = open_network(common, network, parse_config(common.config), parse_size(common.size));
        result_.start_up.network_ms = network_clock.ms();
        model_ = opened.model;
        if (common.device != "reference") {
            const WallClock device_clock;
            context_ = open_context(common, [&](ContextOptions& context) {
                context.intercept = DriverClock::install;
                context.disk_cache = !options.cold;
            });
            result_.start_up.device_ms = device_clock.ms();
            result_.start_up.kept_pipelines = context_->pipelines().kept_some();
        }
        const WallClock first_clock;
        runner_ = std::make_unique<Runner>(
            model_, context_.get(),
            RunnerOptions{opened.precision, opened.choices.denied_families, opened.choices.disabled_fusions,
                          LayerChoices{}, wanted_arithmetic(common)});
        make_input();
        run();
        result_.start_up.first_result_ms = first_clock.ms();
        describe(options, fused);
    }

    /// Copies in and out included; gives the wall's milliseconds.
    double run() {
        const WallClock clock;
        if (labels_) {
            last_labels_ = runner_->segment(pixels_, request_)[0];
        } else {
            runner_->scores(input_, last_scores_);
        }
        return clock.ms();
    }

    void measure() {
        result_.end_to_end_ms.push_back(run());
        if (session() != nullptr && session()->run_nanoseconds() > 0)
            result_.gpu_ms.push_back(static_cast<double>(session()->run_nanoseconds()) / 1e6);
    }

    /// What the calling thread does: recording, and a frame without what the driver does in it. Timestamps of whole
    /// runs are off: a host that wants a mask takes none.
    void measure_cpu(int frames) {
        if (session() == nullptr) return;
        session()->time_runs(false);
        for (int i = 0; i < 5; ++i) {
            const double start = thread_cpu_us();
            session()->record_again();
            result_.record_cpu_us.push_back(thread_cpu_us() - start);
        }
        for (int i = 0; i < frames; ++i) {
            static_cast<void>(DriverClock::take_us());
            const double start = thread_cpu_us();
            session()->run();
            const double whole = thread_cpu_us() - start, driver = DriverClock::take_us();
            if (driver >= 0) result_.frame_cpu_us.push_back(whole - driver);
        }
    }

    void profile_once() {
        if (context_->facts().timestamps)
            dispatch_runs_.push_back(session()->profile());
        else
            step_runs_.push_back(session()->profile_steps());
    }

    void finish_profile(const DevicePeaks& peaks) {
        const DeviceFacts& facts = context_->facts();
        result_.profile = facts.timestamps ? make_profile(session()->plan(), facts, peaks, dispatch_runs_)
                                           : make_profile(session()->plan(), facts, peaks, step_runs_);
    }

    /// Of the last result to that of `first`.
    void compare(const Job& first) {
        if (labels_) {
            size_t differ = 0;
            for (size_t i = 0; i < last_labels_.size(); ++i) differ += last_labels_[i] != first.last_labels_[i] ? 1 : 0;
            result_.difference = static_cast<double>(differ) / static_cast<double>(last_labels_.size());
            return;
        }
        double errors = 0, squares = 0;
        for (size_t i = 0; i < last_scores_.data.size(); ++i) {
            const double wanted = first.last_scores_.data[i], error = last_scores_.data[i] - wanted;
            errors += error * error;
            squares += wanted * wanted;
        }
        result_.difference = std::sqrt(errors / squares);
    }

    void time_runs() {
        if (session() != nullptr) session()->time_runs(true);
    }
    [[nodiscard]] Context* context() const { return context_.get(); }
    [[nodiscard]] const BenchResult& result() const { return result_; }

private:
    [[nodiscard]] Session* session() const { return runner_->session(); }

    void make_input() {
        const int width = model_->width, height = model_->height;
        if (labels_) {
            request_.picture_width = request_.network_width = width;
            request_.picture_height = request_.network_height = height;
            pixels_.resize(size_t{3} * static_cast<size_t>(width) * static_cast<size_t>(height));
            for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
            return;
        }
        input_ = Tensor({3, height, width});
        for (size_t i = 0; i < input_.data.size(); ++i)
            input_.data[i] = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
    }

    void describe(const BenchOptions& options, bool fused) {
        result_.network = model_->network;
        result_.width = model_->width;
        result_.height = model_->height;
        result_.precision = name_of(runner_->precision());
        result_.arithmetic = runner_->arithmetic();
        result_.fused = fused;
        result_.device = context_ == nullptr ? "CPU reference" : context_->facts().name;
        result_.driver = context_ == nullptr ? "none" : context_->facts().driver;
        result_.repeat = options.repeat;
        if (session() == nullptr) return;
        result_.start_up.parts = session()->set_up_times();
        result_.memory = session()->memory_use();
    }

    BenchResult result_;
    bool labels_ = false;
    std::shared_ptr<const Model> model_;
    std::unique_ptr<Context> context_;
    std::unique_ptr<Runner> runner_;
    Tensor input_, last_scores_;
    std::vector<uint8_t> pixels_;
    SegmentationOptions request_;
    std::span<const uint8_t> last_labels_;
    std::vector<std::vector<DispatchTime>> dispatch_runs_;
    std::vector<std::vector<uint64_t>> step_runs_;
};

/// "fp32,fp16" one by one.
std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= list.size();) {
        const size_t end = std::min(list.find(',', at), list.size());
        parts.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

/// In what each network is timed.
struct Form {
    std::string precision, arithmetic;
    bool fused;
};
std::vector<Form> forms(const BenchOptions& options) {
    std::vector<Form> all;
    for (const std::string& precision : split(options.common.precision))
        for (const std::string& arithmetic : split(options.common.arithmetic))
            for (const bool fused : {true, false})
                if (fused || options.without_fusions) all.push_back({precision, arithmetic, fused});
    return all;
}

void check(const BenchOptions& options) {
    if (options.repeat < 1) throw error("--repeat {}: expected a number from 1 on", options.repeat);
    if (options.warm_up < 0) throw error("--warm-up {}: expected a number from 0 on", options.warm_up);
    if (options.networks.size() > 1 && !options.common.weights.empty())
        throw error("--weights belong to one network, but {} are named", options.networks.size());
    if (options.task != "scores" && options.task != "labels")
        throw error("--task '{}': expected scores or labels", options.task);
    if (options.common.json == "-" && options.markdown == "-")
        throw error("--json and --markdown both want standard output; name a file for one: --markdown=FILE");
    if (options.wants_profile() && options.common.device == "reference")
        throw error("the reference has no dispatches to profile; name a Vulkan device with --device");
    for (const std::string& precision : split(options.common.precision)) static_cast<void>(parse_precision(precision));
    for (const std::string& name : split(options.common.arithmetic)) static_cast<void>(parse_arithmetic(name));
}

/// Peaks before, amid and after the profiled runs; what was reached once can be reached.
DevicePeaks better(DevicePeaks a, const DevicePeaks& b) {
    a.memory_gb_per_s = std::max(a.memory_gb_per_s, b.memory_gb_per_s);
    a.cache_gb_per_s = std::max(a.cache_gb_per_s, b.cache_gb_per_s);
    a.fp32_gflops = std::max(a.fp32_gflops, b.fp32_gflops);
    a.launch_us = std::min(a.launch_us, b.launch_us);
    return a;
}

void profile(std::vector<std::unique_ptr<Job>>& jobs, int runs) {
    Context& context = *jobs.front()->context();
    DevicePeaks peaks = measure_peaks(context);
    for (int run = 0; run < runs; ++run) {
        for (const auto& job : jobs) job->profile_once();
        if (run == runs / 2) peaks = better(peaks, measure_peaks(context));
    }
    peaks = better(peaks, measure_peaks(context));
    for (const auto& job : jobs) job->finish_profile(peaks);
}

void write(const BenchReport& report, const BenchOptions& options) {
    // Files first: what reaches standard output cannot be taken back when one of them fails.
    if (!options.trace.empty()) write_file(options.trace, to_trace(report));
    if (!options.html.empty()) write_file(options.html, to_page(report));
    if (!options.markdown.empty() && options.markdown != "-") write_file(options.markdown, to_markdown(report));
    if (!options.common.json.empty()) write_json(to_json(report), options.common.json);
    if (options.markdown == "-") fmt::print("{}", to_markdown(report));
    // Standard output is for people unless something else was asked for in its place.
    if (options.common.json.empty() && options.markdown.empty()) fmt::print("{}", to_text(report));
}

}  // namespace

int run_bench(const BenchOptions& options) {
    check(options);
    if (options.cold) {
        // Before any driver is loaded. Mesa's and NVIDIA's names; others keep what they keep.
        setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
        setenv("__GL_SHADER_DISK_CACHE", "0", 1);
    }
    std::vector<std::unique_ptr<Job>> jobs;
    std::map<std::string, const Job*> first_of_network;
    for (const std::string& network : options.networks)
        for (const auto& [precision, arithmetic, fused] : forms(options)) {
            jobs.push_back(std::make_unique<Job>(options, network, precision, arithmetic, fused));
            const auto [first, is_first] = first_of_network.try_emplace(network, jobs.back().get());
            if (!is_first) jobs.back()->compare(*first->second);
        }
    for (const auto& job : jobs) job->time_runs();
    // Networks take turns, so that a change of the machine's speed meets all of them.
    for (int round = -options.warm_up; round < options.repeat; ++round)
        for (const auto& job : jobs) {
            if (round < 0)
                job->run();
            else
                job->measure();
        }
    for (const auto& job : jobs) job->measure_cpu(std::clamp(options.repeat / 2, 3, 50));
    if (options.wants_profile()) profile(jobs, std::min(options.repeat, 20));

    BenchReport report{options.task, options.cold, options.warm_up, {}};
    for (const auto& job : jobs) report.results.push_back(job->result());
    write(report, options);
    return 0;
}

}  // namespace vkseg::app
