#include "tests/graph/support.hpp"

#include <limits>

namespace vkseg::test {
namespace {

const HostValue two_channels = feature_value(2, 1, 3, {-2, 0, 4, -1, 0.5f, 3});

TEST(BatchNormTest, IsTheFormulaOfEvaluation) {
    // F.batch_norm(x, mean=[1, -2], var=[4, 0.25], weight=[2, 3], bias=[0.5, -1], eps=1e-3) in PyTorch 1.13.
    Graph graph;
    BatchNorm norm;
    norm.gamma = graph.add_constant("gamma", Tensor({2}, {2, 3}));
    norm.beta = graph.add_constant("beta", Tensor({2}, {0.5f, -1}));
    norm.mean = graph.add_constant("mean", Tensor({2}, {1, -2}));
    norm.variance = graph.add_constant("variance", Tensor({2}, {4, 0.25f}));
    norm.eps = 1e-3f;
    expect_near(run_op(norm, {two_channels}, graph).floats,
                {-2.49962507f, -0.499875023f, 3.49962507f, 4.98803588f, 13.9700897f, 28.9401794f}, 1e-5f);
}

TEST(ScaleShiftTest, IsPerChannel) {
    Graph graph;
    ScaleShift affine{graph.add_constant("scale", Tensor({2}, {2, -1})),
                      graph.add_constant("shift", Tensor({2}, {1, 0.5f}))};
    EXPECT_EQ(run_op(affine, {two_channels}, graph).floats, (std::vector<float>{-3, 1, 9, 1.5f, 0, -2.5f}));
}

TEST(ActivationTest, ReluCutsAndPassesNan) {
    EXPECT_EQ(run_op(Relu{}, {two_channels}).floats, (std::vector<float>{0, 0, 4, 0, 0.5f, 3}));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(run_op(Relu{}, {feature_value(1, 1, 1, {nan})}).floats[0]));
}

TEST(ActivationTest, PReluHasOneSlopePerChannel) {
    Graph graph;
    PRelu prelu{graph.add_constant("slope", Tensor({2}, {0.25f, -2}))};
    EXPECT_EQ(run_op(prelu, {two_channels}, graph).floats, (std::vector<float>{-0.5f, 0, 4, 2, 0.5f, 3}));
}

TEST(AddTest, SumsElementByElement) {
    const HostValue other = feature_value(2, 1, 3, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(run_op(Add{}, {two_channels, other}).floats, (std::vector<float>{-1, 2, 7, 3, 5.5f, 9}));
}

TEST(ConcatTest, PutsChannelsOneAfterAnother) {
    const HostValue one = feature_value(1, 1, 3, {7, 8, 9});
    const HostValue result = run_op(Concat{}, {one, two_channels, one});
    EXPECT_EQ(result.desc, features(4, 1, 3));
    EXPECT_EQ(result.floats, (std::vector<float>{7, 8, 9, -2, 0, 4, -1, 0.5f, 3, 7, 8, 9}));
}

TEST(EpilogueTest, AddsThenScalesThenActivates) {
    Graph graph;
    Epilogue epilogue;
    epilogue.add = true;
    epilogue.scale = graph.add_constant("scale", Tensor({2}, {2, -1}));
    epilogue.shift = graph.add_constant("shift", Tensor({2}, {1, 0.5f}));
    epilogue.activation = Epilogue::Activation::PRelu;
    epilogue.slope = graph.add_constant("slope", Tensor({2}, {0.5f, 4}));
    const HostValue other = feature_value(2, 1, 3, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(run_op(Identity{}, {two_channels, other}, graph, epilogue).floats,
              (std::vector<float>{-0.5f, 5, 15, -10, -20, -34}));
    epilogue.activation = Epilogue::Activation::Relu;
    epilogue.slope = no_constant;
    EXPECT_EQ(run_op(Identity{}, {two_channels, other}, graph, epilogue).floats,
              (std::vector<float>{0, 5, 15, 0, 0, 0}));
}

TEST(EpilogueTest, FindsTheAddedOperandBehindTheOneThatGivesTheSize) {
    Epilogue epilogue;
    epilogue.add = true;
    Resize resize{Resize::Mode::Nearest, {.kind = SizeRule::Kind::LikeOperand}};
    const std::vector<HostValue> operands = {feature_value(1, 1, 1, {10.0f}), pattern(3, 1, 2),
                                             feature_value(1, 1, 2, {1, 2})};
    EXPECT_EQ(run_op(resize, operands, {}, epilogue).floats, (std::vector<float>{11, 12}));
}

}  // namespace
}  // namespace vkseg::test
