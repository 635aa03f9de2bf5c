#include "graph/plan/placement.hpp"

#include <algorithm>
#include <limits>

namespace vkseg {

namespace {

template <typename T>
bool is(const Node& node) {
    return std::holds_alternative<T>(node.op);
}

bool is_elementwise(const Node& node) {
    return is<Identity>(node) || is<Add>(node) || is<ScaleShift>(node) || is<Relu>(node) || is<PRelu>(node) ||
           is<Sigmoid>(node) || is<Multiply>(node);
}

/// Channels of `source` that a slice keeps, or in the order of a shuffle: slots change, memory does not.
ChannelMap view_map(const Node& node, const ChannelMap& source, int& first_plane) {
    ChannelMap map;
    if (const auto* slice = std::get_if<Slice>(&node.op)) {
        const auto begin = source.slot_of_channel.begin() + slice->begin;
        map.slot_of_channel.assign(begin, begin + slice->count);
    } else if (const auto* shuffle = std::get_if<ChannelShuffle>(&node.op)) {
        const size_t groups = static_cast<size_t>(shuffle->groups), count = source.slot_of_channel.size();
        for (size_t i = 0; i < count; ++i)
            map.slot_of_channel.push_back(source.slot_of_channel[i % groups * (count / groups) + i / groups]);
    }
    const auto [low, high] = std::ranges::minmax(map.slot_of_channel);
    first_plane = low / 4;
    map.planes = high / 4 - first_plane + 1;
    for (int& slot : map.slot_of_channel) slot -= first_plane * 4;
    return map;
}

bool keeps_map(const Graph& graph, const Node& node) {
    if (is_elementwise(node) || is<Pool2d>(node) || is<AdaptiveAvgPool2d>(node) || is<Resize>(node)) return true;
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
        const int channels = graph.desc(node.inputs[0]).channels();
        return conv->groups > 1 && conv->groups == channels && conv->out_channels == channels;
    }
    return false;
}

}  // namespace

ValueId Placement::add_value() {
    parent_.emplace_back();
    return static_cast<ValueId>(parent_.size()) - 1;
}

void Placement::put_inside(ValueId value, ValueId parent, int first_plane) {
    parent_[static_cast<size_t>(value)] = {parent, first_plane};
}

Placement::Place Placement::resolve(ValueId value) const {
    Place place{value, 0};
    while (parent_[static_cast<size_t>(place.root)].root != no_value) {
        const Place& up = parent_[static_cast<size_t>(place.root)];
        place = {up.root, place.first_plane + up.first_plane};
    }
    return place;
}

std::vector<PlanarValue> choose_maps(const Graph& graph) {
    std::vector<PlanarValue> planar(graph.values.size());
    const auto set = [&](ValueId value, ChannelMap map) {
        const TensorDesc& desc = graph.desc(value);
        planar[static_cast<size_t>(value)] = {value, std::move(map), desc.width(), desc.height()};
    };
    for (ValueId value : graph.inputs)
        if (graph.desc(value).kind == ValueKind::Features) set(value, ChannelMap::dense(graph.desc(value).channels()));
    for (const Node& node : graph.nodes) {
        if (graph.desc(node.output).kind != ValueKind::Features) continue;
        if (is<Concat>(node)) {
            ChannelMap map;
            for (ValueId operand : node.inputs) map.append(planar[static_cast<size_t>(operand)].map);
            set(node.output, std::move(map));
        } else if (is<Slice>(node) || is<ChannelShuffle>(node)) {
            int first_plane = 0;
            set(node.output, view_map(node, planar[static_cast<size_t>(node.inputs[0])].map, first_plane));
        } else if (keeps_map(graph, node)) {
            set(node.output, planar[static_cast<size_t>(node.inputs[0])].map);
        } else if (node.epilogue.add) {
            // A convolution can make any map, so it makes that of what is added to it.
            set(node.output, planar[static_cast<size_t>(node.inputs.back())].map);
        } else {
            set(node.output, ChannelMap::dense(graph.desc(node.output).channels()));
        }
    }
    return planar;
}

Placement place_values(const Graph& graph, const std::vector<PlanarValue>& planar) {
    Placement placement(graph.values.size());
    for (const Node& node : graph.nodes) {
        if (!is<Slice>(node) && !is<ChannelShuffle>(node)) continue;
        int first_plane = 0;
        (void)view_map(node, planar[static_cast<size_t>(node.inputs[0])].map, first_plane);
        placement.put_inside(node.output, node.inputs[0], first_plane);
    }
    for (const Node& node : graph.nodes) {
        if (!is<Concat>(node)) continue;
        int first_plane = 0;
        for (ValueId operand : node.inputs) {
            if (!placement.is_inside(operand)) placement.put_inside(operand, node.output, first_plane);
            first_plane += planar[static_cast<size_t>(operand)].map.planes;
        }
    }

    // In place: the last reader of a whole buffer may write its result there.
    constexpr int after_all = std::numeric_limits<int>::max();
    std::vector<int> last_use(graph.values.size(), -1);
    const auto touch = [&](ValueId value, int node) {
        auto& last = last_use[static_cast<size_t>(placement.resolve(value).root)];
        last = std::max(last, node);
    };
    for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
        const Node& node = graph.nodes[static_cast<size_t>(i)];
        touch(node.output, i);
        for (ValueId operand : node.inputs) touch(operand, i);
    }
    for (ValueId value : graph.outputs) touch(value, after_all);

    for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
        const Node& node = graph.nodes[static_cast<size_t>(i)];
        if (!is_elementwise(node) || placement.is_inside(node.output)) continue;
        if (is<Identity>(node) && node.epilogue.empty()) continue;
        const Placement::Place source = placement.resolve(node.inputs[0]);
        const PlanarValue& whole = planar[static_cast<size_t>(source.root)];
        if (last_use[static_cast<size_t>(source.root)] != i ||
            whole.map.planes != planar[static_cast<size_t>(node.output)].map.planes)
            continue;
        const int result_last_use = last_use[static_cast<size_t>(node.output)];
        placement.put_inside(node.output, source.root, 0);
        last_use[static_cast<size_t>(source.root)] = result_last_use;
    }
    return placement;
}

}  // namespace vkseg
