#include "apps/vkseg/bench_report.hpp"

#include "apps/vkseg/support.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vkseg::app {

namespace {

nlohmann::json to_json(const Summary& summary) {
    return {{"min", summary.min}, {"median", summary.median}, {"p99", summary.p99}};
}

nlohmann::json to_json_or_null(const std::vector<double>& values) {
    return values.empty() ? nlohmann::json() : to_json(summarise(values));
}

nlohmann::json to_json(const StartUp& start) {
    return {{"total", start.total_ms()},
            {"network", start.network_ms},
            {"device", start.device_ms},
            {"first_result", start.first_result_ms},
            {"pipelines", start.parts.pipelines_ms},
            {"weights", start.parts.weights_ms},
            {"memory", start.parts.memory_ms},
            {"record", start.parts.record_ms}};
}

nlohmann::json to_json(const SessionMemory& memory) {
    return {{"activations", memory.activations_bytes}, {"weights", memory.weights_bytes}, {"host", memory.host_bytes}};
}

std::string three(const std::vector<double>& values, const char* none) {
    if (values.empty()) return none;
    const Summary summary = summarise(values);
    return fmt::format("{:.2f} / {:.2f} / {:.2f}", summary.min, summary.median, summary.p99);
}

std::string size_of(const BenchResult& result) {
    return fmt::format("{}x{}", result.width, result.height);
}

double megabytes(uint64_t bytes) {
    return static_cast<double>(bytes) / 1e6;
}

std::string difference_of(const BenchResult& result, const std::string& task) {
    if (!result.difference) return "";
    return task == "labels" ? fmt::format("{:.4f} % of the labels differ from the first", 100 * *result.difference)
                            : fmt::format("scores differ by {:.1e} from the first (relative L2)", *result.difference);
}

/// What else is known of a result, one sentence a line.
std::vector<std::string> details(const BenchResult& result, const BenchReport& report) {
    const StartUp& start = result.start_up;
    std::vector<std::string> lines;
    if (result.difference) lines.push_back(difference_of(result, report.task));
    lines.push_back(
        fmt::format("start-up {:.0f} ms ({}): network {:.0f}, device {:.0f}, first result {:.0f} (pipelines "
                    "{:.0f}, weights {:.1f}, memory {:.1f}, recording {:.2f})",
                    start.total_ms(),
                    report.cold            ? "cold: no cache of ours, drivers asked to leave theirs out"
                    : start.kept_pipelines ? "pipelines of an earlier run on disk"
                                           : "no pipelines of an earlier run on disk",
                    start.network_ms, start.device_ms, start.first_result_ms, start.parts.pipelines_ms,
                    start.parts.weights_ms, start.parts.memory_ms, start.parts.record_ms));
    if (result.memory)
        lines.push_back(fmt::format("memory {:.1f} MB activations, {:.1f} MB weights, {:.1f} MB inputs and outputs",
                                    megabytes(result.memory->activations_bytes),
                                    megabytes(result.memory->weights_bytes), megabytes(result.memory->host_bytes)));
    if (!result.record_cpu_us.empty())
        lines.push_back(
            fmt::format("recording {:.0f} us of CPU time, driver included", summarise(result.record_cpu_us).median));
    if (!result.frame_cpu_us.empty())
        lines.push_back(
            fmt::format("a frame {:.1f} us of CPU time outside the driver, copies of input and output left "
                        "out (median; at most {:.1f})",
                        summarise(result.frame_cpu_us).median, summarise(result.frame_cpu_us).p99));
    return lines;
}

std::vector<TitledProfile> profiles_of(const BenchReport& report) {
    std::vector<TitledProfile> profiles;
    for (const BenchResult& result : report.results)
        if (result.profile) profiles.push_back({result.title(), &*result.profile});
    return profiles;
}

}  // namespace

std::string BenchResult::title() const {
    return fmt::format("{} {} {}{}", network, size_of(*this), precision, remarks());
}

std::string BenchResult::remarks() const {
    return fmt::format("{}{}", arithmetic == Arithmetic::FP16 ? ", fp16 arithmetic" : "", fused ? "" : ", no fusions");
}

