#pragma once

#include "graph/fuse/fuse.hpp"

// The fusions, one file each.

namespace vkseg {

/// ESP module without its reduction: K dilated convolutions of one map, summed from branch to branch, concatenated,
/// with residual, scale and shift and activation. One dispatch.
extern const Pattern esp_pyramid;

/// The same of an EESP unit, whose convolutions are depthwise.
extern const Pattern eesp_pyramid;

/// A pyramid of either kind and one or two 1x1 convolutions behind it: those of its own module, and the one that
/// reduces for the next module. One dispatch, of up to two results.
extern const Pattern pyramid_unit;

/// Efficient pyramid pooling: branches that scale one map, convolve it depthwise and scale it back, concatenated, with
/// scale and shift and activation. One dispatch.
extern const Pattern scale_pyramid;

/// What makes the scores, a (transposed) convolution or a resize, and the class with the highest one. The scores are
/// never stored.
extern const Pattern score_head;

/// A convolution and one of a single row behind it, as in factorised units; or up to four such pairs that read one map
/// and sum up. What lies between them is never stored.
extern const Pattern conv_pair;

/// A convolution and a pooling of one map, concatenated, with scale and shift and activation: a strided unit with its
/// pooled shortcut.
extern const Pattern down_unit;

/// Scale and shift and activation of a value that only convolutions read, at their loads.
extern const Pattern norm_load;

/// A concatenation of two operands of which one belongs to another, and the convolution that reads it: it reads the
/// operands where they are.
extern const Pattern concat_load;

/// What a network begins with, a convolution, a pooling or both as a `down_unit`, on the bytes of the host's picture:
/// its map, and a scaled one, is never stored.
extern const Pattern picture_load;

/// The same on the host's floats.
extern const Pattern host_load;

/// A concatenation of maps that are scaled to its size, and the 1x1 convolution behind it, which scales what it reads.
extern const Pattern resize_load;

/// Two convolutions of one shape, on maps of their own and with weights of their own, of which neither waits for the
/// other: a small one beside a large one costs no dispatch.
extern const Pattern twin_conv;

/// A convolution and the product of its result with another value, mostly one number per channel.
extern const Pattern gated_conv;

/// A last (transposed) convolution or resize, of which only the host wants the result: it writes the host's floats.
extern const Pattern host_store;

}  // namespace vkseg
