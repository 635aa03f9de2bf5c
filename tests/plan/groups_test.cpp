#include "graph/fuse/fuse.hpp"
#include "graph/ir/error.hpp"
#include "graph/plan/placement.hpp"
#include "models/network.hpp"
#include "tests/graph/builder.hpp"
#include "tests/plan/plan_checks.hpp"

// Which nodes become one group, as text, and which must not.

namespace vkseg {
namespace {

/// Nearly every graph here begins with an operation that could read the host's floats and ends in one that could write
/// there; only the tests of that show it.
Choices without_host(Choices choices = {}) {
    choices.disabled_fusions.insert({"host_load", "host_store"});
    return choices;
}

std::string groups_of(const Graph& graph, const Choices& choices = {}, const char* device = "minimal",
                      bool cpu_shaped = false, bool host = false) {
    const Choices used = host ? choices : without_host(choices);
    LowerContext context(graph, paper_device(device), used, cpu_shaped);
    context.planar = choose_maps(graph, cpu_shaped);
    return to_string(form_groups(context), graph);
}

/// K dilated branches of one map; `sums_from` is the first branch that adds the one before it.
struct Module {
    int width = 4;
    int first_width = 4;
    int branches = 3;
    int sums_from = 2;
    bool depthwise = false;
};

class Pyramids : public testing::Test {
protected:
    ValueId branch(const std::string& name, ValueId x, int out_channels, int dilation, bool depthwise) {
        Graph& graph = b.graph;
        Conv2d op{.kernel = {3, 3},
                  .dilation = {dilation, dilation},
                  .padding = pad_all(dilation, dilation),
                  .groups = depthwise ? out_channels : 1,
                  .out_channels = out_channels};
        op.weight = graph.add_constant(name + ".weight",
                                       test::tensor({out_channels, depthwise ? 1 : b.channels(x), 3, 3}, dilation));
        return graph.add(name, op, {x});
    }
    std::vector<ValueId> parts(const std::string& name, ValueId x, const Module& module) {
        std::vector<ValueId> result;
        for (int i = 0; i < module.branches; ++i) {
            const std::string at = fmt::format("{}.d{}", name, 1 << i);
            const ValueId y = branch(at, x, i == 0 ? module.first_width : module.width, 1 << i, module.depthwise);
            result.push_back(i < module.sums_from ? y : b.add(at + ".sum", y, result.back()));
        }
        return result;
    }
    std::string simplified_groups(const Choices& choices = {}) {
        simplify(b.graph);
        return groups_of(b.graph, choices);
    }
    test::Builder b;
};

TEST_F(Pyramids, WithResidualNormAndActivation) {
    const ValueId x = b.conv("x", b.input(3), 16);
    const ValueId reduced = b.conv("m.c1", x, 4);
    const ValueId merged = b.concat("m.cat", parts("m", reduced, {.first_width = 8}));
    b.output(b.conv("end", b.prelu("m.act", b.scale_shift("m.bn", b.add("m.add", merged, x))), 2));
    EXPECT_EQ(simplified_groups(), "esp_pyramid(%2, %1 by texel) -> %10 : m.d1 m.d2 m.d4 m.cat m.add\n");
    Choices off;
    off.disabled_fusions = {"esp_pyramid"};
    EXPECT_EQ(groups_of(b.graph, off), "");
    const auto count = [&](const Choices& choices) {
        return compile(b.graph, paper_device("minimal"), without_host(choices)).dispatch_count();
    };
    EXPECT_EQ(count(off) - count({}), 3u);
}

TEST_F(Pyramids, OfDepthwiseConvolutionsSumFromTheFirst) {
    const ValueId reduced = b.conv("x", b.input(3), 4);
    const ValueId merged = b.concat("m.cat", parts("m", reduced, {.branches = 4, .sums_from = 1, .depthwise = true}));
    b.output(b.prelu("m.act", b.scale_shift("m.bn", merged)));
    EXPECT_EQ(simplified_groups(), "eesp_pyramid(%1) -> %11 : m.d1 m.d2 m.d4 m.d8 m.cat m.bn\n");
}

TEST_F(Pyramids, WithoutAnEpilogueEndAtTheConcatenation) {
    const ValueId x = b.conv("x", b.input(3), 4);
    const ValueId merged = b.concat("cat", parts("m", x, {.branches = 2}));
    b.output(b.prelu("act", b.add("sum", b.conv("other", merged, 8), merged)));
    EXPECT_EQ(simplified_groups(), "esp_pyramid(%1) -> %4 : m.d1 m.d2 cat\n");
}

TEST_F(Pyramids, WhoseBranchIsReadElsewhereAreNone) {
    const ValueId x = b.conv("x", b.input(3), 4);
    const auto all = parts("m", x, {});
    b.output(b.concat("cat", all));
    b.output(b.conv("other", all[1], 4));
    EXPECT_EQ(simplified_groups(), "");
}

TEST_F(Pyramids, WhoseBranchIsAnOutputOrActivatedAreNone) {
    const ValueId x = b.conv("x", b.input(3), 4);
    auto all = parts("m", x, {});
    b.output(b.concat("cat", all));
    b.output(all[2]);
    all = parts("n", x, {});
    all[0] = b.relu("relu", all[0]);
    b.output(b.concat("cat2", all));
    EXPECT_EQ(simplified_groups(), "");
}

TEST_F(Pyramids, OfTwoMapsAreNone) {
    const ValueId x = b.conv("x", b.input(3), 4), y = b.conv("y", x, 4);
    b.output(b.concat("cat", {branch("d1", x, 4, 1, false), branch("d2", y, 4, 2, false)}));
    EXPECT_EQ(simplified_groups(), "");
}

TEST_F(Pyramids, ThatAddAnEarlierBranchThanTheLastAreNone) {
    const ValueId x = b.conv("x", b.input(3), 4);
    auto all = parts("m", x, {.branches = 2});
    all.push_back(b.add("skip", branch("d4", x, 4, 4, false), all[0]));
    b.output(b.concat("cat", all));
    EXPECT_EQ(simplified_groups(), "");
}

TEST_F(Pyramids, OnACpuAreFusedWhileTheCodeIsShort) {
    const ValueId x = b.conv("x", b.input(3), 4);
    b.output(b.concat("small", parts("m", x, {})));
    const ValueId wide = b.conv("wide", x, 12);
    b.output(b.concat("large", parts("n", wide, {.width = 12, .first_width = 12})));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "esp_pyramid(%1) -> %6 : m.d1 m.d2 m.d4 small\n");
}

/// Scores 1 by 1 to the classes of their pixels.
ValueId labels(Graph& graph, ValueId scores, Sampling sampling, Axes size) {
    return graph.add("labels", Argmax{sampling, {.kind = SizeRule::Kind::Fixed, .fixed = size}}, {scores});
}

TEST(ScoreHeads, OfConvolutionsAtTheScoresOwnSize) {
    for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear}) {
        test::Builder b;
        const ValueId x = b.conv("x", b.input(3, 4, 6), 8);
        b.output(labels(b.graph, b.conv_transpose("up", x, 5, true), sampling, {8, 12}));
        b.output(labels(b.graph, b.conv("head", x, 5), sampling, {4, 6}));
        EXPECT_EQ(groups_of(b.graph), "score_head(%1) -> %3 : up labels\nscore_head(%1) -> %5 : head labels\n");
        EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
        Choices off;
        off.disabled_fusions = {"score_head"};
        EXPECT_EQ(groups_of(b.graph, off), "");
    }
}

