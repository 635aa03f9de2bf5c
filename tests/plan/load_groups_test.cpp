#include "tests/plan/groups.hpp"
#include "tests/plan/plan_checks.hpp"

#include <gtest/gtest.h>

// Which nodes become part of what reads them, as text, and which must not.

namespace vkseg {
namespace {

using test::groups_of;
using test::labels;
using test::without_host;

/// A 1x1 or 3x3 convolution of stride 2.
ValueId conv_of(test::Builder& b, const std::string& name, ValueId x, int kernel, int stride) {
    Conv2d op{.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = pad_all(kernel / 2, kernel / 2)};
    op.out_channels = 4;
    op.weight = b.graph.add_constant(name + ".weight", test::tensor({4, b.channels(x), kernel, kernel}, 2));
    return b.graph.add(name, op, {x});
}

ValueId twice_as_large(test::Builder& b, const std::string& name, ValueId x, Resize::Mode mode) {
    return b.graph.add(name, Resize{mode, {.kind = SizeRule::Kind::Scaled, .scale = 2}}, {x});
}

TEST(NormLoads, OfEveryReaderOfANorm) {
    test::Builder b;
    const ValueId x = b.conv("x", b.input(3, 8, 8), 4), cat = b.concat("cat", {x, b.relu("y", x)});
    const ValueId norm = b.prelu("act", b.scale_shift("bn", cat));
    b.output(conv_of(b, "half", norm, 3, 2));
    b.output(b.add("sum", conv_of(b, "same", norm, 1, 1), x));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "norm_load(%3) -> %6 : bn half\nnorm_load(%3, %1 by texel) -> %8 : bn same\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    const auto count = [&](const Choices& choices) {
        return compile(b.graph, paper_device("minimal"), without_host(choices)).dispatch_count();
    };
    Choices off;
    off.disabled_fusions = {"norm_load"};
    EXPECT_EQ(count(off) - count({}), 1u);
}

ValueId picture_map(test::Builder& b, PixelFormat format = PixelFormat::RGB8) {
    const ValueId picture = b.graph.add_input("picture", {ValueKind::Pixels, {16, 24, bytes_per_pixel(format)}});
    ImageToTensor load;
    load.format = format;
    load.size.fixed = {16, 24};
    return b.graph.add("image", load, {picture});
}

TEST(PictureLoads, AreOfWhatANetworkBeginsWith) {
    test::Builder b;
    const ValueId image = picture_map(b);
    b.output(b.relu("a", b.conv("m", image, 5)));
    b.output(b.pool("p", image));
    b.output(b.conv("n", b.graph.add("r", Resize{Resize::Mode::BilinearAligned, {.fixed = {8, 12}}}, {image}), 6));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph),
              "picture_load(%0) -> %3 : image m\n"
              "picture_load(%0) -> %4 : image p\n"
              "picture_load(%0) -> %6 : image r n\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"picture_load"};
    EXPECT_EQ(groups_of(b.graph, off), "");
}

TEST(PictureLoads, TakeADownUnitWhole) {
    test::Builder b;
    const ValueId image = picture_map(b);
    Conv2d op{.kernel = {3, 3}, .stride = {2, 2}, .padding = pad_all(1, 1), .out_channels = 4};
    op.weight = b.graph.add_constant("m.conv.weight", test::tensor({4, 3, 3, 3}, 3));
    const ValueId conv = b.graph.add("m.conv", op, {image});
    b.output(b.relu("m.act", b.concat("m.cat", {conv, b.pool("m.pool", image)})));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "picture_load(%0) -> %5 : image m.conv m.pool m.cat m.act\n");
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
    // The picture's map is nowhere, though both read it; the other dispatch is the copy to the host.
    EXPECT_EQ(plan.dispatch_count(), 2u);
    Choices off;
    off.disabled_fusions = {"picture_load"};
    EXPECT_EQ(groups_of(b.graph, off), "down_unit(%1) -> %5 : m.conv m.pool m.cat m.act\n");
}

TEST(HostLoads, AreOfTheHostsFloats) {
    test::Builder b;
    const ValueId image = b.input(3, 16, 24);
    b.output(b.pool("end", b.relu("a", b.conv("m", image, 5))));
    b.output(b.pool("p", image));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph, {}, "minimal", false, true),
              "host_load(%0) -> %2 from the host : m\n"
              "host_load(%0) -> %4 from the host : p\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true, true), "");
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"host_load"};
    EXPECT_EQ(compile(b.graph, paper_device("minimal"), off).dispatch_count() - plan.dispatch_count(), 1u);
}

TEST(HostLoads, LeaveTheMapToOthersThatReadIt) {
    test::Builder b;
    const ValueId image = b.input(3, 16, 24);
    b.output(b.conv("m", image, 5));
    b.output(b.relu("r", image));
    simplify(b.graph);
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
    // m, the map, r and two copies to the host.
    EXPECT_EQ(plan.dispatch_count(), 5u);
}

