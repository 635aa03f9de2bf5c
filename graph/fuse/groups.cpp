#include "graph/fuse/patterns.hpp"
#include "graph/ir/error.hpp"
#include "graph/plan/placement.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>

namespace vkseg {

namespace {

constexpr const Pattern* patterns[] = {
    // Before the pyramids, which are the first part of it.
    &pyramid_unit,
    &esp_pyramid,
    &eesp_pyramid,
    &scale_pyramid,
    &score_head,
    // Before the pairs: what it spares is larger than what lies between two convolutions.
    &resize_load,
    &conv_pair,
    // Before the down units, which are a part of it.
    &picture_load,
    &host_load,
    &down_unit,
    // Last: they take convolutions that belong to nothing larger.
    &norm_load,
    &concat_load,
    &twin_conv,
    &gated_conv,
    &host_store,
};

const Pattern& pattern_named(std::string_view name) {
    return **std::ranges::find(patterns, name, [](const Pattern* pattern) { return pattern->name; });
}

void check_names(const Choices& choices) {
    const std::vector<std::string>& names = fusion_names();
    for (const std::string& name : choices.disabled_fusions)
        if (std::ranges::find(names, name) == names.end())
            throw error("there is no fusion '{}' to disable; fusions are {}", name, fmt::join(names, ", "));
}

Group group_of(const Graph& graph, int place) {
    const Node& node = graph.nodes[static_cast<size_t>(place)];
    Group group;
    group.nodes = {place};
    group.inputs = node.inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) group.reads_by_texel.push_back(reads_by_texel(node, i));
    group.output = node.output;
    return group;
}

/// The same groups, each behind those whose results it reads, else as they were. A group whose members lie far apart
/// may have to move.
std::vector<Group> in_order(std::vector<Group> groups, const Graph& graph) {
    std::vector<bool> made(graph.values.size(), false);
    for (ValueId value : graph.inputs) made[static_cast<size_t>(value)] = true;
    std::vector<Group> ordered;
    ordered.reserve(groups.size());
    while (!groups.empty()) {
        const auto ready = std::ranges::find_if(groups, [&](const Group& group) {
            return std::ranges::all_of(group.inputs, [&](ValueId value) { return made[static_cast<size_t>(value)]; });
        });
        if (ready == groups.end()) throw std::logic_error("fused groups wait for each other");
        made[static_cast<size_t>(ready->output)] = true;
        if (ready->second_output != no_value) made[static_cast<size_t>(ready->second_output)] = true;
        ordered.push_back(std::move(*ready));
        groups.erase(ready);
    }
    return ordered;
}

}  // namespace

const Node* MatchContext::sole_epilogue(ValueId value) const {
    if (uses_of(value) != 1) return nullptr;
    for (const Node& node : graph().nodes)
        if (std::ranges::find(node.inputs, value) != node.inputs.end())
            return std::holds_alternative<Identity>(node.op) && node.inputs[0] == value && !node.epilogue.empty()
                       ? &node
                       : nullptr;
    return nullptr;
}

const std::vector<std::string>& fusion_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Pattern* pattern : patterns) list.emplace_back(pattern->name);
        return list;
    }();
    return names;
}

std::vector<Group> single_groups(const Graph& graph) {
    std::vector<Group> groups;
    for (int place = 0; place < static_cast<int>(graph.nodes.size()); ++place) groups.push_back(group_of(graph, place));
    return groups;
}

