#include "tests/graph/builder.hpp"

namespace vkseg::test {
namespace {

TEST(FoldBatchnormTest, NoModify) {
    Builder b;
    const ValueId x = b.conv("conv", b.input(), 4);
    b.output(b.prelu("act", b.scale_shift("affine", x)));
    expect_no_change(fold_batchnorm, b.graph);
}

TEST(FoldBatchnormTest, FoldsIntoAConvolutionWithoutBias) {
    Builder b;
    b.output(b.relu("act", b.batch_norm("bn", b.conv("conv", b.input(), 4))));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fold_batchnorm, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%2 = conv2d(%0) weight=conv.weight.folded:4x2x3x3 bias=conv.bias.folded pad=1 : 4x4x6  "
                             "\"conv\"\n"
                             "%3 = relu(%2) : 4x4x6  \"act\"\n"
                             "output %3\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FoldBatchnormTest, FoldsIntoGroupsAndAnOldBias) {
    Builder b;
    b.output(b.batch_norm("bn", b.conv("conv", b.input(4), 6, true, 2)));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fold_batchnorm, b.graph,
                             "%0 = input : 4x4x6  \"image\"\n"
                             "%2 = conv2d(%0) weight=conv.weight.folded:6x2x3x3 bias=conv.bias.folded pad=1 groups=2 : "
                             "6x4x6  \"conv\"\n"
                             "output %2\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FoldBatchnormTest, FoldsIntoATransposedConvolution) {
    // The weight's layout is another, and with groups its output channels are not in one row.
    for (int groups : {1, 2}) {
        Builder b;
        b.output(b.batch_norm("bn", b.conv_transpose("up", b.input(4), 6, groups == 2, groups)));
        const Graph before = b.graph;
        EXPECT_TRUE(fold_batchnorm(b.graph));
        verify(b.graph, "fold_batchnorm");
        EXPECT_EQ(b.graph.nodes.size(), 1u);
        expect_same_outputs(before, b.graph, 1e-6);
    }
}

TEST(FoldBatchnormTest, LeavesTheOldConstantsAlone) {
    // Two convolutions share one weight; only one of them has a batch norm.
    Builder b;
    const ValueId image = b.input();
    const ValueId one = b.conv("conv", image, 2);
    const Op shared = b.graph.nodes[0].op;
    const ValueId other = b.graph.add("other", shared, {image});
    b.output(b.concat("join", {b.batch_norm("bn", one), other}));
    const Graph before = b.graph;
    EXPECT_TRUE(fold_batchnorm(b.graph));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FoldBatchnormTest, FoldsOneAfterAnother) {
    Builder b;
    b.output(b.batch_norm("bn2", b.batch_norm("bn1", b.conv("conv", b.input(), 4))));
    const Graph before = b.graph;
    EXPECT_TRUE(fold_batchnorm(b.graph));
    EXPECT_EQ(b.graph.nodes.size(), 1u);
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FoldBatchnormTest, KeepsWhatNoConvolutionCanTake) {
    Builder b;
    const ValueId image = b.input();
    const ValueId used_twice = b.conv("conv", image, 2);
    const ValueId after_concat = b.batch_norm("bn1", b.concat("join", {used_twice, image}));
    const ValueId after_output = b.conv("seen", after_concat, 2);
    b.output(after_output);
    b.output(b.batch_norm("bn3", after_output));
    b.output(b.batch_norm("bn2", used_twice));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fold_batchnorm, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%1 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 : 2x4x6  \"conv\"\n"
                             "%2 = concat(%1, %0) : 4x4x6  \"join\"\n"
                             "%3 = scale_shift(%2) scale=bn1.scale shift=bn1.shift : 4x4x6  \"bn1\"\n"
                             "%4 = conv2d(%3) weight=seen.weight:2x4x3x3 pad=1 : 2x4x6  \"seen\"\n"
                             "%5 = scale_shift(%4) scale=bn3.scale shift=bn3.shift : 2x4x6  \"bn3\"\n"
                             "%6 = scale_shift(%1) scale=bn2.scale shift=bn2.shift : 2x4x6  \"bn2\"\n"
                             "output %4, %5, %6\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FoldBatchnormTest, DoesNotReachPastAnEpilogue) {
    Builder b;
    const ValueId x = b.conv("conv", b.input(), 2);
    b.graph.nodes[0].epilogue.activation = Epilogue::Activation::Relu;
    b.output(b.batch_norm("bn", x));
    const Graph before = b.graph;
    EXPECT_TRUE(fold_batchnorm(b.graph));
    EXPECT_EQ(b.graph.nodes.size(), 2u);
    expect_same_outputs(before, b.graph, 1e-6);
}

}  // namespace
}  // namespace vkseg::test