TEST(PictureLoads, OfASampledImageAreNone) {
    test::Builder b;
    b.output(b.conv("m", picture_map(b, PixelFormat::Image), 5));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
}

TEST(ResizeLoads, ScaleWhatA1x1ConvolutionReads) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(8, 16, 24)), y = b.pool("y", x);
    const ValueId joined = b.concat("cat", {x, twice_as_large(b, "up", y, Resize::Mode::Bilinear)});
    b.output(b.pool("end", b.prelu("act", b.conv1x1("m", joined, 6))));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "resize_load(%1, %2) -> %6 : up cat m\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"resize_load"};
    EXPECT_EQ(groups_of(b.graph, off), "");
}

TEST(ResizeLoads, OfWhatIsReadElsewhereOrByMoreThanAPixelAreNone) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(8, 16, 24)), y = b.pool("y", x);
    const ValueId up = twice_as_large(b, "up", y, Resize::Mode::Bilinear);
    b.output(b.pool("a", b.conv1x1("m", b.concat("cat", {x, up}), 6)));
    b.output(b.pool("b", up));
    b.output(b.pool("c", b.conv("n", b.concat("cat2", {x, twice_as_large(b, "up2", y, Resize::Mode::Bilinear)}), 5)));
    b.output(b.pool("d", b.conv1x1("o", b.concat("cat3", {x, twice_as_large(b, "up3", y, Resize::Mode::Nearest)}), 7)));
    simplify(b.graph);
    Choices choices;
    choices.disabled_fusions = {"concat_load", "twin_conv"};
    EXPECT_EQ(groups_of(b.graph, choices), "");
}

TEST(NormLoads, ThatRepeatTooOftenOrHaveOtherReadersAreNone) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(4, 16, 16)), cat = b.concat("cat", {x, b.pool("y", b.graph.inputs[0])});
    b.output(conv_of(b, "nine", b.scale_shift("bn1", cat), 3, 1));
    const ValueId shown = b.scale_shift("bn2", cat);
    b.output(conv_of(b, "one", shown, 1, 1));
    b.output(shown);
    const ValueId pooled = b.scale_shift("bn3", cat);
    b.output(conv_of(b, "another", pooled, 1, 1));
    b.output(b.pool("pool", pooled));
    simplify(b.graph);
    Choices no_twins;
    no_twins.disabled_fusions = {"twin_conv"};
    EXPECT_EQ(groups_of(b.graph, no_twins), "");
}

/// The first convolution is the head's; what it reads has to be stored for it.
TEST(NormLoads, BesideAReaderOfAnotherFusionKeepTheValue) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(4, 16, 16)), cat = b.concat("cat", {x, b.pool("y", b.graph.inputs[0])});
    const ValueId norm = b.prelu("act", cat);
    b.output(labels(b.graph, conv_of(b, "head", norm, 1, 1), Sampling::Nearest, {8, 8}));
    b.output(conv_of(b, "other", norm, 1, 1));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "score_head(%4) -> %6 : head labels\nnorm_load(%3) -> %7 : act other\n");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
}

TEST(ConcatLoads, OfAnOperandThatLiesInAnotherConcatenation) {
    test::Builder b;
    const ValueId x = b.conv("x", b.input(3), 4), y = b.conv("y", x, 5), z = b.pool("z", b.conv("w", x, 4));
    b.output(b.conv("first", b.concat("cat1", {x, y}), 4));
    b.output(b.conv("second", b.concat("cat2", {b.conv_transpose("up", z, 3), x}), 7));
    // Nothing else reads these: they lie inside.
    b.output(b.conv("third", b.concat("cat3", {b.conv("u", x, 4), b.pool("v", b.conv_transpose("t", y, 4))}), 4));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "concat_load(%1, %2) -> %6 : cat1 first\nconcat_load(%7, %1) -> %9 : cat2 second\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    const auto copies = [&](const Choices& choices) {
        const Plan plan = compile(b.graph, paper_device("minimal"), choices);
        const auto all = test::dispatches_of(plan);
        return std::ranges::count_if(all, [](const Dispatch* d) { return d->label.ends_with(".copy"); });
    };
    Choices off;
    off.disabled_fusions = {"concat_load"};
    EXPECT_EQ(copies({}), 0);
    EXPECT_EQ(copies(off), 1);
}

TEST(ConcatLoads, OfThreeOperandsOrWithASumAreNone) {
    test::Builder b;
    const ValueId x = b.conv("x", b.input(3), 4), y = b.conv("y", x, 4);
    b.output(b.conv("three", b.concat("cat1", {x, y, b.conv("z", x, 4)}), 4));
    const ValueId cat2 = b.concat("cat2", {x, y});
    b.output(b.add("sum", b.conv("two", cat2, 4), b.relu("other", y)));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
}

}  // namespace
}  // namespace vkseg