std::vector<Group> form_groups(const LowerContext& context) {
    check_names(context.choices);
    const Graph& graph = context.graph;
    const MatchContext match{context, graph.producers(), graph.use_counts()};
    // By the place of the last member: there the group runs.
    std::vector<std::optional<Group>> ending_at(graph.nodes.size());
    std::vector<bool> taken(graph.nodes.size(), false), recomputed(graph.nodes.size(), false);
    // Of the group that has the node to itself.
    std::vector<int> last_member(graph.nodes.size());
    std::iota(last_member.begin(), last_member.end(), 0);
    for (const Pattern* pattern : patterns) {
        if (context.choices.disabled_fusions.contains(pattern->name)) continue;
        for (const Node& anchor : graph.nodes) {
            std::optional<Group> group = pattern->match(anchor, match);
            if (!group || (group->second_output != no_value && !context.second_outputs)) continue;
            const auto is_recomputed = [&](int place) {
                return std::ranges::find(group->recomputed, place) != group->recomputed.end();
            };
            const auto is_taken = [&](int place) {
                return taken[static_cast<size_t>(place)] ||
                       (recomputed[static_cast<size_t>(place)] && !is_recomputed(place));
            };
            if (std::ranges::any_of(group->nodes, is_taken)) continue;
            group->pattern = pattern->name;
            std::ranges::sort(group->nodes);
            if (context.choices.layer(label_of(*group, graph)).separate) continue;
            for (int place : group->nodes) {
                (is_recomputed(place) ? recomputed : taken)[static_cast<size_t>(place)] = true;
                if (!is_recomputed(place)) last_member[static_cast<size_t>(place)] = group->nodes.back();
            }
            ending_at[static_cast<size_t>(group->nodes.back())] = std::move(group);
        }
    }
    // What is recomputed stands for itself too where somebody else reads it.
    const auto reads_stored = [&](int reader, ValueId value) {
        const Node& node = graph.nodes[static_cast<size_t>(reader)];
        bool reads = false;
        for (size_t i = 0; i < node.inputs.size(); ++i)
            reads = reads || (node.inputs[i] == value && reads_numbers(node, i));
        if (!reads) return false;
        const auto& group = ending_at[static_cast<size_t>(last_member[static_cast<size_t>(reader)])];
        return !group || std::ranges::find(group->recomputed, match.producers[static_cast<size_t>(value)]) ==
                             group->recomputed.end();
    };
    for (int place = 0; place < static_cast<int>(graph.nodes.size()); ++place) {
        if (!recomputed[static_cast<size_t>(place)]) continue;
        bool stored = false;
        for (int reader = place + 1; reader < static_cast<int>(graph.nodes.size()); ++reader)
            stored = stored || reads_stored(reader, graph.nodes[static_cast<size_t>(place)].output);
        if (!stored) taken[static_cast<size_t>(place)] = true;
    }
    std::vector<Group> groups;
    for (int place = 0; place < static_cast<int>(graph.nodes.size()); ++place) {
        auto& fused = ending_at[static_cast<size_t>(place)];
        if (fused) {
            groups.push_back(std::move(*fused));
        } else if (!taken[static_cast<size_t>(place)]) {
            groups.push_back(group_of(graph, place));
        }
    }
    return in_order(std::move(groups), graph);
}

std::string label_of(const Group& group, const Graph& graph) {
    const auto name = [&](int place) { return std::string_view(graph.nodes[static_cast<size_t>(place)].name); };
    if (!group.is_fused()) return std::string(name(group.nodes.back()));
    // What makes a second result may be of another module.
    std::vector<int> own = group.nodes;
    std::erase_if(own, [&](int place) {
        return group.second_output != no_value && graph.nodes[static_cast<size_t>(place)].output == group.second_output;
    });
    std::string_view common = name(own.back());
    for (int place : own) {
        const auto [end, other] = std::ranges::mismatch(common, name(place));
        common = common.substr(0, static_cast<size_t>(end - common.begin()));
    }
    // Whole parts of the path only.
    const std::string_view last = name(own.back());
    common = common.substr(0, common == last ? last.size() : common.rfind('.') == common.npos ? 0 : common.rfind('.'));
    return fmt::format("{} [{}]", common.empty() ? last : common, group.pattern);
}

void lower(const Group& group, LowerContext& context) {
    const size_t first = context.dispatches.size();
    pattern_named(group.pattern).lower(group, context);
    const std::string label = label_of(group, context.graph);
    for (LoweredDispatch& lowered : std::span(context.dispatches).subspan(first))
        if (lowered.dispatch.label.empty()) lowered.dispatch.label = label;
}

std::string to_string(const std::vector<Group>& groups, const Graph& graph) {
    std::string text;
    for (const Group& group : groups) {
        if (!group.is_fused()) continue;
        text += group.pattern + "(";
        for (size_t i = 0; i < group.inputs.size(); ++i)
            text +=
                fmt::format("{}%{}{}", i == 0 ? "" : ", ", group.inputs[i], group.reads_by_texel[i] ? " by texel" : "");
        text += fmt::format(") -> %{}", group.output);
        if (group.second_output != no_value) text += fmt::format(" and %{}", group.second_output);
        if (group.to_host) text += " on the host";
        if (group.from_host) text += " from the host";
        text += " :";
        for (int place : group.nodes) text += " " + graph.nodes[static_cast<size_t>(place)].name;
        text += "\n";
    }
    return text;
}

}  // namespace vkseg