std::vector<std::string> BenchReport::notes() const {
    return {
        task == "labels"
            ? "end to end: 8-bit RGB in host memory to one class byte a pixel in host memory; normalisation and "
              "argmax included"
            : "end to end: normalised floats in host memory to scores as floats in host memory; both copies included",
        "gpu: from the first command of the same run to its last, barriers included, by timestamps",
        fmt::format("min / median / p99 of {} runs after {} warm-up runs; networks take turns",
                    results.empty() ? 0 : results.front().repeat, warm_up)};
}

std::string to_text(const BenchReport& report) {
    std::string text;
    for (const std::string& note : report.notes()) text += note + "\n";
    text += fmt::format("{:14} {:>10} {:5} {:>28} {:>28}  device\n", "network", "size", "", "gpu ms", "end to end ms");
    for (const BenchResult& result : report.results) {
        text += fmt::format("{:14} {:>10} {:5} {:>28} {:>28}  {}{}\n", result.network, size_of(result),
                            result.precision, three(result.gpu_ms, "no timestamps"), three(result.end_to_end_ms, ""),
                            result.device, result.remarks());
        for (const std::string& line : details(result, report)) text += fmt::format("    {}\n", line);
    }
    for (const BenchResult& result : report.results)
        if (result.profile) text += fmt::format("\n{}\n{}", result.title(), to_text(*result.profile));
    return text;
}

std::string to_markdown(const BenchReport& report) {
    std::string text;
    for (const std::string& note : report.notes()) text += fmt::format("- {}\n", note);
    text +=
        "\n| network | size | precision | gpu ms | end to end ms | device | driver |\n|---|---|---|--:|--:|---|---|\n";
    for (const BenchResult& result : report.results)
        text += fmt::format("| {}{} | {} | {} | {} | {} | {} | {} |\n", result.network, result.remarks(),
                            size_of(result), result.precision, three(result.gpu_ms, "no timestamps"),
                            three(result.end_to_end_ms, ""), result.device, result.driver);
    for (const BenchResult& result : report.results) {
        text += fmt::format("\n### {}\n\n", result.title());
        for (const std::string& line : details(result, report)) text += fmt::format("- {}\n", line);
        if (result.profile) text += "\n" + to_markdown(*result.profile);
    }
    return text;
}

nlohmann::json to_json(const BenchReport& report) {
    nlohmann::json results = nlohmann::json::array();
    for (const BenchResult& result : report.results) {
        nlohmann::json entry{{"network", result.network},
                             {"size", {result.width, result.height}},
                             {"precision", result.precision},
                             {"arithmetic", name_of(result.arithmetic)},
                             {"device", result.device},
                             {"driver", result.driver},
                             {"repeat", result.repeat},
                             {"gpu_ms", to_json_or_null(result.gpu_ms)},
                             {"end_to_end_ms", to_json_or_null(result.end_to_end_ms)},
                             {"fusions", result.fused},
                             {"start_up_ms", to_json(result.start_up)},
                             {"kept_pipelines", result.start_up.kept_pipelines},
                             {"memory_bytes", result.memory ? to_json(*result.memory) : nlohmann::json()},
                             {"record_cpu_us", to_json_or_null(result.record_cpu_us)},
                             {"frame_cpu_us", to_json_or_null(result.frame_cpu_us)},
                             {"difference", result.difference ? nlohmann::json(*result.difference) : nlohmann::json()}};
        if (result.profile) entry["profile"] = to_json(*result.profile);
        results.push_back(std::move(entry));
    }
    return {{"task", report.task},
            {"cold", report.cold},
            {"warm_up", report.warm_up},
            {"notes", report.notes()},
            {"results", results}};
}

std::string to_page(const BenchReport& report) {
    std::vector<std::string> about = report.notes();
    for (const BenchResult& result : report.results) {
        std::string line = fmt::format("{}: gpu {} ms, end to end {} ms", result.title(),
                                       three(result.gpu_ms, "no timestamps"), three(result.end_to_end_ms, ""));
        for (const std::string& detail : details(result, report)) line += "; " + detail;
        about.push_back(std::move(line));
    }
    const std::string device =
        report.results.empty() ? "" : fmt::format("{} ({})", report.results[0].device, report.results[0].driver);
    return to_page(device, about, profiles_of(report));
}

std::string to_trace(const BenchReport& report) {
    return to_trace(profiles_of(report));
}

}  // namespace vkseg::app
