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

/// The pass over a concatenation that has a pooled operand. No fused group makes those and their pass on the CPU.
bool follows_pooling_beside(const Graph& graph, const Node& node) {
    if (!is_elementwise(node) || node.inputs.size() != 1) return false;
    const auto made = [&](ValueId value) { return std::ranges::find(graph.nodes, value, &Node::output); };
    const auto concat = made(node.inputs[0]);
    return concat != graph.nodes.end() && is<Concat>(*concat) &&
           std::ranges::any_of(concat->inputs, [&](ValueId operand) {
               const auto maker = made(operand);
               return maker != graph.nodes.end() && is<Pool2d>(*maker);
           });
}

/// Where a value lies, for questions of overlap.
struct Extent {
    ValueId root = no_value;
    int first = 0, last = 0;
    [[nodiscard]] bool overlaps(const Extent& other) const {
        return root == other.root && first < other.last && other.first < last;
    }
    bool operator==(const Extent&) const = default;
};

Extent extent_of(ValueId value, const std::vector<PlanarValue>& planar, const Placement& placement) {
    const Placement::Place place = placement.resolve(value);
    return {place.root, place.first_plane, place.first_plane + planar[static_cast<size_t>(value)].map.planes};
}

bool same_size(const PlanarValue& a, const PlanarValue& b) {
    return a.map.planes == b.map.planes && a.width == b.width && a.height == b.height;
}

/// A group of one node that is an `Op`.
template <typename Op>
const Node* alone(const Graph& graph, const Group& group) {
    const Node& node = graph.nodes[static_cast<size_t>(group.nodes.back())];
    return !group.is_fused() && is<Op>(node) ? &node : nullptr;
}

/// A result takes the buffer of an operand that nothing reads afterwards.
void run_in_place(const Graph& graph, const std::vector<Group>& groups, const std::vector<PlanarValue>& planar,
                  Placement& placement) {
    constexpr int after_all = std::numeric_limits<int>::max();
    std::vector<int> last_use(graph.values.size(), -1);
    const auto root = [&](ValueId value) { return placement.resolve(value).root; };
    const auto touch = [&](ValueId value, int group) {
        int& last = last_use[static_cast<size_t>(root(value))];
        last = std::max(last, group);
    };
    for (int i = 0; i < static_cast<int>(groups.size()); ++i) {
        const Group& group = groups[static_cast<size_t>(i)];
        touch(group.output, i);
        if (group.second_output != no_value) touch(group.second_output, i);
        for (ValueId operand : group.inputs) touch(operand, i);
    }
    for (ValueId value : graph.outputs) touch(value, after_all);

    for (int i = 0; i < static_cast<int>(groups.size()); ++i) {
        const Group& group = groups[static_cast<size_t>(i)];
        if (graph.desc(group.output).kind != ValueKind::Features || placement.is_inside(group.output)) continue;
        for (size_t operand = 0; operand < group.inputs.size(); ++operand) {
            if (!group.reads_by_texel[operand]) continue;
            const ValueId candidate = group.inputs[operand];
            const ValueId source = root(candidate);
            bool read_elsewhere = false;
            for (size_t other = 0; other < group.inputs.size(); ++other)
                read_elsewhere =
                    read_elsewhere || (root(group.inputs[other]) == source && !group.reads_by_texel[other]);
            if (read_elsewhere || last_use[static_cast<size_t>(source)] != i ||
                planar[static_cast<size_t>(candidate)].map != planar[static_cast<size_t>(group.output)].map ||
                placement.resolve(candidate).first_plane != 0 ||
                !same_size(planar[static_cast<size_t>(source)], planar[static_cast<size_t>(group.output)]))
                continue;
            const int result_last_use = last_use[static_cast<size_t>(group.output)];
            placement.put_inside(group.output, source, 0);
            last_use[static_cast<size_t>(source)] = result_last_use;
            break;
        }
    }
}

/// Whether writing `target`'s operands over `source` loses nothing that is read later: each part is written by a group
/// that is the last to read what it overwrites, and reads it only at the texel it writes.
bool may_overwrite(const Graph& graph, const std::vector<Group>& groups, const std::vector<PlanarValue>& planar,
                   const Placement& placement, const Node& concat, ValueId source) {
    int first_plane = 0;
    for (ValueId operand : concat.inputs) {
        const int planes = planar[static_cast<size_t>(operand)].map.planes;
        const Placement::Place place = placement.resolve(operand);
        if (place.root != concat.output || place.first_plane != first_plane) return false;  // a copy
        const Extent overwritten{source, first_plane, first_plane + planes};
        bool written = false;
        for (const Group& group : groups) {
            const bool writes = group.output == operand;
            for (size_t i = 0; i < group.inputs.size(); ++i) {
                const ValueId input = group.inputs[i];
                if (graph.desc(input).kind != ValueKind::Features) continue;
                const Extent read = extent_of(input, planar, placement);
                if (!read.overlaps(overwritten)) continue;
                const bool in_step =
                    writes && read == overwritten && group.reads_by_texel[i] &&
                    same_size(planar[static_cast<size_t>(input)], planar[static_cast<size_t>(operand)]);
                if (written || (writes && !in_step)) return false;
            }
            // Nothing else may be written there once the results stand.
            const auto overwrites = [&](ValueId value) {
                return value != no_value && graph.desc(value).kind == ValueKind::Features &&
                       extent_of(value, planar, placement).overlaps(overwritten);
            };
            if (!writes && written && (overwrites(group.output) || overwrites(group.second_output)) &&
                !alone<Slice>(graph, group) && !alone<ChannelShuffle>(graph, group))
                return false;
            written = written || writes;
        }
        if (!written) return false;
        first_plane += planes;
    }
    return true;
}

