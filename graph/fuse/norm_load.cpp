#include "graph/fuse/patterns.hpp"
#include "graph/lower/convolution.hpp"

#include <algorithm>

namespace vkseg {

namespace {

/// How often the readers together may compute each value. Beyond that a pass over memory is cheaper.
constexpr double max_repeats = 4;

/// A batch norm and activation that found no operation to go into: mostly behind a concatenation.
bool is_norm(const Node& node) {
    return std::holds_alternative<Identity>(node.op) && !node.epilogue.empty() && !node.epilogue.add;
}

bool may_read_through(const Node& reader, ValueId value) {
    const auto* conv = std::get_if<Conv2d>(&reader.op);
    return conv != nullptr && conv->groups == 1 && reader.inputs[0] == value;
}

double repeats(const Conv2d& conv) {
    return static_cast<double>(conv.kernel.h * conv.kernel.w) / (conv.stride.h * conv.stride.w);
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const auto* own = std::get_if<Conv2d>(&anchor.op);
    // Straight-line code has no place for it: it would stand before every weight.
    if (own == nullptr || context.lower.cpu_shaped) return std::nullopt;
    const Node* norm = context.maker<Identity>(anchor.inputs[0]);
    if (norm == nullptr || !is_norm(*norm)) return std::nullopt;
    int readers = 0;
    double all_repeats = 0;
    for (const Node& node : context.graph().nodes)
        if (may_read_through(node, norm->output)) {
            ++readers;
            all_repeats += repeats(std::get<Conv2d>(node.op));
        }
    if (readers != context.uses_of(norm->output) || all_repeats > max_repeats) return std::nullopt;
    Group group;
    group.nodes = {context.place_of(*norm), context.place_of(anchor)};
    group.recomputed = {context.place_of(*norm)};
    group.inputs = {norm->inputs[0]};
    group.reads_by_texel = {false};
    if (anchor.epilogue.add) {
        group.inputs.push_back(anchor.inputs.back());
        group.reads_by_texel.push_back(true);
    }
    group.output = anchor.output;
    return group;
}

void lower_norm_load(const Group& group, LowerContext& context) {
    const Node& norm = context.graph.nodes[static_cast<size_t>(group.nodes.front())];
    Node conv = context.graph.nodes[static_cast<size_t>(group.nodes.back())];
    conv.inputs[0] = norm.inputs[0];
    if (conv.epilogue.add)
        conv.inputs.back() =
            context.in_map(conv.inputs.back(), ChannelMap(context.planar[static_cast<size_t>(conv.output)].map));
    lower_conv2d(std::get<Conv2d>(conv.op), conv, norm.epilogue, context);
}

}  // namespace

constinit const Pattern norm_load{"norm_load", match, lower_norm_load};

}  // namespace vkseg
