#pragma once

#include "graph/ir/graph.hpp"
#include "graph/ir/preprocess.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vkseg {

/// A network with its weights, simplified and ready to be planned for any size. Immutable; may be shared between
/// runners and threads.
struct Model {
    std::string network;
    Preprocess preprocess;
    /// What "bilinear" means for this network.
    Sampling mask_sampling = Sampling::Bilinear;
    /// As built, before any simplification: what the reference runs.
    Graph graph;
    Graph simplified;
    uint64_t parameters = 0;
    int classes = 0;
    /// Size that the graphs stand at.
    int width = 0;
    int height = 0;
    /// What the weights' file says that who uses them should know; one line, or empty.
    std::string notice;
    /// Tensors with infinite or undefined values; the scores will be of no use.
    std::vector<std::string> non_finite_tensors;
};

/// A text from a file, for people: its beginning, without line breaks and other control characters.
[[nodiscard]] std::string one_line(std::string text);

/// Completes a model whose name, pre-processing, graph and parameters are known: simplifies, and reads sizes and
/// classes off the graph.
[[nodiscard]] std::shared_ptr<const Model> make_model(Model model,
                                                      const std::set<std::string, std::less<>>& disabled_passes = {});

}  // namespace vkseg
