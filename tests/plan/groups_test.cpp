#include "tests/plan/groups.hpp"
#include "models/network.hpp"
#include "tests/plan/plan_checks.hpp"

#include <gtest/gtest.h>

// Which nodes become one group, as text, and which must not; pyramids and loads have files of their own.

namespace vkseg {
namespace {

using test::groups_of;
using test::labels;

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