TEST(ScoreHeads, OfResizesReadTheSmallScores) {
    test::Builder b;
    const ValueId picture = b.input(3, 9, 13), scores = b.conv("x", picture, 5);
    const ValueId half = b.pool("half", scores);
    const ValueId full = b.graph.add(
        "full", Resize{Resize::Mode::BilinearAligned, {.kind = SizeRule::Kind::LikeOperand}}, {half, picture});
    b.output(labels(b.graph, full, Sampling::Nearest, {9, 13}));
    for (const bool cpu_shaped : {false, true})
        EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", cpu_shaped), "score_head(%2) -> %4 : full labels\n");
}

TEST(ScoreHeads, WhoseScoresAreReadElsewhereOrAtAnotherSizeAreNone) {
    test::Builder b;
    const ValueId x = b.conv("x", b.input(3, 4, 6), 8);
    const ValueId shown = b.conv("shown", x, 5);
    b.output(labels(b.graph, shown, Sampling::Nearest, {4, 6}));
    b.output(shown);
    const ValueId confident = b.conv("confident", x, 5);
    b.output(labels(b.graph, confident, Sampling::Nearest, {4, 6}));
    b.output(b.graph.add("confidence", Confidence{.size = {.fixed = {4, 6}}}, {confident}));
    b.output(labels(b.graph, b.conv("small", x, 5), Sampling::Nearest, {8, 12}));
    b.output(labels(b.graph, b.conv("grouped", x, 4, false, 2), Sampling::Nearest, {4, 6}));
    b.output(labels(b.graph, b.relu("activated", b.conv("positive", x, 4)), Sampling::Nearest, {4, 6}));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
}

