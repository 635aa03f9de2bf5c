#pragma once

#include "models/network.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace vkseg {

struct ModelOptions {
    std::string network = "espnet";
    Config config;
    /// Trained weights; none for made-up ones (planning, timing).
    std::optional<std::filesystem::path> weights;
    /// Names of simplifications to leave out.
    std::set<std::string, std::less<>> disabled_passes;
};

/// A network with its weights, simplified and ready to be planned for any size. Immutable; may be shared between
/// runners and threads.
struct Model {
    std::string network;
    Preprocess preprocess;
    /// As built, before any simplification: what the reference runs.
    Graph graph;
    Graph simplified;
    uint64_t parameters = 0;
    int classes = 0;
    /// Size that the graphs stand at.
    int width = 0;
    int height = 0;
    /// Tensors with infinite or undefined values; the scores will be of no use.
    std::vector<std::string> non_finite_tensors;
};

/// Reads weights, builds and simplifies. `width` and `height` 0 take the network's default size. Throws `Error` naming
/// file, tensor or key.
[[nodiscard]] std::shared_ptr<const Model> load_model(const ModelOptions& options, int width = 0, int height = 0);

}  // namespace vkseg
