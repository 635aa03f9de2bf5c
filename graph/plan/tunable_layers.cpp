#include "graph/plan/tunable_layers.hpp"

#include "graph/fuse/fuse.hpp"
#include "graph/plan/placement.hpp"
#include "graph/plan/plan_cost.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

namespace vkseg {

namespace {

/// Each further one is another plan to compile and measure.
constexpr size_t max_candidates = 4;
/// Of the estimate of the best one: the model is rough, but not that rough.
constexpr double worth_trying = 1.6;

/// Groups and maps as the compiler has them.
struct Grouped {
    Plan plan;
    LowerContext context;
    std::vector<Group> groups;

    Grouped(const Graph& graph, const DeviceFacts& facts, const Choices& choices)
        : plan(compile(graph, facts, choices)), context(graph, facts, choices, plan.uses_texel_view) {
        context.planar = choose_maps(graph, context.cpu_shaped);
        groups = form_groups(context);
    }
    [[nodiscard]] const Node& node(int place) const { return context.graph.nodes[static_cast<size_t>(place)]; }
    [[nodiscard]] std::vector<std::string> members(const Group& group) const {
        std::vector<std::string> names;
        for (int place : group.nodes) names.push_back(node(place).name);
        return names;
    }
    /// What runs a layer, by the first dispatch of that label; null for layers that move nothing.
    [[nodiscard]] const Dispatch* dispatch(std::string_view label) const {
        for (const Step& step : plan.steps)
            for (const Dispatch& one : step.dispatches)
                if (one.label == label) return &one;
        return nullptr;
    }
};

/// The one convolution of a group that runs on a kernel with a tiling.
const Node* tiled_convolution(const Group& group, const Grouped& grouped, const Dispatch& dispatch) {
    const std::string_view kernel = to_string(dispatch.shader);
    if (!kernel.starts_with("conv2d") && !kernel.starts_with("winograd_conv2d") &&
        !kernel.starts_with("depthwise_conv2d"))
        return nullptr;
    const Node* found = nullptr;
    for (int place : group.nodes) {
        const Node& node = grouped.node(place);
        if (!std::holds_alternative<Conv2d>(node.op) && !std::holds_alternative<ConvTranspose2d>(node.op)) continue;
        if (found != nullptr) return nullptr;
        found = &node;
    }
    return found;
}

std::vector<LayerChoices> tilings(const Node& node, const Grouped& grouped, const Dispatch& dispatch) {
    const LowerContext& context = grouped.context;
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const int64_t pixels = int64_t{out.width} * out.height;
    const uint64_t fill = device_fill(context.facts).threads();
    const std::string_view kernel = to_string(dispatch.shader);
    const bool depthwise = kernel.starts_with("depthwise"), winograd = kernel.starts_with("winograd");
    // By constant_id: what the rule made of it.
    const ConvTiling ruled{static_cast<int>(dispatch.specialization[6]),
                           depthwise || winograd ? 1 : static_cast<int>(dispatch.specialization[9])};
    struct Candidate {
        LayerChoice choice;
        double cost;
    };
    std::vector<Candidate> candidates;
    const LayerChoice settled = context.choices.layer(node.name);
    const double ruled_cost = tiling_cost(ruled, out.map.planes, pixels, context.cpu_shaped, fill);
    for (const int planes : {1, 2, 3, 4, 6, 8, 12, 16}) {
        if (planes > std::max(out.map.planes, ruled.planes)) continue;
        for (const int row : {1, 2, 4}) {
            const bool rules = planes == ruled.planes && row == ruled.pixels;
            if (rules || planes * row > 16 || (row > 1 && (depthwise || context.cpu_shaped))) continue;
            LayerChoice choice = settled;
            choice.planes = planes;
            choice.pixels = depthwise || context.cpu_shaped ? 0 : row;
            candidates.push_back(
                {choice, tiling_cost({planes, row}, out.map.planes, pixels, context.cpu_shaped, fill)});
        }
    }
    if (winograd) {
        LayerChoice choice = settled;
        choice.direct = true;
        candidates.push_back({choice, ruled_cost});
    }
    // Longer and shorter straight lines of code; a kernel with all its input planes in one has nothing to merge.
    if (context.cpu_shaped && !depthwise && dispatch.specialization[winograd ? 9 : 10] > 1)
        for (const int macs : {3600, 7200, 14400}) {
            LayerChoice choice = settled;
            choice.unrolled_macs = macs;
            candidates.push_back({choice, ruled_cost});
        }
    std::ranges::stable_sort(candidates, {}, &Candidate::cost);
    double best = ruled_cost;
    if (!candidates.empty()) best = std::min(best, candidates.front().cost);
    std::vector<LayerChoices> result;
    for (const Candidate& candidate : candidates)
        if (result.size() < max_candidates && candidate.cost <= worth_trying * best)
            result.push_back({{node.name, candidate.choice}});
    return result;
}

/// What the dispatches of each label are, as far as tuning can change it.
std::map<std::string, std::string, std::less<>> signatures(const Plan& plan) {
    std::map<std::string, std::string, std::less<>> result;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches)
            result[dispatch.label] +=
                fmt::format("{} {} {};", static_cast<int>(dispatch.shader), fmt::join(dispatch.specialization, ","),
                            fmt::join(dispatch.group_count, "x"));
    return result;
}

/// Drops candidates that come to the same dispatches as the plan that is there, or as another candidate.
void drop_repeated(std::vector<TunableLayer>& layers, const Grouped& grouped) {
    const auto ruled = signatures(grouped.plan);
    std::vector<std::set<std::string>> known(layers.size());
    for (size_t i = 0; i < layers.size(); ++i) known[i].insert(ruled.at(layers[i].label));
    std::vector<std::vector<LayerChoices>> kept(layers.size());
    for (size_t column = 0; column < max_candidates; ++column) {
        Choices choices = grouped.context.choices;
        for (const TunableLayer& layer : layers)
            if (column < layer.candidates.size())
                for (const auto& [label, choice] : layer.candidates[column]) choices.layers[label] = choice;
        const auto found = signatures(compile(grouped.context.graph, grouped.context.facts, choices));
        for (size_t i = 0; i < layers.size(); ++i) {
            if (column >= layers[i].candidates.size()) continue;
            const auto signature = found.find(layers[i].label);
            if (signature == found.end() || known[i].insert(signature->second).second)
                kept[i].push_back(layers[i].candidates[column]);
        }
    }
    for (size_t i = 0; i < layers.size(); ++i) layers[i].candidates = std::move(kept[i]);
    std::erase_if(layers, [](const TunableLayer& layer) { return layer.candidates.empty(); });
}

}  // namespace

