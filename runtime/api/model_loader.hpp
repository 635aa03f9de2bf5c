#pragma once

#include "graph/ir/config.hpp"
#include "runtime/api/model.hpp"

#include <filesystem>
#include <optional>

namespace vkseg {

struct ModelOptions {
    std::string network = "espnet";
    Config config;
    /// Trained weights; none for made-up ones (planning, timing).
    std::optional<std::filesystem::path> weights;
    /// Names of simplifications to leave out.
    std::set<std::string, std::less<>> disabled_passes;
};

/// Reads weights, builds and simplifies. `width` and `height` 0 take the size that the weights' metadata gives as
/// `input_size`, else the network's default. Throws `Error` naming
/// file, tensor or key.
[[nodiscard]] std::shared_ptr<const Model> load_model(const ModelOptions& options, int width = 0, int height = 0);

}  // namespace vkseg
