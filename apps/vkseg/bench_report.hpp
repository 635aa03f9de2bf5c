#pragma once

#include "apps/common/statistics.hpp"
#include "apps/vkseg/profile.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace vkseg::app {

/// What a network took before its first result was there, in milliseconds on the wall.
struct StartUp {
    /// Reading weights, building and simplifying the graph.
    double network_ms = 0;
    /// Loader, driver, device, pipelines kept on disk. 0 for the reference.
    double device_ms = 0;
    /// From there to the first result.
    double first_result_ms = 0;
    /// Parts of it; the rest is planning and the first run.
    SetUpTimes parts;
    /// Pipelines of an earlier run were found on disk.
    bool kept_pipelines = false;
    [[nodiscard]] double total_ms() const { return network_ms + device_ms + first_result_ms; }
};

/// One network in one precision.
struct BenchResult {
    std::string network;
    int width = 0, height = 0;
    std::string precision;
    Arithmetic arithmetic = Arithmetic::FP32;
    bool fused = true;
    std::string device, driver;
    int repeat = 0;
    /// Empty without timestamps.
    std::vector<double> gpu_ms;
    std::vector<double> end_to_end_ms;
    StartUp start_up;
    /// None for the reference.
    std::optional<SessionMemory> memory;
    /// CPU time of this thread: for recording, the driver inside; and for a frame outside the driver.
    std::vector<double> record_cpu_us, frame_cpu_us;
    /// How the result differs from that of the first of the same network: relative L2 of scores, or share of labels.
    std::optional<double> difference;
    std::optional<Profile> profile;

    [[nodiscard]] std::string title() const;
    /// ", fp16 arithmetic, no fusions"; "" for what is the rule.
    [[nodiscard]] std::string remarks() const;
};

struct BenchReport {
    /// "scores" or "labels".
    std::string task;
    bool cold = false;
    int warm_up = 0;
    std::vector<BenchResult> results;

    /// What end to end and GPU time hold.
    [[nodiscard]] std::vector<std::string> notes() const;
};

[[nodiscard]] std::string to_text(const BenchReport& report);
[[nodiscard]] std::string to_markdown(const BenchReport& report);
[[nodiscard]] nlohmann::json to_json(const BenchReport& report);
[[nodiscard]] std::string to_page(const BenchReport& report);
[[nodiscard]] std::string to_trace(const BenchReport& report);

}  // namespace vkseg::app