double tiling_cost(const ConvTiling& tiling, int out_planes, int64_t out_pixels, bool cpu_shaped,
                   uint64_t threads_to_fill) {
    const int blocks = (out_planes + tiling.planes - 1) / tiling.planes;
    // A texel that is read feeds `planes` products of each lane, a vector of weights `pixels`. On CPU drivers weights
    // are loaded once for all lanes, but texels are gathered one by one, and sums beyond the registers are spilt.
    double cost = cpu_shaped ? 1 + 1.0 / tiling.planes + (tiling.planes > 8 ? 0.1 : 0)
                             : 1 + 0.5 / tiling.planes + 0.5 / tiling.pixels;
    // Blocks that are not full.
    cost *= static_cast<double>(blocks) * tiling.planes / out_planes;
    const auto threads = static_cast<double>(out_pixels) * (cpu_shaped ? 1 : blocks) / tiling.pixels;
    return cost * std::max(1.0, static_cast<double>(threads_to_fill) / threads);
}

std::vector<TunableLayer> tunable_layers(const Graph& graph, const DeviceFacts& facts, const Choices& choices,
                                         TuningStep step) {
    const Grouped grouped(graph, facts, choices);
    std::vector<TunableLayer> layers;
    for (const Group& group : grouped.groups) {
        TunableLayer layer{label_of(group, graph), grouped.members(group), {}};
        const Dispatch* dispatch = grouped.dispatch(layer.label);
        if (dispatch == nullptr) continue;
        const LayerChoice settled = choices.layer(layer.label);
        if (step == TuningStep::Grouping && group.is_fused()) {
            LayerChoice separate = settled;
            separate.separate = true;
            layer.candidates.push_back({{layer.label, separate}});
        }
        if (step == TuningStep::Tiling)
            if (const Node* conv = tiled_convolution(group, grouped, *dispatch))
                layer.candidates = tilings(*conv, grouped, *dispatch);
        if (step == TuningStep::Access && facts.buffer_device_address && !grouped.context.cpu_shaped &&
            dispatch->windows[0].used()) {
            LayerChoice addresses = settled;
            addresses.addresses = !settled.addresses;
            layer.candidates.push_back({{layer.label, addresses}});
        }
        // Two groups of one label are one layer: what is said of one is said of the other.
        const auto same = std::ranges::find(layers, layer.label, &TunableLayer::label);
        if (same != layers.end())
            same->members.insert(same->members.end(), layer.members.begin(), layer.members.end());
        else if (!layer.candidates.empty())
            layers.push_back(std::move(layer));
    }
    drop_repeated(layers, grouped);
    return layers;
}

std::map<std::string, std::vector<std::string>, std::less<>> nodes_by_label(const Graph& graph,
                                                                            const DeviceFacts& facts,
                                                                            const Choices& choices) {
    const Grouped grouped(graph, facts, choices);
    std::map<std::string, std::vector<std::string>, std::less<>> nodes;
    for (const Group& group : grouped.groups)
        for (std::string& name : grouped.members(group)) nodes[label_of(group, graph)].push_back(std::move(name));
    return nodes;
}

}  // namespace vkseg
