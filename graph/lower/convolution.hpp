#pragma once

#include "graph/lower/lower.hpp"

namespace vkseg {

/// Weights of a convolution, normal or transposed.
struct ConvWeights {
    ConstId weight = no_constant;
    ConstId bias = no_constant;
    bool transposed = false;
    int groups = 1;
    int in_channels = 0;
    int out_channels = 0;
    /// Applied to what is read, before the weights (GPU-shaped).
    Epilogue prologue{};
};

/// A plain convolution whose outputs lie `out_step` apart from `out_offset` on: a phase of a transposed convolution
/// is one too.
struct ConvGeometry {
    /// Kernel elements (kh, kw), row after row; kernel.h x kernel.w of them. -1 for a tap of zeros.
    std::vector<std::array<int, 2>> taps;
    Axes kernel{};
    Axes stride{};
    Axes dilation{};
    /// Input position of tap 0 for output 0.
    Axes origin{0, 0};
    /// Computed outputs.
    Axes grid{};
    Axes out_step{};
    Axes out_offset{0, 0};
    /// All phases of a transposed convolution in one dispatch (GPU-shaped): taps of each, phase rows one after another,
    /// filled up to kernel.h x kernel.w. `taps` and `out_offset` are then not used, `origin` is that of the first
    /// phase.
    std::vector<std::vector<std::array<int, 2>>> phase_taps;
    Axes phases{};
    Axes phase_origin{0, 0};
    /// As in push::Conv.
    uint32_t phase_tap_counts = 0;
};

[[nodiscard]] std::vector<std::array<int, 2>> all_taps(Axes kernel);

/// One filter for each of `in_channels` channels.
[[nodiscard]] bool is_depthwise(const Conv2d& op, int in_channels);

/// Packs weights and bias of a convolution without groups for the output channels of `slots`; gives the weights' index.
int pack_convolution(const Conv2d& op, const ChannelMap& in, const std::vector<int>& slots,
                     catalog::Arithmetic arithmetic, LowerContext& context);

/// Dispatches of a convolution that reads through `prologue`; it is none of the depthwise ones if there is any.
void lower_conv2d(const Conv2d& op, const Node& node, const Epilogue& prologue, LowerContext& context);

/// Place of the pixels of an invocation among the specialisation constants of conv2d.comp.
constexpr size_t conv_pixels_constant = 9;
/// Of a switch among the specialisation constants of conv2d.comp: the input is two operands, one after the other.
constexpr size_t conv_split_constant = 14;
/// And of another, also of depthwise_conv2d.comp: the result is multiplied by the second operand.
constexpr size_t conv_gate_constant = 15, depthwise_gate_constant = 9;

/// Dispatches of conv2d.comp that compute `node` in this geometry, epilogue included.
void lower_convolution(const ConvWeights& weights, const ConvGeometry& geometry, const Node& node,
                       LowerContext& context);

}  // namespace vkseg
