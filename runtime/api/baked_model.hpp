#pragma once

#include "graph/ir/class_list.hpp"
#include "graph/plan/plan.hpp"
#include "graph/plan/tuned_choices.hpp"
#include "runtime/api/model.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

// A network in one file that needs no importer: names, pre-processing, classes, graph, constants and choices. Every
// member is checked on the way in, so the bytes may come from anywhere.

namespace vkseg {

struct BakedModel {
    std::shared_ptr<const Model> model;
    Choices choices;
    /// Nobody chose a precision: `choices.precision` is left to the device, fp16 on GPUs and fp32 on CPU drivers.
    bool precision_by_device = false;
    /// One for each class of the model, or none.
    ClassList classes;
    /// For devices that it was tuned on; of use where `misfit` has nothing against them.
    std::vector<TunedChoices> tuned{};
};

/// What `load_baked` takes besides the bytes.
struct BakedOptions {
    /// Size that the graphs shall stand at; 0 for the one that was baked.
    int width = 0;
    int height = 0;
    /// Names of simplifications to leave out.
    std::set<std::string, std::less<>> disabled_passes;
};

/// The whole file. A baked model gives the same scores as `model`, to the byte. Throws `Error` when `classes` has
/// another number of classes than the model, and is not empty, or when tuned choices are for another graph.
[[nodiscard]] std::vector<uint8_t> bake(const Model& model, const Choices& choices, const ClassList& classes,
                                        bool precision_by_device = false, const std::vector<TunedChoices>& tuned = {});

/// Throws `Error`, "baked network: " and one sentence, for bytes that are no baked network, damaged, or of a version
/// that this program does not know.
[[nodiscard]] BakedModel load_baked(std::span<const uint8_t> bytes, const BakedOptions& options = {});
/// The same from a file, which the sentence then names.
[[nodiscard]] BakedModel load_baked(const std::filesystem::path& file, const BakedOptions& options = {});

/// Whether a file begins like a baked network; false where it cannot be read.
[[nodiscard]] bool is_baked_file(const std::filesystem::path& file);

}  // namespace vkseg
