#pragma once

#include "graph/ir/tensor.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// Every operation of the graph on one page. Semantics are PyTorch's, at batch 1. To add one: a struct here, its name in
// `Op`, then graph/ops/<op>.cpp (shape rule and CPU reference), graph/lower/<op>.cpp, a shader and a test. An
// operation that is forgotten somewhere does not compile.

namespace vkseg {

using ConstId = int32_t;
constexpr ConstId no_constant = -1;

/// One number per spatial axis.
struct Axes {
    int h = 1;
    int w = 1;
    bool operator==(const Axes&) const = default;
};

/// Zeros around the borders, in pixels. A transposed convolution is cropped by as much.
struct Padding {
    int top = 0, bottom = 0, left = 0, right = 0;
    bool operator==(const Padding&) const = default;
};
[[nodiscard]] constexpr Padding pad_all(int h, int w) {
    return {h, h, w, w};
}

/// How the output size of a resampling operation follows from its operands, so that a graph has no fixed size.
struct SizeRule {
    enum class Kind : uint8_t {
        /// `fixed`
        Fixed,
        /// input size times `scale`, rounded, at least `minimum`
        Scaled,
        /// the height and width of the last operand, whose values are not read
        LikeOperand,
    };
    enum class Rounding : uint8_t { Floor, Ceil };
    Kind kind = Kind::Fixed;
    Axes fixed{};
    double scale = 1.0;
    Rounding rounding = Rounding::Floor;
    int minimum = 1;
    bool operator==(const SizeRule&) const = default;
};
[[nodiscard]] Axes resolve(const SizeRule& rule, Axes input, Axes like);

/// torch.nn.Conv2d. weight: OC x IC/groups x KH x KW; bias: OC.
struct Conv2d {
    ConstId weight = no_constant;
    ConstId bias = no_constant;
    Axes kernel{};
    Axes stride{};
    Axes dilation{};
    Padding padding{};
    int groups = 1;
    int out_channels = 0;
};

/// torch.nn.ConvTranspose2d. weight: IC x OC/groups x KH x KW; bias: OC.
struct ConvTranspose2d {
    ConstId weight = no_constant;
    ConstId bias = no_constant;
    Axes kernel{};
    Axes stride{};
    Axes dilation{};
    Padding padding{};
    Axes output_padding{0, 0};
    int groups = 1;
    int out_channels = 0;
};

/// torch.nn.BatchNorm2d in evaluation: (x - mean) / sqrt(variance + eps) * gamma + beta. All vectors of length C.
struct BatchNorm {
    ConstId gamma = no_constant;
    ConstId beta = no_constant;
    ConstId mean = no_constant;
    ConstId variance = no_constant;
    float eps = 1e-5f;
};

/// x * scale + shift per channel: what is left of a batch norm that no convolution could take.
struct ScaleShift {
    ConstId scale = no_constant;
    ConstId shift = no_constant;
};

struct Relu {};

/// x > 0 ? x : slope[c] * x. slope: C.
struct PRelu {
    ConstId slope = no_constant;
};

/// 1 / (1 + exp(-x))
struct Sigmoid {};

/// Sum of two values of one shape; the second may be C x 1 x 1 and counts for every pixel then.
struct Add {};

/// Product of two values of one shape; the second may be C x 1 x 1 and counts for every pixel then.
struct Multiply {};

/// Channels [begin, begin + count).
struct Slice {
    int begin = 0;
    int count = 0;
};

/// Channels in groups, transposed: channel g * (C/groups) + i becomes i * groups + g.
struct ChannelShuffle {
    int groups = 1;
};

/// torch.nn.Linear on C x 1 x 1. weight: OUT x C; bias: OUT.
struct Linear {
    ConstId weight = no_constant;
    ConstId bias = no_constant;
    int out_features = 0;
};

/// Over the channels of each pixel.
struct Softmax {};

/// Passes its operand on; carries an epilogue that found no other operation.
struct Identity {};

/// Concatenation over channels of two or more values.
struct Concat {};

/// torch.nn.MaxPool2d and AvgPool2d. A window that starts beyond the padded input is dropped (ceil mode).
struct Pool2d {
    enum class Kind : uint8_t { Max, Average };
    Kind kind = Kind::Max;
    Axes kernel{};
    Axes stride{};
    Axes padding{0, 0};
    /// Zeros of the padding count in the divisor (average only).
    bool count_include_pad = true;
    bool ceil_mode = false;
};

/// torch.nn.AdaptiveAvgPool2d: output pixel o averages input [floor(o*in/out), ceil((o+1)*in/out)) along each axis.
/// Size 1x1 is global average pooling.
struct AdaptiveAvgPool2d {
    SizeRule size{};
};

/// torch.nn.functional.interpolate.
struct Resize {
    enum class Mode : uint8_t { Bilinear, BilinearAligned, Nearest };
    Mode mode = Mode::Bilinear;
    SizeRule size{};
};

/// What the host's picture is: bytes in that order, or a sampled image of any format (for the reference: RGBA8).
enum class PixelFormat : uint8_t { RGB8, BGR8, RGBA8, BGRA8, Image };
[[nodiscard]] int bytes_per_pixel(PixelFormat format);

/// How texels of a sampled image become values in 0..255.
struct TexelReading {
    /// They are linear light (what sampling an sRGB image gives), but networks were trained on encoded pictures.
    bool linear = false;
    /// Rounded to whole values, so that 8-bit images give what their bytes would.
    bool rounded = true;
    bool operator==(const TexelReading&) const = default;
};

/// 8-bit picture to normalised features: plain bilinear sampling at pixel centres (no antialiasing) to the given
/// size, then (value - subtract[c]) * multiply[c], values in 0..255, c in the network's channel order.
struct ImageToTensor {
    PixelFormat format = PixelFormat::RGB8;
    TexelReading texels{};
    /// The network wants blue first.
    bool bgr = false;
    std::array<float, 3> subtract{0, 0, 0};
    std::array<float, 3> multiply{1, 1, 1};
    SizeRule size{};
};

/// How scores are read at a size that is not theirs. The two bilinear ones are those of Resize: at pixel centres, and
/// with aligned corners.
enum class Sampling : uint8_t { Nearest, Bilinear, BilinearAligned };

/// Index of the largest score per pixel (the first of equals), at any size. Scores have at most 256 channels.
struct Argmax {
    Sampling sampling = Sampling::Nearest;
    SizeRule size{};
};

/// Softmax probability of the winning class, 0..255, rounded to nearest.
struct Confidence {
    Sampling sampling = Sampling::Nearest;
    SizeRule size{};
};

/// Labels to 32-bit pixels by a palette of 256 colours (0xAABBGGRR). With a picture as second operand, of the labels'
/// size, the colour is blended over it: picture + (colour - picture) * opacity/256.
struct Colourise {
    std::vector<uint32_t> palette;
    /// 0..256; 256 shows the colour alone.
    int opacity = 256;
    /// Of the picture.
    PixelFormat format = PixelFormat::RGB8;
    TexelReading texels{};
    /// The result is BGRA8, else RGBA8.
    bool blue_first = false;
};

using Op = std::variant<Conv2d, ConvTranspose2d, Linear, BatchNorm, ScaleShift, Relu, PRelu, Sigmoid, Softmax, Add,
                        Multiply, Identity, Concat, Slice, ChannelShuffle, Pool2d, AdaptiveAvgPool2d, Resize,
                        ImageToTensor, Argmax, Confidence, Colourise>;

/// What is applied to an operation's result before it is stored, in this order.
struct Epilogue {
    enum class Activation : uint8_t { None, Relu, PRelu, Sigmoid };
    /// + the node's last operand, of the result's shape or C x 1 x 1
    bool add = false;
    /// * scale + shift per channel, when present
    ConstId scale = no_constant;
    ConstId shift = no_constant;
    Activation activation = Activation::None;
    ConstId slope = no_constant;

    [[nodiscard]] bool empty() const { return !add && scale == no_constant && activation == Activation::None; }
};

/// "conv2d", "prelu", ...: the name that texts and `--disable-pass` use.
[[nodiscard]] const char* op_name(const Op& op);

}  // namespace vkseg
