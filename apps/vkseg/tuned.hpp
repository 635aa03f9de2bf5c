#pragma once

#include "apps/vkseg/support.hpp"
#include "graph/plan/tuned_choices.hpp"
#include "runtime/tuner.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Where tuned choices come from: a file that is named, the user's cache, a baked network, or measuring now.

namespace vkseg::app {

/// The file in the user's cache for a network on a device; empty when there is no cache folder.
[[nodiscard]] std::filesystem::path tuned_path(const Model& model, const DeviceFacts& facts);

/// Throws `Error`, one sentence with the file's name.
[[nodiscard]] TunedChoices read_tuned(const std::filesystem::path& file);

/// The first that fits model, device and wanted precision: of `--choices`, the user's cache, `baked`. What does not fit
/// is warned of and left; a file of `--choices` that is not there throws. Nothing with `--no-tuned`.
[[nodiscard]] std::optional<TunedChoices> find_tuned(const CommonOptions& options, const Model& model,
                                                     const DeviceFacts& facts, PrecisionChoice wanted,
                                                     const std::vector<TunedChoices>& baked);

struct Tuned {
    TunedChoices choices;
    TuningReport report;
};
/// Measures; shows progress on a terminal.
[[nodiscard]] Tuned tune_model(const Model& model, Context& context, const Choices& choices, int rounds);

/// What tuning found, or with `--tune` finds now, on top of what the options say.
void use_tuned(RunnerOptions& runner, const CommonOptions& options, const Model& model, Context* context,
               const std::vector<TunedChoices>& baked);

}  // namespace vkseg::app
