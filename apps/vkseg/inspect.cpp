#include "apps/vkseg/tuned.hpp"
#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "graph/plan/plan_cost.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vkseg::app {

namespace {

DeviceFacts facts_for(const InspectOptions& options) {
    if (!options.paper_device.empty()) return paper_device(options.paper_device);
    if (options.common.device == "reference")
        throw error("the reference has no plan; name a --device or a --paper-device");
    return open_context(options.common)->facts();
}

void print_after_pass(const InspectOptions& options, const Model& model) {
    const auto& names = pass_names();
    if (std::find(names.begin(), names.end(), options.print_after) == names.end())
        throw error("--print-after '{}': the passes are {}", options.print_after, fmt::join(names, ", "));
    Graph graph = model.graph;
    PassOptions passes;
    passes.disabled = {options.common.disabled_passes.begin(), options.common.disabled_passes.end()};
    passes.observer = [&](std::string_view name, bool changed, const Graph& after) {
        if (name == options.print_after)
            fmt::print("after {}{}:\n{}\n", name, changed ? "" : " (unchanged)", to_string(after));
    };
    simplify(graph, passes);
}

nlohmann::json to_json(const PlanFloor& floor, const DevicePeaks& peaks) {
    return {{"computed_not_measured", true},       {"ms", floor.us / 1e3},
            {"memory_ms", floor.memory_us / 1e3},  {"arithmetic_ms", floor.arithmetic_us / 1e3},
            {"launch_ms", floor.launch_us / 1e3},  {"memory_bound_dispatches", floor.memory_bound},
            {"figures_of", peaks.source},          {"fp32_gflops", peaks.fp32_gflops},
            {"fp16_gflops", peaks.fp16_gflops},    {"memory_gb_per_s", peaks.memory_gb_per_s},
            {"assumed_launch_us", peaks.launch_us}};
}

void print_floor(const PlanFloor& floor, const DevicePeaks& peaks, bool half) {
    fmt::print("floor on a {}: {:.3f} ms, computed, not measured\n", peaks.source, floor.us / 1e3);
    fmt::print("  memory          {:.3f} ms, {} dispatches at {:.0f} GB/s (public figure)\n", floor.memory_us / 1e3,
               floor.memory_bound, peaks.memory_gb_per_s);
    fmt::print("  arithmetic      {:.3f} ms, {} dispatches at {:.0f} GFLOP/s in fp32{} (public figure)\n",
               floor.arithmetic_us / 1e3, floor.dispatches - floor.memory_bound, peaks.fp32_gflops,
               half ? fmt::format(", {:.0f} in fp16", peaks.fp16_gflops) : "");
    fmt::print("  launches        {:.3f} ms, {:.0f} us each (assumed)\n", floor.launch_us / 1e3, peaks.launch_us);
}

}  // namespace

int run_inspect(const InspectOptions& options) {
    const OpenedNetwork opened = open_network(options.common, options.network, parse_config(options.common.config),
                                              parse_size(options.common.size));
    const auto& model = opened.model;
    if (options.common.tune) throw error("inspect measures nothing; run 'vkseg tune {}' first", options.network);
    if (!options.print_after.empty()) print_after_pass(options, *model);
    const DeviceFacts facts = facts_for(options);
    Choices choices = opened.choices;
    choices.in_place = choices.in_place && !options.no_in_place;
    choices.precision = precision_on(facts, opened.precision);
    choices.arithmetic = wanted_arithmetic(options.common);
    if (const auto tuned = find_tuned(options.common, *model, facts, opened.precision, opened.tuned))
        choices.merge_tuned(tuned->choices);
    expect_arithmetic(facts, choices);
    const Plan plan = compile(model->simplified, facts, choices);
    const uint64_t macs = count_macs(model->graph);
    const TensorDesc& scores = model->graph.desc(model->graph.outputs[0]);
    const char* precision_name = name_of(choices.precision);
    const DeviceFill fill = device_fill(facts);
    const std::vector<const Dispatch*> small = too_small(plan, fill);
    if (!options.common.json.empty()) {
        nlohmann::json layers = nlohmann::json::array();
        for (size_t step = 0; step < plan.steps.size(); ++step)
            for (const Dispatch& dispatch : plan.steps[step].dispatches)
                layers.push_back({{"layer", dispatch.label},
                                  {"kernel", to_string(dispatch.shader)},
                                  {"step", step},
                                  {"workgroups", dispatch.group_count},
                                  {"threads", dispatch.thread_count()},
                                  {"fills_device", dispatch.thread_count() >= fill.threads()},
                                  {"macs", dispatch.macs},
                                  {"arithmetic", dispatch.fp16_arithmetic ? "fp16" : "fp32"},
                                  {"bytes_read", dispatch.bytes_read},
                                  {"bytes_written", dispatch.bytes_written},
                                  {"weights_bytes", dispatch.weights_bytes}});
        write_json({{"network", model->network},
                    {"size", {model->width, model->height}},
                    {"precision", precision_name},
                    {"arithmetic", name_of(choices.arithmetic)},
                    {"device", facts.name},
                    {"on_paper", !options.paper_device.empty()},
                    {"params", model->parameters},
                    {"macs", macs},
                    {"output_shape_chw", scores.shape},
                    {"floor", facts.peaks.known() ? to_json(floor_of(plan, facts.peaks), facts.peaks) : nullptr},
                    {"plan",
                     {{"dispatches", plan.dispatch_count()},
                      {"barriers", plan.barrier_count()},
                      {"bytes_moved", plan.bytes_moved()},
                      {"peak_memory_bytes", plan.arena_bytes},
                      {"weights_bytes", plan.weights_bytes},
                      {"compute_units", fill.compute_units},
                      {"compute_units_assumed", fill.assumed},
                      {"threads_that_fill", fill.threads()},
                      {"too_small", small.size()},
                      {"layers", layers}}}},
                   options.common.json);
        return 0;
    }
    if (options.print_graph) fmt::print("{}\n", to_string(model->simplified));
    if (options.print_plan) fmt::print("{}\n{}\n", to_string(plan), list_too_small(plan, fill));
    fmt::print("{} at {}x{}, {} classes, scores {}\n", model->network, model->width, model->height, model->classes,
               to_string(scores.shape));
    fmt::print("  parameters      {}\n  multiply-adds   {:.3f} G\n", model->parameters,
               static_cast<double>(macs) / 1e9);
    const bool half = choices.arithmetic == Arithmetic::FP16;
    fmt::print("plan for {}{}, {}{}\n", facts.name, options.paper_device.empty() ? "" : " (on paper)", precision_name,
               half ? ", fp16 arithmetic" : "");
    fmt::print("  dispatches      {}\n  barriers        {}\n", plan.dispatch_count(), plan.barrier_count());
    fmt::print("  bytes moved     {:.1f} MB (activations, each operand once per dispatch)\n",
               static_cast<double>(plan.bytes_moved()) / 1e6);
    fmt::print("  peak memory     {:.1f} MB (activations)\n  packed weights  {:.2f} MB\n",
               static_cast<double>(plan.arena_bytes) / 1e6, static_cast<double>(plan.weights_bytes) / 1e6);
    fmt::print("  too small       {} dispatches ({})\n", small.size(), to_string(fill));
    if (facts.peaks.known()) print_floor(floor_of(plan, facts.peaks), facts.peaks, half);
    return 0;
}

}  // namespace vkseg::app