/// A 1x1 or 3x3 convolution of stride 2.
ValueId conv_of(test::Builder& b, const std::string& name, ValueId x, int kernel, int stride) {
    Conv2d op{.kernel = {kernel, kernel}, .stride = {stride, stride}, .padding = pad_all(kernel / 2, kernel / 2)};
    op.out_channels = 4;
    op.weight = b.graph.add_constant(name + ".weight", test::tensor({4, b.channels(x), kernel, kernel}, 2));
    return b.graph.add(name, op, {x});
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

TEST_F(Pyramids, OfEspModulesMakeTheNextReductionToo) {
    const ValueId x = b.conv("x", b.input(3), 16);
    const ValueId merged = b.concat("m.cat", parts("m", b.conv("m.c1", x, 4), {.first_width = 8}));
    const ValueId out = b.prelu("m.act", b.add("m.add", merged, x));
    b.output(b.conv("end", b.conv1x1("next.c1", out, 4), 2));
    b.output(b.add("next.add", b.conv("next.c2", x, 16), out));
    EXPECT_EQ(simplified_groups(),
              "pyramid_unit(%2, %1 by texel) -> %9 and %10 : m.d1 m.d2 m.d4 m.cat m.add next.c1\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true).find("pyramid_unit"), std::string::npos);
    Choices off;
    off.disabled_fusions = {"pyramid_unit"};
    EXPECT_EQ(groups_of(b.graph, off), "esp_pyramid(%2, %1 by texel) -> %9 : m.d1 m.d2 m.d4 m.cat m.add\n");
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
}

TEST_F(Pyramids, OfEespUnitsExpandAndReduceForTheNext) {
    const ValueId x = b.conv("x", b.input(3), 16), reduced = b.conv("m.proj", x, 4);
    const ValueId merged = b.concat("m.cat", parts("m", reduced, {.branches = 4, .sums_from = 1, .depthwise = true}));
    const ValueId expanded = b.conv1x1("m.exp", b.prelu("m.act", b.scale_shift("m.bn", merged)), 16, 4);
    const ValueId out = b.prelu("m.last", b.add("m.add", expanded, x));
    b.output(b.conv("end", b.prelu("next.act", b.conv1x1("next.proj", out, 16, 4)), 2));
    b.output(b.pool("pool", out));
    EXPECT_EQ(simplified_groups(),
              "pyramid_unit(%2, %1 by texel) -> %15 and %17 : m.d1 m.d2 m.d4 m.d8 m.cat m.bn m.exp next.proj\n");
    const auto count = [&](const Choices& choices) {
        return compile(b.graph, paper_device("minimal"), without_host(choices)).dispatch_count();
    };
    Choices off;
    off.disabled_fusions = {"pyramid_unit"};
    EXPECT_EQ(count(off) - count({}), 2u);
}

TEST_F(Pyramids, ThatNeedTooMuchSharedMemoryStayAlone) {
    const ValueId x = b.conv("x", b.input(3), 320);
    const ValueId merged =
        b.concat("m.cat", parts("m", x, {.width = 320, .first_width = 320, .sums_from = 1, .depthwise = true}));
    b.output(b.conv1x1("m.exp", merged, 320));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph).substr(0, 12), "eesp_pyramid");
}

/// Conv2d of any odd kernel that keeps the size.
ValueId centred(test::Builder& b, const std::string& name, ValueId x, int out_channels, Axes kernel, int dilation = 1) {
    Conv2d op{.kernel = kernel,
              .dilation = {dilation, dilation},
              .padding = pad_all(dilation * (kernel.h / 2), dilation * (kernel.w / 2)),
              .out_channels = out_channels};
    op.weight =
        b.graph.add_constant(name + ".weight", test::tensor({out_channels, b.channels(x), kernel.h, kernel.w}, 3));
    return b.graph.add(name, op, {x});
}

