#include "tests/plan/groups.hpp"
#include "tests/plan/plan_checks.hpp"

#include <gtest/gtest.h>

// Which nodes become one pyramid, as text, and which must not.

namespace vkseg {
namespace {

using test::groups_of;
using test::without_host;

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

}  // namespace
}  // namespace vkseg
