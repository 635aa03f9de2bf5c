#include "tests/graph/builder.hpp"

namespace vkseg::test {
namespace {

TEST(PrintTest, ShowsOneLinePerNodeWithoutDefaults) {
    Builder b;
    const ValueId image = b.input(3, 8, 16);
    const ValueId first = b.conv("level1.conv", image, 4, true);
    const ValueId up = b.conv_transpose("up", first, 2);
    b.output(up);
    b.output(first);
    auto& conv = std::get<Conv2d>(b.graph.nodes[0].op);
    conv.stride = {2, 1};
    conv.dilation = {2, 2};
    conv.padding = {2, 2, 2, 2};
    auto& transposed = std::get<ConvTranspose2d>(b.graph.nodes[1].op);
    transposed.output_padding = {1, 1};
    transposed.padding = {0, 1, 0, 1};
    b.graph.infer_shapes();
    EXPECT_EQ(to_string(b.graph),
              "%0 = input : 3x8x16  \"image\"\n"
              "%1 = conv2d(%0) weight=level1.conv.weight:4x3x3x3 bias=level1.conv.bias stride=2x1 dilation=2x2 pad=2 : "
              "4x4x16  \"level1.conv\"\n"
              "%2 = conv_transpose2d(%1) weight=up.weight:4x2x2x2 stride=2x2 pad=0,1,0,1 output_padding=1x1 : "
              "2x8x32  \"up\"\n"
              "output %2, %1\n");
}

TEST(PrintTest, ShowsTheEpilogueInItsOrder) {
    Builder b;
    const ValueId image = b.input(2);
    b.output(b.conv("a", image, 2));
    Node& node = b.graph.nodes[0];
    node.inputs.push_back(image);
    node.epilogue.add = true;
    node.epilogue.scale = b.graph.add_constant("bn.scale", Tensor({2}));
    node.epilogue.shift = b.graph.add_constant("bn.shift", Tensor({2}));
    node.epilogue.activation = Epilogue::Activation::PRelu;
    node.epilogue.slope = b.graph.add_constant("act.weight", Tensor({2}));
    EXPECT_EQ(to_string(b.graph),
              "%0 = input : 2x4x6  \"image\"\n"
              "%1 = conv2d(%0) weight=a.weight:2x2x3x3 pad=1 + add(%0) scale_shift(bn.scale, bn.shift) "
              "prelu(act.weight) : 2x4x6  \"a\"\n"
              "output %1\n");
}

TEST(PrintTest, ShowsEveryOtherOperation) {
    using Kind = SizeRule::Kind;
    Builder b;
    Graph& graph = b.graph;
    const ValueId picture = graph.add_input("picture", pixels(8, 12, 4));
    const ValueId image = graph.add(
        "normalise",
        ImageToTensor{PixelFormat::BGRA8, {}, true, {1.5f, 2, 3}, {0.5f, 1, 1}, {.kind = Kind::Scaled, .scale = 0.5}},
        {picture});
    const ValueId norm = b.scale_shift("affine", b.batch_norm("bn", image));
    const ValueId active = b.relu("relu", b.prelu("act", norm));
    const ValueId pooled = graph.add("pool", Pool2d{Pool2d::Kind::Average, {3, 3}, {2, 2}, {1, 1}, false, true},
                                     {graph.add("same", Identity{}, {active})});
    const ValueId most = graph.add("max", Pool2d{.kernel = {1, 2}}, {active});
    SizeRule fifth{.kind = Kind::Scaled, .scale = 0.2, .rounding = SizeRule::Rounding::Ceil, .minimum = 5};
    const ValueId resized = graph.add("down", Resize{Resize::Mode::BilinearAligned, fifth}, {most});
    const ValueId back = graph.add("back", Resize{Resize::Mode::Nearest, {.kind = Kind::LikeOperand}},
                                   {b.concat("join", {pooled, pooled}), active});
    const ValueId scores = b.add("sum", back, back);
    const ValueId classes = graph.add("classes", Argmax{Sampling::Bilinear, {.fixed = {8, 12}}}, {scores});
    graph.outputs = {
        graph.add("confidence", Confidence{Sampling::Nearest, {.fixed = {8, 12}}}, {scores}),
        graph.add("paint", Colourise{std::vector<uint32_t>(256), 128, PixelFormat::BGRA8}, {classes, picture}),
        resized};
    EXPECT_EQ(to_string(graph),
              "%0 = input : pixels 8x12x4  \"picture\"\n"
              "%1 = image_to_tensor(%0) format=bgra8 bgr=true subtract=1.5,2,3 multiply=0.5,1,1 scale=0.5 : 3x4x6  "
              "\"normalise\"\n"
              "%2 = batch_norm(%1) gamma=bn.weight beta=bn.bias mean=bn.running_mean variance=bn.running_var eps=0.001 "
              ": 3x4x6  \"bn\"\n"
              "%3 = scale_shift(%2) scale=affine.scale shift=affine.shift : 3x4x6  \"affine\"\n"
              "%4 = prelu(%3) slope=act.weight : 3x4x6  \"act\"\n"
              "%5 = relu(%4) : 3x4x6  \"relu\"\n"
              "%6 = identity(%5) : 3x4x6  \"same\"\n"
              "%7 = pool2d(%6) average kernel=3x3 stride=2x2 pad=1 count_include_pad=false ceil_mode=true : 3x3x4  "
              "\"pool\"\n"
              "%8 = pool2d(%5) max kernel=1x2 : 3x4x5  \"max\"\n"
              "%9 = resize(%8) bilinear_aligned scale=0.2 rounding=ceil minimum=5 : 3x5x5  \"down\"\n"
              "%10 = concat(%7, %7) : 6x3x4  \"join\"\n"
              "%11 = resize(%10, %5) nearest size=like_operand : 6x4x6  \"back\"\n"
              "%12 = add(%11, %11) : 6x4x6  \"sum\"\n"
              "%13 = argmax(%12) bilinear size=8x12 : labels 1x8x12  \"classes\"\n"
              "%14 = confidence(%12) nearest size=8x12 : labels 1x8x12  \"confidence\"\n"
              "%15 = colourise(%13, %0) opacity=128 format=bgra8 : pixels 8x12x4  \"paint\"\n"
              "output %14, %15, %9\n");
}

}  // namespace
}  // namespace vkseg::test