TEST(ConvPairs, OfAFactorisedUnit) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(8));
    const ValueId a = b.relu("a", centred(b, "a1", x, 8, {3, 1})), y = b.relu("y", centred(b, "a2", a, 8, {1, 3}));
    const ValueId c = b.relu("c", centred(b, "b1", y, 8, {5, 1}, 2));
    b.output(b.relu("end", b.add("sum", centred(b, "b2", c, 8, {1, 5}, 2), x)));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph),
              "conv_pair(%1) -> %5 : a1 a2\n"
              "conv_pair(%5, %1 by texel) -> %10 : b1 b2\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"conv_pair"};
    EXPECT_EQ(groups_of(b.graph, off), "");
}

TEST(ConvPairs, SideBySideSumUp) {
    test::Builder b;
    const ValueId shared = b.pool("x", b.input(8));
    ValueId sum = shared;
    for (const int dilation : {2, 5, 9}) {
        const std::string name = fmt::format("d{}", dilation);
        const ValueId y = centred(b, name + "b", b.relu(name, centred(b, name + "a", shared, 8, {3, 1}, dilation)), 8,
                                  {1, 3}, dilation);
        sum = b.add(name + "sum", y, sum);
    }
    b.output(b.relu("end", sum));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "conv_pair(%1, %1 by texel) -> %14 : d2a d2b d5a d5b d9a d9b\n");
}

TEST(ConvPairs, BeginWithGroupsOnlyWhereOneBlockOfPlanesMakesThemAll) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(16));
    b.output(b.conv1x1("b", b.relu("r", b.conv("a", x, 32, false, 4)), 8));
    b.output(b.conv1x1("d", b.relu("s", b.conv("c", x, 64, false, 4)), 8));
    b.output(b.conv1x1("f", b.relu("t", b.conv("e", x, 16, false, 16)), 8));
    simplify(b.graph);
    Choices no_twins;
    no_twins.disabled_fusions = {"twin_conv"};
    EXPECT_EQ(groups_of(b.graph, no_twins), "conv_pair(%1) -> %4 : a b\n");
}

TEST(ConvPairs, WithAnotherReaderBetweenOrASecondRowAreNone) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(8));
    const ValueId a = centred(b, "a", x, 8, {3, 1});
    b.output(centred(b, "b", a, 8, {1, 3}));
    b.output(b.pool("c", a));
    b.output(centred(b, "d", centred(b, "e", x, 8, {1, 3}), 8, {3, 1}));
    // Most of a run would be for the neighbours.
    b.output(centred(b, "f", centred(b, "g", x, 8, {3, 1}), 8, {1, 3}, 20));
    simplify(b.graph);
    Choices no_twins;
    no_twins.disabled_fusions = {"twin_conv"};
    EXPECT_EQ(groups_of(b.graph, no_twins), "");
}

TEST(HostStores, AreOfWhatOnlyTheHostWants) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(4)), y = b.conv("y", x, 6);
    b.output(b.conv_transpose("up", y, 5));
    b.output(y);
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph, {}, "minimal", false, true), "host_store(%2) -> %3 on the host : up\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true, true), "host_store(%2) -> %3 on the host : up\n");
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"host_store"};
    EXPECT_EQ(compile(b.graph, paper_device("minimal"), off).dispatch_count() - plan.dispatch_count(), 1u);
}

TEST(HostStores, OnCpuDriversAreOfSumsInOnePart) {
    for (const auto& [channels, stores] : {std::pair{64, true}, std::pair{68, false}}) {
        test::Builder b;
        b.output(b.conv_transpose("up", b.conv("y", b.pool("x", b.input(4)), channels), 16));
        simplify(b.graph);
        EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true, true).empty(), !stores) << channels;
        test::expect_sound(compile(b.graph, paper_device("lavapipe")), paper_device("lavapipe"));
    }
}

