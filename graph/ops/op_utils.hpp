#pragma once

#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"

// What the shape rules and references of several operations share. Private to graph/ops.

namespace vkseg {

inline TensorDesc features(int64_t channels, int64_t height, int64_t width) {
    return {ValueKind::Features, {channels, height, width}};
}

/// "features 16x32x32"
std::string describe(const TensorDesc& desc);

/// Throws unless there are exactly `count` operands.
void expect_operands(Operands operands, size_t count);
/// Throws unless operand `index` is a feature map.
void expect_features(Operands operands, size_t index = 0);
/// Throws unless the constant is there and has exactly that shape. `what` is the constant's role: "weight".
void expect_constant(const Graph& graph, ConstId id, const Shape& shape, const char* what);

/// Operands of an operation with a size rule: `count` of its own and, for SizeRule::Kind::LikeOperand, one more.
void expect_operands(Operands operands, size_t count, const SizeRule& rule);
/// Output size by the rule, from the size of operand 0.
Axes output_size(const SizeRule& rule, Operands operands);

/// Throws when an attribute is below `low`: `expect_at_least("stride", stride, 1)`.
void expect_at_least(const char* what, Axes found, int low);
void expect_no_negative(const Padding& padding);

/// One channel of a feature map.
inline const float* channel(const HostValue& value, int64_t c) {
    return value.floats.data() + c * value.desc.shape[1] * value.desc.shape[2];
}
inline float* channel(HostValue& value, int64_t c) {
    return value.floats.data() + c * value.desc.shape[1] * value.desc.shape[2];
}

/// Where one output coordinate of a bilinear resampling reads: first * (1 - weight) + second * weight.
struct Tap {
    int first = 0;
    int second = 0;
    float weight = 0.0f;
};
/// Taps of `out` coordinates in float32, as PyTorch's CPU kernel computes them.
std::vector<Tap> bilinear_taps(int in, int out, bool align_corners);
/// Pixel whose area holds the output pixel's centre, in whole numbers: PIL's and OpenCV's exact nearest.
inline int nearest_centre(int dst, int in, int out) {
    return static_cast<int>((2 * static_cast<int64_t>(dst) + 1) * in / (2 * static_cast<int64_t>(out)));
}

/// Calls `work(i)` for i in [0, count) on all cores. Calls must not depend on each other, and must not throw.
void parallel_for(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace vkseg
