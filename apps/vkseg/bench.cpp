#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace vkseg::app {

namespace {

struct Summary {
    double min = 0, median = 0, p99 = 0;
};

Summary summarise(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const auto at = [&](double share) {
        return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
    };
    return {values.front(), at(0.5), at(0.99)};
}

nlohmann::json to_json(const Summary& summary) {
    return {{"min", summary.min}, {"median", summary.median}, {"p99", summary.p99}};
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int run_bench(const BenchOptions& options) {
    if (options.repeat < 1 || options.warm_up < 0) throw error("--repeat takes a number from 1 on");
    if (options.networks.size() > 1 && !options.common.weights.empty())
        throw error("--weights belong to one network, but {} are named", options.networks.size());
    const std::array<int, 2> size = parse_size(options.common.size);
    std::vector<Engine> engines;
    for (const std::string& network : options.networks)
        engines.push_back(open_engine(options.common, network, parse_config(options.common.config), size));
    std::vector<Tensor> inputs;
    for (const Engine& engine : engines) {
        Tensor input({3, engine.model->height, engine.model->width});
        for (size_t i = 0; i < input.data.size(); ++i)
            input.data[i] = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
        inputs.push_back(std::move(input));
    }
    // Networks take turns, so that a change of the machine's speed meets all of them.
    std::vector<std::vector<double>> wall(engines.size()), gpu(engines.size());
    for (int round = -options.warm_up; round < options.repeat; ++round)
        for (size_t i = 0; i < engines.size(); ++i) {
            const auto start = std::chrono::steady_clock::now();
            const Tensor scores = engines[i].runner->scores(inputs[i]);
            const double elapsed = milliseconds_since(start);
            double device = 0;
            for (const DispatchTime& time : engines[i].runner->profile())
                device += static_cast<double>(time.nanoseconds) / 1e6;
            if (round < 0) continue;
            wall[i].push_back(elapsed);
            if (device > 0) gpu[i].push_back(device);
        }

    nlohmann::json results = nlohmann::json::array();
    if (options.common.json.empty())
        fmt::print(
            "end to end: host floats in, scores out; gpu: sum of the dispatches' timestamps\n"
            "{:14} {:>10} {:5} {:>28} {:>28}  device\n",
            "network", "size", "", "gpu ms min / median / p99", "end to end ms");
    for (size_t i = 0; i < engines.size(); ++i) {
        const Engine& engine = engines[i];
        const Summary device = summarise(gpu[i]), end_to_end = summarise(wall[i]);
        results.push_back({{"network", engine.model->network},
                           {"size", {engine.model->width, engine.model->height}},
                           {"precision", engine.precision_name()},
                           {"device", engine.device_name()},
                           {"driver", engine.driver_name()},
                           {"repeat", options.repeat},
                           {"gpu_ms", gpu[i].empty() ? nlohmann::json() : to_json(device)},
                           {"end_to_end_ms", to_json(end_to_end)}});
        if (!options.common.json.empty()) continue;
        fmt::print("{:14} {:>10} {:5} {:>28} {:>28}  {}\n", engine.model->network,
                   fmt::format("{}x{}", engine.model->width, engine.model->height), engine.precision_name(),
                   gpu[i].empty() ? "no timestamps"
                                  : fmt::format("{:.2f} / {:.2f} / {:.2f}", device.min, device.median, device.p99),
                   fmt::format("{:.2f} / {:.2f} / {:.2f}", end_to_end.min, end_to_end.median, end_to_end.p99),
                   engine.device_name());
    }
    if (!options.common.json.empty()) write_json({{"results", results}}, options.common.json);
    return 0;
}

}  // namespace vkseg::app
