#pragma once

#include "graph/ops/ops.hpp"

#include <type_traits>

// Every field of every operation, once, for whoever writes them or reads them back. An archive takes constants, plain
// fields, and enums with their last value. The bindings name every member, so that an operation, or a member of one,
// that is forgotten here does not compile. What is stored changes with this page: raise the version in baked_model.cpp
// with it.

namespace vkseg {

template <typename Archive>
void fields(Archive& a, Axes& axes) {
    auto& [h, w] = axes;
    a.put(h, w);
}
template <typename Archive>
void fields(Archive& a, Padding& padding) {
    auto& [top, bottom, left, right] = padding;
    a.put(top, bottom, left, right);
}
template <typename Archive>
void fields(Archive& a, SizeRule& rule) {
    auto& [kind, fixed, scale, rounding, minimum] = rule;
    a.choice(kind, SizeRule::Kind::LikeOperand);
    a.put(fixed, scale);
    a.choice(rounding, SizeRule::Rounding::Ceil);
    a.put(minimum);
}
template <typename Archive>
void fields(Archive& a, Conv2d& op) {
    auto& [weight, bias, kernel, stride, dilation, padding, groups, out_channels] = op;
    a.constants(weight, bias);
    a.put(kernel, stride, dilation, padding, groups, out_channels);
}
template <typename Archive>
void fields(Archive& a, ConvTranspose2d& op) {
    auto& [weight, bias, kernel, stride, dilation, padding, output_padding, groups, out_channels] = op;
    a.constants(weight, bias);
    a.put(kernel, stride, dilation, padding, output_padding, groups, out_channels);
}
template <typename Archive>
void fields(Archive& a, Linear& op) {
    auto& [weight, bias, out_features] = op;
    a.constants(weight, bias);
    a.put(out_features);
}
template <typename Archive>
void fields(Archive& a, BatchNorm& op) {
    auto& [gamma, beta, mean, variance, eps] = op;
    a.constants(gamma, beta, mean, variance);
    a.put(eps);
}
template <typename Archive>
void fields(Archive& a, ScaleShift& op) {
    auto& [scale, shift] = op;
    a.constants(scale, shift);
}
template <typename Archive>
void fields(Archive& a, PRelu& op) {
    auto& [slope] = op;
    a.constants(slope);
}
template <typename Archive>
void fields(Archive& a, Slice& op) {
    auto& [begin, count] = op;
    a.put(begin, count);
}
template <typename Archive>
void fields(Archive& a, ChannelShuffle& op) {
    auto& [groups] = op;
    a.put(groups);
}
template <typename Archive>
void fields(Archive& a, Pool2d& op) {
    auto& [kind, kernel, stride, padding, count_include_pad, ceil_mode] = op;
    a.choice(kind, Pool2d::Kind::Average);
    a.put(kernel, stride, padding, count_include_pad, ceil_mode);
}
template <typename Archive>
void fields(Archive& a, AdaptiveAvgPool2d& op) {
    auto& [size] = op;
    a.put(size);
}
template <typename Archive>
void fields(Archive& a, Resize& op) {
    auto& [mode, size] = op;
    a.choice(mode, Resize::Mode::Nearest);
    a.put(size);
}
template <typename Archive>
void fields(Archive& a, ImageToTensor& op) {
    auto& [format, texels, bgr, subtract, multiply, size] = op;
    a.choice(format, PixelFormat::Image);
    a.put(texels.linear, texels.rounded, bgr);
    for (float& value : subtract) a.put(value);
    for (float& value : multiply) a.put(value);
    a.put(size);
}
template <typename Archive>
void fields(Archive& a, Argmax& op) {
    auto& [sampling, size] = op;
    a.choice(sampling, Sampling::BilinearAligned);
    a.put(size);
}
template <typename Archive>
void fields(Archive& a, Confidence& op) {
    auto& [sampling, size] = op;
    a.choice(sampling, Sampling::BilinearAligned);
    a.put(size);
}
template <typename Archive>
void fields(Archive& a, Colourise& op) {
    auto& [palette, opacity, format, texels, blue_first] = op;
    a.words(palette);
    a.put(opacity);
    a.choice(format, PixelFormat::Image);
    a.put(texels.linear, texels.rounded, blue_first);
}

/// Operations that are no more than their name.
template <typename Op>
concept Bare = std::is_empty_v<Op>;
template <typename Archive, Bare Op>
void fields(Archive&, Op&) {}

template <typename Archive>
void fields(Archive& a, Epilogue& epilogue) {
    auto& [add, scale, shift, activation, slope] = epilogue;
    a.put(add);
    a.constants(scale, shift, slope);
    a.choice(activation, Epilogue::Activation::Sigmoid);
}

}  // namespace vkseg
