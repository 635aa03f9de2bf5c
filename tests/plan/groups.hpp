#pragma once

#include "graph/fuse/fuse.hpp"
#include "graph/plan/placement.hpp"
#include "tests/graph/builder.hpp"

namespace vkseg::test {

/// Nearly every graph here begins with an operation that could read the host's floats and ends in one that could write
/// there; only the tests of that show it.
inline Choices without_host(Choices choices = {}) {
    choices.disabled_fusions.insert({"host_load", "host_store"});
    return choices;
}

inline std::string groups_of(const Graph& graph, const Choices& choices = {}, const char* device = "minimal",
                             bool cpu_shaped = false, bool host = false) {
    const Choices used = host ? choices : without_host(choices);
    LowerContext context(graph, paper_device(device), used, cpu_shaped);
    context.planar = choose_maps(graph, cpu_shaped);
    return to_string(form_groups(context), graph);
}

/// Scores 1 by 1 to the classes of their pixels.
inline ValueId labels(Graph& graph, ValueId scores, Sampling sampling, Axes size) {
    return graph.add("labels", Argmax{sampling, {.kind = SizeRule::Kind::Fixed, .fixed = size}}, {scores});
}

}  // namespace vkseg::test
