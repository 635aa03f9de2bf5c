#include "tests/graph/builder.hpp"

namespace vkseg::test {
namespace {

TEST(FuseEpilogueTest, NoModify) {
    Builder b;
    const ValueId x = b.conv("conv", b.input(), 4);
    b.output(b.concat("join", {b.pool("pool", x), b.pool("again", x)}));
    expect_no_change(fuse_epilogue, b.graph);
}

TEST(FuseEpilogueTest, MovesAllStagesIntoTheConvolution) {
    Builder b;
    const ValueId image = b.input();
    const ValueId sum = b.add("sum", image, b.conv("conv", image, 2));
    b.output(b.prelu("act", b.scale_shift("affine", sum)));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%4 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 + add(%0) "
                             "scale_shift(affine.scale, affine.shift) prelu(act.weight) : 2x4x6  \"conv\"\n"
                             "output %4\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, AddsToTheOperandMadeLast) {
    // Whichever side of the sum it stands on.
    for (bool swapped : {false, true}) {
        Builder b;
        const ValueId image = b.input();
        const ValueId first = b.conv("first", image, 2), second = b.conv("second", image, 2);
        b.output(swapped ? b.add("sum", second, first) : b.add("sum", first, second));
        EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                                 "%0 = input : 2x4x6  \"image\"\n"
                                 "%1 = conv2d(%0) weight=first.weight:2x2x3x3 pad=1 : 2x4x6  \"first\"\n"
                                 "%3 = conv2d(%0) weight=second.weight:2x2x3x3 pad=1 + add(%1) : 2x4x6  \"second\"\n"
                                 "output %3\n"));
    }
}

TEST(FuseEpilogueTest, FusesAChainOfSums) {
    // Hierarchical fusion of the ESP module: every sum goes into the convolution that completes it.
    Builder b;
    const ValueId image = b.input();
    const ValueId d1 = b.conv("d1", image, 2), d2 = b.conv("d2", image, 2), d4 = b.conv("d4", image, 2);
    const ValueId a4 = b.add("a4", d2, d4);
    const ValueId d8 = b.conv("d8", image, 2);
    b.output(b.concat("join", {d1, d2, a4, b.add("a8", a4, d8)}));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%1 = conv2d(%0) weight=d1.weight:2x2x3x3 pad=1 : 2x4x6  \"d1\"\n"
                             "%2 = conv2d(%0) weight=d2.weight:2x2x3x3 pad=1 : 2x4x6  \"d2\"\n"
                             "%4 = conv2d(%0) weight=d4.weight:2x2x3x3 pad=1 + add(%2) : 2x4x6  \"d4\"\n"
                             "%6 = conv2d(%0) weight=d8.weight:2x2x3x3 pad=1 + add(%4) : 2x4x6  \"d8\"\n"
                             "%7 = concat(%1, %2, %4, %6) : 8x4x6  \"join\"\n"
                             "output %7\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, AConcatLeavesOneIdentity) {
    // The end of an ESP module: concat, add the input, batch norm, prelu.
    Builder b;
    const ValueId image = b.input(4);
    const ValueId half = b.conv("half", image, 2);
    const ValueId sum = b.add("sum", b.concat("join", {half, half}), image);
    b.output(b.prelu("act", b.scale_shift("bn", sum)));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 4x4x6  \"image\"\n"
                             "%1 = conv2d(%0) weight=half.weight:2x4x3x3 pad=1 : 2x4x6  \"half\"\n"
                             "%2 = concat(%1, %1) : 4x4x6  \"join\"\n"
                             "%5 = identity(%2) + add(%0) scale_shift(bn.scale, bn.shift) prelu(act.weight) : 4x4x6  "
                             "\"sum\"\n"
                             "output %5\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, StagesThatComeTooLateStartAnIdentity) {
    Builder b;
    const ValueId image = b.input();
    const ValueId active = b.relu("act", b.conv("conv", image, 2));
    b.output(b.relu("second", b.add("sum", active, image)));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%2 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 + relu : 2x4x6  \"conv\"\n"
                             "%4 = identity(%2) + add(%0) relu : 2x4x6  \"sum\"\n"
                             "output %4\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, ASecondAddScaleOrActivationStartsAnIdentity) {
    Builder b;
    const ValueId image = b.input();
    const ValueId sum = b.add("sum2", b.add("sum1", b.conv("conv", image, 2), image), image);
    b.output(b.prelu("act2", b.relu("act1", b.scale_shift("affine2", b.scale_shift("affine1", sum)))));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%2 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 + add(%0) : 2x4x6  \"conv\"\n"
                             "%4 = identity(%2) + add(%0) scale_shift(affine1.scale, affine1.shift) : 2x4x6  "
                             "\"sum2\"\n"
                             "%6 = identity(%4) + scale_shift(affine2.scale, affine2.shift) relu : 2x4x6  "
                             "\"affine2\"\n"
                             "%7 = identity(%6) + prelu(act2.weight) : 2x4x6  \"act2\"\n"
                             "output %7\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, LeavesValuesWithOtherUsesAsTheyAre) {
    Builder b;
    const ValueId image = b.input();
    const ValueId x = b.conv("conv", image, 2);
    b.output(b.relu("act", x));
    b.output(x);
    b.output(b.add("twice", image, image));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%1 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 : 2x4x6  \"conv\"\n"
                             "%2 = identity(%1) + relu : 2x4x6  \"act\"\n"
                             "%3 = identity(%0) + add(%0) : 2x4x6  \"twice\"\n"
                             "output %2, %1, %3\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

TEST(FuseEpilogueTest, PoolsResizesAndTransposedConvolutionsCarryThemToo) {
    Builder b;
    const ValueId image = b.input();
    const ValueId small = b.relu("act1", b.pool("pool", image));
    const ValueId like =
        b.graph.add("back", Resize{Resize::Mode::Bilinear, {.kind = SizeRule::Kind::LikeOperand}}, {small, image});
    b.output(b.add("sum", like, image));
    b.output(b.scale_shift("affine", b.conv_transpose("up", image, 2)));
    const Graph before = b.graph;
    EXPECT_TRUE(expect_after(fuse_epilogue, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%2 = pool2d(%0) max kernel=2x2 stride=2x2 + relu : 2x2x3  \"pool\"\n"
                             "%4 = resize(%2, %0) bilinear size=like_operand + add(%0) : 2x4x6  \"back\"\n"
                             "%6 = conv_transpose2d(%0) weight=up.weight:2x2x2x2 stride=2x2 + "
                             "scale_shift(affine.scale, affine.shift) : 2x8x12  \"up\"\n"
                             "output %4, %6\n"));
    expect_same_outputs(before, b.graph, 1e-6);
}

}  // namespace
}  // namespace vkseg::test