/// A concatenation whose parts replace, piece by piece, a buffer of its own size that they are the last to read: a
/// reversible module (VNet) runs in place, Y1 over X1 and Y2 over X2.
void concat_in_place(const Graph& graph, const std::vector<Group>& groups, const std::vector<PlanarValue>& planar,
                     Placement& placement) {
    for (const Group& joined : groups) {
        const Node* concat = alone<Concat>(graph, joined);
        if (concat == nullptr || placement.is_inside(concat->output)) continue;
        std::vector<ValueId> sources;
        for (const Group& group : groups) {
            if (std::ranges::find(concat->inputs, group.output) == concat->inputs.end()) continue;
            for (size_t i = 0; i < group.inputs.size(); ++i)
                if (group.reads_by_texel[i]) sources.push_back(placement.resolve(group.inputs[i]).root);
        }
        for (ValueId source : sources) {
            const bool kept = std::ranges::any_of(
                graph.outputs, [&](ValueId value) { return placement.resolve(value).root == source; });
            if (source == concat->output || kept ||
                !same_size(planar[static_cast<size_t>(source)], planar[static_cast<size_t>(concat->output)]) ||
                !may_overwrite(graph, groups, planar, placement, *concat, source))
                continue;
            placement.put_inside(concat->output, source, 0);
            break;
        }
    }
}

}  // namespace

bool reads_by_texel(const Node& node, size_t operand) {
    if (is<Identity>(node) && node.epilogue.empty()) return false;
    return is_elementwise(node) || (node.epilogue.add && operand + 1 == node.inputs.size());
}

ValueId Placement::add_value() {
    parent_.emplace_back();
    return static_cast<ValueId>(parent_.size()) - 1;
}

void Placement::put_inside(ValueId value, ValueId parent, int first_plane) {
    parent_[static_cast<size_t>(value)] = {parent, first_plane};
}

bool reads_numbers(const Node& node, size_t operand) {
    const bool scales = is<Resize>(node) || is<AdaptiveAvgPool2d>(node) || is<Argmax>(node) || is<Confidence>(node);
    return !scales || operand == 0 || (node.epilogue.add && operand + 1 == node.inputs.size());
}

Placement::Place Placement::resolve(ValueId value) const {
    Place place{value, 0};
    while (parent_[static_cast<size_t>(place.root)].root != no_value) {
        const Place& up = parent_[static_cast<size_t>(place.root)];
        place = {up.root, place.first_plane + up.first_plane};
    }
    return place;
}

std::vector<PlanarValue> choose_maps(const Graph& graph, bool closes_gaps) {
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
            const ChannelMap& map = planar[static_cast<size_t>(node.inputs[0])].map;
            const ChannelMap dense = ChannelMap::dense(graph.desc(node.output).channels());
            const bool closes = closes_gaps && follows_pooling_beside(graph, node);
            set(node.output, closes && dense.planes * 6 <= map.planes * 5 ? dense : map);
        } else if (node.epilogue.add) {
            // A convolution can make any map, so it makes that of what is added to it.
            set(node.output, planar[static_cast<size_t>(node.inputs.back())].map);
        } else {
            set(node.output, ChannelMap::dense(graph.desc(node.output).channels()));
        }
    }
    return planar;
}

Placement place_values(const Graph& graph, const std::vector<Group>& groups, const std::vector<PlanarValue>& planar,
                       bool in_place) {
    Placement placement(graph.values.size());
    for (const Node& node : graph.nodes) {
        if (!is<Slice>(node) && !is<ChannelShuffle>(node)) continue;
        int first_plane = 0;
        (void)view_map(node, planar[static_cast<size_t>(node.inputs[0])].map, first_plane);
        placement.put_inside(node.output, node.inputs[0], first_plane);
    }
    for (const Group& group : groups) {
        const Node* concat = alone<Concat>(graph, group);
        if (concat == nullptr) continue;
        int first_plane = 0;
        for (ValueId operand : concat->inputs) {
            if (!placement.is_inside(operand)) placement.put_inside(operand, concat->output, first_plane);
            first_plane += planar[static_cast<size_t>(operand)].map.planes;
        }
    }

    if (in_place) {
        run_in_place(graph, groups, planar, placement);
        concat_in_place(graph, groups, planar, placement);
    }
    return placement;
}

}  // namespace vkseg
