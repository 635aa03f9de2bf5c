#include "apps/common/npy.hpp"
#include "apps/vkseg/support.hpp"
#include "apps/vkseg/wall_clock.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace vkseg::app {

namespace {

void print_line(const nlohmann::json& line) {
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
}

/// Whoever compares engines keeps all of them ready and lets them take turns; this is one of them.
void time_on_request(Engine& engine, const Tensor& input) {
    Session* session = engine.runner->session();
    if (session != nullptr) session->time_runs(true);
    Tensor scores;
    for (std::string line; std::getline(std::cin, line);) {
        int runs = 0;
        const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), runs);
        if (code != std::errc{} || end != line.data() + line.size() || runs < 1)
            throw error("standard input: expected a number of runs, found '{}'", line);
        nlohmann::json end_to_end = nlohmann::json::array(), gpu = nlohmann::json::array();
        for (int run = 0; run < runs; ++run) {
            const WallClock clock;
            engine.runner->scores(input, scores);
            end_to_end.push_back(clock.ms());
            if (session != nullptr && session->run_nanoseconds() > 0)
                gpu.push_back(static_cast<double>(session->run_nanoseconds()) / 1e6);
        }
        print_line({{"end_to_end_ms", end_to_end}, {"gpu_ms", gpu}});
    }
}

}  // namespace

int run_run(const RunOptions& options) {
    Tensor input = read_npy(options.input);
    // NCHW with a batch of one, or CHW.
    const bool batched = input.shape.size() == 4;
    if (batched && input.shape[0] == 1) input.shape.erase(input.shape.begin());
    if (input.shape.size() != 3 || input.shape[0] != 3 || input.shape[1] < 1 || input.shape[2] < 1 ||
        input.shape[1] > 32767 || input.shape[2] > 32767)
        throw error(
            "'{}' is {}, expected 1x3xHxW or 3xHxW with sides of 1 to 32767 (batches above 1 are not supported)",
            options.input, to_string(input.shape));
    const auto width = static_cast<int>(input.shape[2]), height = static_cast<int>(input.shape[1]);
    if (const auto wanted = parse_size(options.common.size);
        wanted[0] != 0 && (wanted[0] != width || wanted[1] != height))
        throw error("'{}' is {}x{} pixels, but --size says {}", options.input, width, height, options.common.size);
    if (std::any_of(input.data.begin(), input.data.end(), [](float v) { return !std::isfinite(v); }))
        warn(fmt::format("'{}' holds values that are not finite", options.input));
    const WallClock clock;
    Engine engine = open_engine(options.common, options.network, parse_config(options.common.config), {width, height});
    Tensor output = engine.runner->scores(input);
    const double start_up_ms = clock.ms();
    if (batched) output.shape.insert(output.shape.begin(), 1);
    write_npy(options.output, output.shape, output.data);
    if (!options.time_on_request) return 0;
    nlohmann::json ready{{"start_up_ms", start_up_ms},
                         {"device", engine.device_name()},
                         {"driver", engine.driver_name()},
                         {"precision", engine.precision_name()},
                         {"arithmetic", engine.arithmetic_name()}};
    if (Session* session = engine.runner->session()) {
        const SessionMemory memory = session->memory_use();
        ready["device_memory_bytes"] = memory.activations_bytes + memory.weights_bytes + memory.host_bytes;
    }
    print_line(ready);
    time_on_request(engine, input);
    return 0;
}

}  // namespace vkseg::app