TEST(GatedConvs, MultiplyBeforeTheyStore) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(4)), y = b.relu("act", b.conv("y", x, 6));
    const ValueId mean = b.graph.add("mean", AdaptiveAvgPool2d{{.fixed = {1, 1}}}, {x});
    const ValueId gate = b.graph.add("gate", Sigmoid{}, {b.conv1x1("weights", mean, 6)});
    b.output(b.pool("end", b.graph.add("product", Multiply{}, {y, gate})));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "gated_conv(%1, %6) -> %7 : y product\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"gated_conv"};
    EXPECT_EQ(groups_of(b.graph, off), "");
}

TEST(GatedConvs, WhoseResultIsReadElsewhereAreNone) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(4)), y = b.conv("y", x, 6);
    const ValueId gate = b.graph.add("gate", Sigmoid{}, {b.pool("weights", b.input(6, 4, 6))});
    b.output(b.graph.add("product", Multiply{}, {y, gate}));
    b.output(b.pool("end", y));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
}

/// Branches of efficient pyramid pooling, at twice the size and at the same.
std::vector<ValueId> scaled_branches(test::Builder& b, ValueId x) {
    const int channels = b.channels(x);
    const auto depthwise = [&](const std::string& name, ValueId from) {
        Conv2d op{.kernel = {3, 3}, .padding = pad_all(1, 1), .groups = channels, .out_channels = channels};
        op.weight = b.graph.add_constant(name + ".weight", test::tensor({channels, 1, 3, 3}, 3));
        return b.graph.add(name, op, {from});
    };
    const SizeRule twice{.kind = SizeRule::Kind::Scaled, .scale = 2}, like{.kind = SizeRule::Kind::LikeOperand};
    const ValueId up = b.graph.add("m.up", Resize{Resize::Mode::BilinearAligned, twice}, {x});
    return {b.graph.add("m.down", AdaptiveAvgPool2d{like}, {depthwise("m.large", up), x}), depthwise("m.same", x)};
}

TEST(ScalePyramids, AreOneGroup) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(6, 16, 24));
    b.output(b.pool("end", b.prelu("m.act", b.scale_shift("m.bn", b.concat("m.cat", scaled_branches(b, x))))));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "scale_pyramid(%1) -> %8 : m.up m.large m.down m.same m.cat m.bn\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    Choices off;
    off.disabled_fusions = {"scale_pyramid"};
    EXPECT_EQ(groups_of(b.graph, off), "");
}

