#pragma once

#include "graph/plan/plan.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

// What there is to measure: layers of a plan and the choices that a rough cost model finds worth trying for each.

namespace vkseg {

/// Settled one after another, because each decides what there is to settle next.
enum class TuningStep : uint8_t {
    /// Fused groups, or their members one by one.
    Grouping,
    /// How much of a convolution a dispatch and an invocation compute.
    Tiling,
    /// Bindings or device addresses.
    Access,
};

struct TunableLayer {
    /// As in the plan: a node's name, or a group's label.
    std::string label;
    /// Nodes of the layer.
    std::vector<std::string> members;
    /// Entries for `Choices::layers`, the most promising first. What stands there already is not among them.
    std::vector<LayerChoices> candidates;
};

/// Layers of `compile(graph, facts, choices)` with something to settle in this step.
[[nodiscard]] std::vector<TunableLayer> tunable_layers(const Graph& graph, const DeviceFacts& facts,
                                                       const Choices& choices, TuningStep step);

/// Node names by the label that their dispatches have in `compile(graph, facts, choices)`.
[[nodiscard]] std::map<std::string, std::vector<std::string>, std::less<>> nodes_by_label(const Graph& graph,
                                                                                          const DeviceFacts& facts,
                                                                                          const Choices& choices);

/// Lower is better: a rough time of a convolution per multiply-add, in units of an arithmetic-bound one.
struct ConvTiling {
    int planes = 1;
    int pixels = 1;
};
[[nodiscard]] double tiling_cost(const ConvTiling& tiling, int out_planes, int64_t out_pixels, bool cpu_shaped,
                                 uint64_t threads_to_fill);

}  // namespace vkseg
