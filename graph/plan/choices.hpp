#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace vkseg {

enum class Precision : uint8_t {
    /// Activations in 32 bits.
    FP32,
    /// Activations stored in 16 bits, sums in 32.
    FP16,
};

/// What convolutions compute in, apart from how activations are stored.
enum class Arithmetic : uint8_t {
    /// Products and sums in 32 bits.
    FP32,
    /// Products in 16 bits, of which four at a time are summed in 16 bits; sums in 32. Only with activations in 16
    /// bits, on devices that say so, and in GPU-shaped convolutions (shaders/include/products.glsl); elsewhere FP32.
    FP16,
};

/// What is settled for one layer in place of the rule; zeros leave it to the rule.
struct LayerChoice {
    /// Output planes that a dispatch of a convolution computes at most.
    int planes = 0;
    /// Pixels of a row that an invocation of a GPU-shaped convolution computes.
    int pixels = 0;
    /// Unrolled multiply-adds of a CPU-shaped convolution's dispatch at most: more input planes are another dispatch.
    int unrolled_macs = 0;
    /// A convolution by its taps one by one where Winograd's minimal filtering is the rule. CPU-shaped.
    bool direct = false;
    /// The arena by device addresses instead of bindings, on devices with both. GPU-shaped kernels.
    bool addresses = false;
    /// A fused group, by its label: its members run one by one.
    bool separate = false;
    /// Computes in 32 bits where the plan does in 16: the layer would lose too much. By a convolution's name too, and
    /// then of whatever group it is in: graphs with other ends form other groups.
    bool fp32_arithmetic = false;

    bool operator==(const LayerChoice&) const = default;
};

/// By the label that the layer's dispatches have in the plan.
using LayerChoices = std::map<std::string, LayerChoice, std::less<>>;

/// What may differ between two plans of one graph on one device. Plain data: switches, tuning and self-checks only
/// make another `Choices` and compile again.
struct Choices {
    Precision precision = Precision::FP32;
    Arithmetic arithmetic = Arithmetic::FP32;
    /// Kernel families that must not be used: "cpu_shaped".
    std::set<std::string, std::less<>> denied_families;
    /// Fusions (graph/fuse) that must not happen, by name.
    std::set<std::string, std::less<>> disabled_fusions{};
    /// Results may take the memory of operands that nothing reads any more.
    bool in_place = true;
    LayerChoices layers{};

    [[nodiscard]] LayerChoice layer(std::string_view label) const {
        const auto found = layers.find(label);
        return found == layers.end() ? LayerChoice{} : found->second;
    }
    /// Takes over what tuning settled; switches stay as they are.
    void merge_tuned(const Choices& tuned) {
        precision = tuned.precision;
        arithmetic = tuned.arithmetic;
        denied_families.insert(tuned.denied_families.begin(), tuned.denied_families.end());
        disabled_fusions.insert(tuned.disabled_fusions.begin(), tuned.disabled_fusions.end());
        for (const auto& [label, choice] : tuned.layers) layers[label] = choice;
    }
    bool operator==(const Choices&) const = default;
};

/// "planes=4 pixels=2 separate"; "" for what is left to the rule.
[[nodiscard]] std::string to_string(const LayerChoice& choice);
/// The same back. Throws `Error` naming a word that is none of these, or a number that no kernel takes.
[[nodiscard]] LayerChoice parse_layer_choice(std::string_view text);

}  // namespace vkseg