TEST(ScalePyramids, WhoseBranchIsReadElsewhereAreNone) {
    test::Builder b;
    const ValueId x = b.pool("x", b.input(6, 16, 24));
    const std::vector<ValueId> parts = scaled_branches(b, x);
    b.output(b.pool("end", b.concat("m.cat", parts)));
    b.output(parts[0]);
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
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

ValueId twice_as_large(test::Builder& b, const std::string& name, ValueId x, Resize::Mode mode) {
    return b.graph.add(name, Resize{mode, {.kind = SizeRule::Kind::Scaled, .scale = 2}}, {x});
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

TEST(DownUnits, AreAStridedConvolutionAndAPooling) {
    test::Builder b;
    const ValueId x = b.relu("x", b.input(4, 8, 12));
    Conv2d op{.kernel = {3, 3}, .stride = {2, 2}, .padding = pad_all(1, 1), .out_channels = 6};
    op.weight = b.graph.add_constant("conv.weight", test::tensor({6, 4, 3, 3}, 3));
    const ValueId conv = b.graph.add("conv", op, {x});
    const ValueId cat = b.concat("cat", {conv, b.pool("pool", x)});
    const ValueId y = b.relu("act", b.scale_shift("bn", cat));
    b.output(b.pool("end", y));
    b.output(b.add("sum", y, y));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "down_unit(%1) -> %6 : conv pool cat bn\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    test::expect_sound(compile(b.graph, paper_device("minimal")), paper_device("minimal"));
    // The pooling is wanted by itself.
    b.output(b.graph.nodes[2].output);
    EXPECT_EQ(groups_of(b.graph), "");
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

TEST(TwinConvs, OfTwoPathsShareDispatches) {
    test::Builder b;
    const ValueId picture = b.input(4), x = b.relu("x", picture), y = b.pool("y", picture);
    const ValueId x2 = b.relu("x2", b.conv("x1", x, 4)), y2 = b.relu("y2", b.conv("y1", y, 4));
    b.output(b.conv("x3", x2, 8));
    b.output(b.conv("y3", y2, 8));
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph),
              "twin_conv(%1, %2) -> %4 and %6 : x1 y1\n"
              "twin_conv(%4, %6) -> %7 and %8 : x3 y3\n");
    EXPECT_EQ(groups_of(b.graph, {}, "lavapipe", true), "");
    const Plan plan = compile(b.graph, paper_device("minimal"));
    test::expect_sound(plan, paper_device("minimal"));
    // One binding shows both results, and whatever lies between them.
    for (const Dispatch* dispatch : test::dispatches_of(plan))
        if (dispatch->writes.size() == 2)
            for (const ArenaSlice& part : dispatch->writes) {
                EXPECT_GE(part.offset_bytes, dispatch->windows[2].offset_bytes);
                EXPECT_LE(part.offset_bytes + part.size_bytes,
                          dispatch->windows[2].offset_bytes + dispatch->windows[2].size_bytes);
            }
}

TEST(TwinConvs, OfOneMapOrOneBehindTheOtherAreNone) {
    test::Builder b;
    const ValueId x = b.relu("x", b.input(4));
    const ValueId a = b.conv("a", x, 4), c = b.conv("c", x, 4);
    b.output(b.conv("d", b.conv("e", a, 4), 4));
    b.output(c);
    simplify(b.graph);
    EXPECT_EQ(groups_of(b.graph), "");
}

TEST(TwinConvs, AreNoneWhereNoBindingShowsBothResults) {
    test::Builder b;
    const ValueId picture = b.input(4, 64, 64), x = b.relu("x", picture), y = b.pool("y", picture);
    b.output(b.conv("x1", x, 16));
    b.output(b.conv("y1", y, 16));
    simplify(b.graph);
    DeviceFacts narrow = paper_device("minimal");
    const auto twins = [&] {
        const Plan plan = compile(b.graph, narrow);
        test::expect_sound(plan, narrow);
        const auto all = test::dispatches_of(plan);
        return std::ranges::count_if(all, [](const Dispatch* d) { return d->label.ends_with("[twin_conv]"); });
    };
    EXPECT_EQ(twins(), 1);
    // The larger result fits, with the smaller one it does not.
    narrow.max_storage_buffer_range = 64 * 64 * 16 * 4;
    EXPECT_EQ(twins(), 0);
}

TEST(Fusions, AnUnknownNameListsThoseThatAre) {
    test::Builder b;
    b.output(b.conv("a", b.input(3), 4));
    Choices choices;
    choices.disabled_fusions = {"chain"};
    const std::string reason = test::error_of([&] { (void)compile(b.graph, paper_device("minimal"), choices); });
    EXPECT_NE(reason.find("there is no fusion 'chain' to disable; fusions are pyramid_unit"), std::string::npos)
        << reason;
}

TEST(Fusions, LabelsNameThePattern) {
    Graph graph = build_network("espnet", {}, 64, 64).graph;
    simplify(graph);
    const Plan plan = compile(graph, paper_device("nvidia-discrete"));
    const auto all = test::dispatches_of(plan);
    EXPECT_EQ(std::ranges::count(all, "encoder.level3.4 [pyramid_unit]", [](const Dispatch* d) { return d->label; }),
              1);
    EXPECT_NE(to_string(plan).find("\"encoder.level2_0 [pyramid_unit]\""), std::string::npos);
}

TEST(Fusions, EveryModuleOfANetwork) {
    const auto count = [](const std::string& network, const std::string& pattern) {
        Graph graph = build_network(network, {}, 256, 128).graph;
        simplify(graph);
        const std::string text = "\n" + groups_of(graph, {}, "nvidia-discrete");
        size_t found = 0;
        for (size_t at = 0; (at = text.find("\n" + pattern + "(", at)) != std::string::npos; ++at) ++found;
        return found;
    };
    EXPECT_EQ(count("espnet", "pyramid_unit"), 10u);
    EXPECT_EQ(count("espnet", "esp_pyramid"), 3u);  // nothing is reduced behind them
    EXPECT_EQ(count("espnet", "norm_load"), 5u);    // four norms, one of them read twice
    EXPECT_EQ(count("espnetv2", "pyramid_unit"), 13u);
}

}  // namespace
}  // namespace vkseg
