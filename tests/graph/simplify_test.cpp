#include "tests/graph/builder.hpp"

#include <random>

namespace vkseg::test {
namespace {

TEST(EliminateDeadNodesTest, NoModify) {
    Builder b;
    const ValueId x = b.conv("conv", b.input(), 4);
    b.output(b.relu("act", x));
    expect_no_change(eliminate_dead_nodes, b.graph);
}

TEST(EliminateDeadNodesTest, DropsChainsThatNothingUses) {
    Builder b;
    const ValueId image = b.input();
    const ValueId x = b.conv("conv", image, 2);
    b.relu("dead3", b.add("dead2", x, b.conv("dead1", image, 2)));
    b.output(x);
    EXPECT_TRUE(expect_after(eliminate_dead_nodes, b.graph,
                             "%0 = input : 2x4x6  \"image\"\n"
                             "%1 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 : 2x4x6  \"conv\"\n"
                             "output %1\n"));
    EXPECT_EQ(b.graph.constants.size(), 2u);
}

TEST(EliminateDeadNodesTest, AnOperandThatGivesOnlyItsSizeIsUsed) {
    Builder b;
    const ValueId image = b.input();
    const ValueId size = b.pool("size", image);
    b.output(b.graph.add("down", Resize{Resize::Mode::Nearest, {.kind = SizeRule::Kind::LikeOperand}}, {image, size}));
    expect_no_change(eliminate_dead_nodes, b.graph);
}

Graph network() {
    Builder b;
    const ValueId image = b.input();
    const ValueId x = b.prelu("act1", b.batch_norm("bn1", b.conv("conv", image, 2)));
    b.relu("dead", x);
    b.output(b.prelu("act2", b.batch_norm("bn2", b.concat("join", {x, image}))));
    return b.graph;
}

TEST(SimplifyTest, RunsAllPassesInOrder) {
    Graph graph = network();
    std::vector<std::string> seen;
    PassOptions options;
    options.observer = [&](std::string_view name, bool changed, const Graph&) {
        seen.push_back(std::string(name) + (changed ? " changed" : ""));
    };
    simplify(graph, options);
    EXPECT_EQ(seen, (std::vector<std::string>{"eliminate_dead_nodes changed", "fold_batchnorm changed",
                                              "fuse_epilogue changed"}));
    EXPECT_EQ(pass_names(), (std::vector<std::string>{"eliminate_dead_nodes", "fold_batchnorm", "fuse_epilogue"}));
    EXPECT_EQ(to_string(graph),
              "%0 = input : 2x4x6  \"image\"\n"
              "%3 = conv2d(%0) weight=conv.weight.folded:2x2x3x3 bias=conv.bias.folded pad=1 + prelu(act1.weight) : "
              "2x4x6  \"conv\"\n"
              "%5 = concat(%3, %0) : 4x4x6  \"join\"\n"
              "%7 = identity(%5) + scale_shift(bn2.scale, bn2.shift) prelu(act2.weight) : 4x4x6  \"bn2\"\n"
              "output %7\n");
    const std::string once = to_string(graph);
    simplify(graph);
    EXPECT_EQ(to_string(graph), once);
}

TEST(SimplifyTest, LeavesScaleShiftWhereFoldingIsDisabled) {
    Graph graph = network();
    PassOptions options{{"fold_batchnorm", "fuse_epilogue"}, {}};
    simplify(graph, options);
    EXPECT_EQ(to_string(graph),
              "%0 = input : 2x4x6  \"image\"\n"
              "%1 = conv2d(%0) weight=conv.weight:2x2x3x3 pad=1 : 2x4x6  \"conv\"\n"
              "%2 = scale_shift(%1) scale=bn1.scale shift=bn1.shift : 2x4x6  \"bn1\"\n"
              "%3 = prelu(%2) slope=act1.weight : 2x4x6  \"act1\"\n"
              "%5 = concat(%3, %0) : 4x4x6  \"join\"\n"
              "%6 = scale_shift(%5) scale=bn2.scale shift=bn2.shift : 4x4x6  \"bn2\"\n"
              "%7 = prelu(%6) slope=act2.weight : 4x4x6  \"act2\"\n"
              "output %7\n");
    expect_same_outputs(network(), graph, 1e-6);
}

TEST(SimplifyTest, RefusesUnknownNames) {
    Graph graph = network();
    const std::string before = to_string(graph);
    EXPECT_EQ(error_of([&] {
                  simplify(graph, {{"fold_batchnorms"}, {}});
              }),
              "there is no pass 'fold_batchnorms' to disable; passes are eliminate_dead_nodes, fold_batchnorm, "
              "fuse_epilogue");
    EXPECT_EQ(to_string(graph), before);
}

TEST(SimplifyTest, RefusesABrokenGraph) {
    Graph graph = network();
    graph.nodes.pop_back();
    EXPECT_THROW(simplify(graph), std::logic_error);
}

/// A graph of up to 20 operations on random earlier values, with outputs at random places.
Graph random_graph(uint32_t seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](size_t count) { return static_cast<int>(random() % count); };
    Builder b;
    std::vector<ValueId> made = {b.input(4, 5, 7), b.input(4, 5, 7)};
    const auto recent = [&] {
        return made[made.size() - 1 - static_cast<size_t>(pick(std::min<size_t>(4, made.size())))];
    };
    const int count = 4 + pick(17);
    for (int i = 0; i < count; ++i) {
        const std::string name = "n" + std::to_string(i);
        const ValueId x = recent(), y = recent();
        switch (pick(11)) {
            case 0:
                made.push_back(b.conv(name, x, 4, pick(2) == 0, 1 << pick(3)));
                break;
            case 1:
            case 2:
                made.push_back(b.batch_norm(name, x));
                break;
            case 3:
                made.push_back(b.scale_shift(name, x));
                break;
            case 4:
                made.push_back(b.relu(name, x));
                break;
            case 5:
                made.push_back(b.prelu(name, x));
                break;
            case 6:
            case 7:
                made.push_back(b.add(name, x, y));
                break;
            case 8: {
                const ValueId joined = b.concat(name + ".join", {x, y});
                made.push_back(b.conv(name, b.batch_norm(name + ".bn", joined), 4));
                break;
            }
            case 9: {
                const ValueId up = b.batch_norm(name + ".bn", b.conv_transpose(name + ".up", x, 4, pick(2) == 0, 2));
                made.push_back(b.pool(name, up));
                break;
            }
            default: {
                Resize resize{Resize::Mode::Bilinear, {.kind = SizeRule::Kind::LikeOperand}};
                made.push_back(b.graph.add(name, resize, {b.pool(name + ".pool", x), y}));
                break;
            }
        }
    }
    b.output(made.back());
    if (pick(2) == 0) b.output(recent());
    return b.graph;
}

TEST(SimplifyTest, KeepsWhatRandomGraphsCompute) {
    for (uint32_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const Graph before = random_graph(seed);
        for (const std::set<std::string, std::less<>>& disabled :
             {std::set<std::string, std::less<>>{}, {"fold_batchnorm"}, {"fuse_epilogue"}, {"eliminate_dead_nodes"}}) {
            Graph after = before;
            simplify(after, {disabled, {}});
            for (const Node& node : after.nodes) ASSERT_FALSE(std::holds_alternative<BatchNorm>(node.op));
            expect_same_outputs(before, after, 1e-5);
            if (HasFatalFailure()) return;
            if (!disabled.empty()) continue;
            for (const Node& node : after.nodes) {
                ASSERT_FALSE(std::holds_alternative<Add>(node.op) || std::holds_alternative<Relu>(node.op) ||
                             std::holds_alternative<PRelu>(node.op) || std::holds_alternative<ScaleShift>(node.op));
            }
        }
    }
}

}  // namespace
}  // namespace vkseg::test
