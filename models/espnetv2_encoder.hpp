#pragma once

#include "graph/ir/config.hpp"
#include "models/layers.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// ESPNetv2: A Light-weight, Power Efficient, and General Purpose Convolutional Neural Network.
// S. Mehta, M. Rastegari, L. Shapiro, H. Hajishirzi, CVPR 2019. What its classifier and its segmentation networks
// share; names follow the published checkpoints.

namespace vkseg::espnetv2 {

/// Channels of the five levels and of the classifier's last convolution (Table 1).
struct Widths {
    double s;
    std::array<int, 6> channels;
};

/// The widths of config key "s"; throws `Error` that lists the six.
[[nodiscard]] const Widths& read_widths(const Config& config);
/// "s" with its meaning, for `NetworkInfo::config_keys`.
[[nodiscard]] std::pair<std::string, std::string> widths_key();

/// conv + batch norm + PReLU under the names conv, bn, act.
struct ConvOptions : layers::ConvOptions {
    bool activate = true;
};
ValueId conv_norm_act(Graph& graph, const Scope& scope, ValueId x, int out_channels, const ConvOptions& options = {});

/// Batch norm + PReLU.
ValueId norm_act(Graph& graph, const Scope& norm, const Scope& act, ValueId x);

/// EESP unit (section 3.2, Figure 1b), four branches. `limit` bounds the receptive fields of the branches: sizes 3, 5,
/// 7, 9 above it fall back to 3. With stride 2 the last PReLU is left to the caller.
ValueId eesp(Graph& graph, const Scope& scope, ValueId x, int out_channels, int limit, int stride = 1);

/// Strided EESP with the shortcut from the picture (section 3.2, Figure 1c). `picture`: the picture averaged to the
/// size of the result; without it the shortcut's tensors are expected in the checkpoint and never read.
ValueId strided_eesp(Graph& graph, const Scope& scope, ValueId x, int out_channels, int limit,
                     std::optional<ValueId> picture);

/// Features of levels 1 to 4: 1/2, 1/4, 1/8 and 1/16 of the picture.
struct Features {
    ValueId level1, level2, level3, level4;
};
Features encode(Graph& graph, const Scope& scope, ValueId image, const Widths& widths);

}  // namespace vkseg::espnetv2
