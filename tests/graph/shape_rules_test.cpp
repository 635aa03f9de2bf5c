#include "tests/graph/support.hpp"

namespace vkseg::test {
namespace {

/// Message of the Error that adding `op` to operands of these kinds throws.
std::string refusal(Op op, const std::vector<TensorDesc>& operands, Graph graph = {}) {
    std::vector<ValueId> ids;
    for (const TensorDesc& desc : operands) ids.push_back(graph.add_input("x", desc));
    return error_of([&] { graph.add("layer", std::move(op), ids); });
}

struct ConvFixture {
    Graph graph;
    Conv2d conv{.kernel = {3, 3}, .out_channels = 8};
    ConvFixture() { conv.weight = graph.add_constant("w", Tensor({8, 4, 3, 3})); }
};

TEST(ShapeRuleTest, MessagesNameTheNode) {
    EXPECT_EQ(refusal(Add{}, {features(1, 2, 3)}), "'layer' (add): expects 2 operands, found 1");
    EXPECT_EQ(refusal(Relu{}, {labels(2, 3)}), "'layer' (relu): operand 0 must be features, found labels 1x2x3");
}

TEST(ShapeRuleTest, ConvolutionsRefuseWhatDoesNotFit) {
    const auto refused = [](auto change, const TensorDesc& input) {
        ConvFixture fixture;
        change(fixture);
        return refusal(fixture.conv, {input}, fixture.graph);
    };
    const auto nothing = [](ConvFixture&) {};
    EXPECT_EQ(refused(nothing, features(5, 9, 9)),
              "'layer' (conv2d): weight 'w' must have shape 8x5x3x3, found 8x4x3x3");
    EXPECT_EQ(refused(nothing, features(4, 2, 9)),
              "'layer' (conv2d): window of 3 is larger than the padded height of 2");
    EXPECT_EQ(refused(
                  [](ConvFixture& f) {
                      f.conv.dilation = {1, 4};
                  },
                  features(4, 9, 8)),
              "'layer' (conv2d): window of 9 is larger than the padded width of 8");
    EXPECT_EQ(refused([](ConvFixture& f) { f.conv.groups = 3; }, features(4, 9, 9)),
              "'layer' (conv2d): groups 3 must divide the 4 input and 8 output channels");
    EXPECT_EQ(refused(
                  [](ConvFixture& f) {
                      f.conv.stride = {0, 1};
                  },
                  features(4, 9, 9)),
              "'layer' (conv2d): stride must be at least 1, found 0x1");
    EXPECT_EQ(refused([](ConvFixture& f) { f.conv.padding.left = -1; }, features(4, 9, 9)),
              "'layer' (conv2d): padding must not be negative, found top 0 bottom 0 left -1 right 0");
    EXPECT_EQ(refused([](ConvFixture& f) { f.conv.weight = 7; }, features(4, 9, 9)),
              "'layer' (conv2d): weight of shape 8x4x3x3 is missing");
    EXPECT_EQ(refused([](ConvFixture& f) { f.conv.bias = f.graph.add_constant("b", Tensor({4})); }, features(4, 9, 9)),
              "'layer' (conv2d): bias 'b' must have shape 8, found 4");
}

TEST(ShapeRuleTest, TransposedConvolutionsRefuseWhatDoesNotFit) {
    Graph graph;
    ConvTranspose2d conv{
        .weight = graph.add_constant("w", Tensor({4, 8, 2, 2})), .kernel = {2, 2}, .stride = {2, 2}, .out_channels = 8};
    EXPECT_EQ(refusal(conv, {features(3, 9, 9)}, graph),
              "'layer' (conv_transpose2d): weight 'w' must have shape 3x8x2x2, found 4x8x2x2");
    conv.output_padding = {2, 0};
    EXPECT_EQ(refusal(conv, {features(4, 9, 9)}, graph),
              "'layer' (conv_transpose2d): output_padding 2x0 must be smaller than the stride or the dilation");
    conv.output_padding = {0, 0};
    conv.padding = pad_all(0, 1);
    EXPECT_EQ(refusal(conv, {features(4, 9, 1)}, graph), "'layer' (conv_transpose2d): padding 2 crops the whole width");
}

TEST(ShapeRuleTest, VectorsHaveOneEntryPerChannel) {
    Graph graph;
    const ConstId three = graph.add_constant("three", Tensor({3}));
    const ConstId four = graph.add_constant("four", Tensor({4}));
    EXPECT_EQ(refusal(PRelu{four}, {features(3, 1, 1)}, graph),
              "'layer' (prelu): slope 'four' must have shape 3, found 4");
    EXPECT_EQ(refusal(ScaleShift{three, four}, {features(3, 1, 1)}, graph),
              "'layer' (scale_shift): shift 'four' must have shape 3, found 4");
    EXPECT_EQ(refusal(BatchNorm{three, three, three, four}, {features(3, 1, 1)}, graph),
              "'layer' (batch_norm): variance 'four' must have shape 3, found 4");
}

TEST(ShapeRuleTest, ValuesThatMeetHaveOneSize) {
    EXPECT_EQ(refusal(Add{}, {features(3, 4, 5), features(3, 4, 6)}),
              "'layer' (add): expects two values of one shape, or a second one of 3x1x1, found 3x4x5 and 3x4x6");
    EXPECT_EQ(refusal(Concat{}, {features(3, 4, 5), features(9, 4, 5), features(3, 2, 5)}),
              "'layer' (concat): expects operands of one height and width, found operand 0 of 3x4x5 and operand 2 of "
              "3x2x5");
    EXPECT_EQ(refusal(Concat{}, {features(3, 4, 5)}), "'layer' (concat): expects two or more operands, found 1");
}

TEST(ShapeRuleTest, PoolsRefuseWhatPyTorchRefuses) {
    Pool2d pool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {2, 2}};
    EXPECT_EQ(refusal(pool, {features(1, 8, 8)}),
              "'layer' (pool2d): padding 2 must be at most half of the height window of 3");
    pool.padding = {0, 0};
    EXPECT_EQ(refusal(pool, {features(1, 8, 2)}), "'layer' (pool2d): window of 3 is larger than the padded width of 2");
}

TEST(ShapeRuleTest, SizesArePositiveAndTheirOperandIsThere) {
    EXPECT_EQ(refusal(Resize{Resize::Mode::Nearest, {.fixed = {0, 4}}}, {features(1, 8, 8)}),
              "'layer' (resize): output size must be positive, found 0x4");
    EXPECT_EQ(refusal(Resize{Resize::Mode::Nearest, {.kind = SizeRule::Kind::LikeOperand}}, {features(1, 8, 8)}),
              "'layer' (resize): expects 2 operands, found 1");
}

TEST(ShapeRuleTest, PicturesAndLabelsAreChecked) {
    EXPECT_EQ(refusal(ImageToTensor{.format = PixelFormat::RGBA8}, {pixels(2, 2, 3)}),
              "'layer' (image_to_tensor): expects pixels of 4 bytes, found pixels 2x2x3");
    EXPECT_EQ(refusal(Argmax{}, {features(257, 2, 2)}),
              "'layer' (argmax): expects at most 256 classes because labels are bytes, found 257");
    EXPECT_EQ(refusal(Confidence{}, {labels(2, 2)}),
              "'layer' (confidence): operand 0 must be features, found labels 1x2x2");
    Colourise colourise{.palette = std::vector<uint32_t>(256)};
    EXPECT_EQ(refusal(colourise, {labels(2, 2), pixels(2, 3, 3)}),
              "'layer' (colourise): operand 1 must be pixels 2x2x3, found pixels 2x3x3");
    colourise.opacity = 300;
    EXPECT_EQ(refusal(colourise, {labels(2, 2)}), "'layer' (colourise): opacity must be from 0 to 256, found 300");
    colourise.palette.pop_back();
    EXPECT_EQ(refusal(colourise, {labels(2, 2)}), "'layer' (colourise): palette must have 256 colours, found 255");
}

TEST(ShapeRuleTest, EpiloguesAreChecked) {
    const auto refused = [](const Op& op, const Epilogue& epilogue, const std::vector<TensorDesc>& operands,
                            const Graph& graph) {
        Node node{op, {}, no_value, epilogue, "layer"};
        return error_of([&] { (void)infer(node, graph, operands); });
    };
    Graph graph;
    const ConstId three = graph.add_constant("three", Tensor({3}));
    EXPECT_EQ(refused(Identity{}, {.add = true}, {features(2, 4, 4), features(2, 4, 3)}, graph),
              "the added operand must be features 2x4x4, found features 2x4x3");
    EXPECT_EQ(refused(Identity{}, {.scale = three, .shift = three}, {features(2, 4, 4)}, graph),
              "scale 'three' must have shape 2, found 3");
    EXPECT_EQ(refused(Identity{}, {.activation = Epilogue::Activation::PRelu}, {features(2, 4, 4)}, graph),
              "slope of shape 2 is missing");
    EXPECT_EQ(
        refused(Concat{}, {.activation = Epilogue::Activation::Relu}, {features(2, 4, 4), features(2, 4, 4)}, graph),
        "this operation cannot carry an epilogue");
}

}  // namespace
}  // namespace vkseg::test
