#pragma once

#include "graph/ir/graph.hpp"
#include "graph/plan/choices.hpp"
#include "graph/plan/device_facts.hpp"

#include <string>
#include <string_view>

namespace vkseg {

/// Choices that were measured to be fast, and what they were measured for.
struct TunedChoices {
    /// Of vkseg: another one may have other kernels.
    std::string version;
    std::string network;
    /// Size that was measured; the choices hold for others too.
    int width = 0;
    int height = 0;
    /// `structure_hash` of the simplified network.
    uint64_t graph_hash = 0;
    uint32_t vendor_id = 0;
    uint32_t device_id = 0;
    uint32_t driver_version = 0;
    std::string device;
    std::string driver;
    /// One run, as measured in alternation.
    double untuned_us = 0;
    double tuned_us = 0;
    Choices choices;

    bool operator==(const TunedChoices&) const = default;
};

/// Operations, names and shapes of a network, whatever size it stands at; not the values of its weights.
[[nodiscard]] uint64_t structure_hash(const Graph& graph);

/// Whose choices these will be: all but the choices and times. The graph stands at the size that is measured.
[[nodiscard]] TunedChoices tuned_choices_for(const Graph& graph, std::string_view network, const DeviceFacts& facts,
                                             std::string_view version);

/// Lines for people and for `parse_tuned_choices`, with a checksum at their end.
[[nodiscard]] std::string to_string(const TunedChoices& tuned);
/// Throws `Error`, one sentence without a file's name, for a text that is damaged or says what this program does not
/// know.
[[nodiscard]] TunedChoices parse_tuned_choices(std::string_view text);

/// Why the choices must not be used here, "they were measured ..."; "" when they may.
[[nodiscard]] std::string misfit(const TunedChoices& tuned, const Graph& graph, const DeviceFacts& facts,
                                 std::string_view version);
/// The same for the graph alone, wherever it is to run.
[[nodiscard]] std::string misfit_of_graph(const TunedChoices& tuned, const Graph& graph);

}  // namespace vkseg
