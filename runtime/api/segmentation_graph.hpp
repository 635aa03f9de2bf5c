#pragma once

#include "graph/ir/graph.hpp"
#include "graph/ir/preprocess.hpp"

namespace vkseg {

/// What is made of a picture besides its labels.
struct SegmentationOptions {
    /// The picture as it comes.
    int picture_width = 0;
    int picture_height = 0;
    PixelFormat format = PixelFormat::RGB8;
    /// For `PixelFormat::Image`.
    TexelReading texels{};
    /// What the network sees.
    int network_width = 0;
    int network_height = 0;
    /// How scores reach the picture's size; `Model::mask_sampling` is the network's published way.
    Sampling upsampling = Sampling::Nearest;
    bool labels = true;
    bool confidence = false;
    bool colour = false;
    bool overlay = false;
    /// The network's own, at their size.
    bool scores = false;
    /// Colour and overlay are BGRA8, else RGBA8.
    bool blue_first = false;
    /// Of the colour in the overlay, 0..256.
    int opacity = 128;
    /// 0xAABBGGRR by class; up to 256.
    std::vector<uint32_t> palette;

    bool operator==(const SegmentationOptions&) const = default;
};

/// Resize and normalisation of an RGB8 picture, as a network gets it.
[[nodiscard]] ImageToTensor picture_reading(const Preprocess& preprocess, Axes network_size);

/// Pixels in, labels (and what else was asked for) out, all at the picture's size: the network's graph with resize and
/// normalisation before it and argmax and colours behind it. Input: "picture". Outputs in this order, those that were
/// asked for: "labels", "confidence", "colour", "overlay", scores.
[[nodiscard]] Graph segmentation_graph(const Graph& network, const Preprocess& preprocess,
                                       const SegmentationOptions& options);

/// Pixels in, probabilities {classes, 1, 1} out: resize and normalisation before a classifier, softmax behind it.
[[nodiscard]] Graph classification_graph(const Graph& network, const Preprocess& preprocess, int picture_width,
                                         int picture_height, int network_width, int network_height);

}  // namespace vkseg
