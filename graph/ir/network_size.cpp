#include "graph/ir/error.hpp"
#include "graph/ir/graph.hpp"

#include <limits>

namespace vkseg {

namespace {

bool takes_size(Graph& graph, int width, int height) {
    try {
        graph.set_input_size(width, height);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

std::array<int, 2> nearest_valid_size(const Graph& graph, int width, int height) {
    Graph probe = graph;
    if (takes_size(probe, width, height)) return {width, height};
    // Networks want multiples of a power of two, so the answer is close by; far away, whatever is nearest will do.
    constexpr int reach = 64;
    std::array<int, 2> best{0, 0};
    int64_t best_distance = std::numeric_limits<int64_t>::max();
    for (int dy = -reach; dy <= reach; ++dy)
        for (int dx = -reach; dx <= reach; ++dx) {
            const int64_t distance = int64_t{dx} * dx + int64_t{dy} * dy;
            if (width + dx < 1 || height + dy < 1 || distance >= best_distance) continue;
            if (!takes_size(probe, width + dx, height + dy)) continue;
            best_distance = distance;
            best = {width + dx, height + dy};
        }
    if (best[0] == 0) throw error("no size near {}x{} fits", width, height);
    return best;
}

void set_network_size(Graph& graph, std::string_view name, int width, int height) {
    try {
        graph.set_input_size(width, height);
    } catch (const Error& reason) {
        const auto [near_width, near_height] = nearest_valid_size(graph, width, height);
        throw error("{} cannot take {}x{} pixels ({}); the nearest size it can take is {}x{}", name, width, height,
                    reason.what(), near_width, near_height);
    }
}

}  // namespace vkseg
