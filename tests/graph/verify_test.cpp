#include "tests/graph/builder.hpp"

#include <stdexcept>

namespace vkseg::test {
namespace {

Graph whole_graph() {
    Builder b;
    const ValueId image = b.input(2);
    const ValueId first = b.conv("first", image, 2, true);
    b.output(b.add("sum", image, b.conv("second", first, 2)));
    return b.graph;
}

/// What the verifier says after `damage` was done to a good graph.
template <typename Damage>
std::string complaint(Damage&& damage) {
    Graph graph = whole_graph();
    damage(graph);
    try {
        verify(graph, "the test");
    } catch (const std::logic_error& error) {
        return error.what();
    }
    ADD_FAILURE() << "the verifier let it pass";
    return "";
}

TEST(VerifyTest, AcceptsAWholeGraph) {
    EXPECT_NO_THROW(verify(whole_graph(), "the test"));
    EXPECT_NO_THROW(verify(Graph{}, "the test"));
}

TEST(VerifyTest, RefusesOperandsUsedBeforeTheyAreMade) {
    EXPECT_EQ(complaint([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }),
              "graph is broken after the test: 'second' (conv2d): operand %1 is not made before its use");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].inputs[0] = 1; }),
              "graph is broken after the test: 'first' (conv2d): operand %1 is not made before its use");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].inputs[0] = 99; }),
              "graph is broken after the test: 'first' (conv2d): operand %99 is not made before its use");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].inputs[0] = no_value; }),
              "graph is broken after the test: 'first' (conv2d): operand %-1 is not made before its use");
}

TEST(VerifyTest, RefusesTwoProducers) {
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[1].output = 1; }),
              "graph is broken after the test: 'second' (conv2d): value %1 is made twice");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].output = 0; }),
              "graph is broken after the test: 'first' (conv2d): value %0 is made twice");
    EXPECT_EQ(complaint([](Graph& g) { g.inputs.push_back(0); }),
              "graph is broken after the test: inputs: value %0 is made twice");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[1].output = 7; }),
              "graph is broken after the test: 'second' (conv2d): value %7 does not exist");
}

TEST(VerifyTest, RefusesOutputsThatNobodyMakes) {
    EXPECT_EQ(complaint([](Graph& g) { g.nodes.pop_back(); }),
              "graph is broken after the test: outputs: value %3 is never made");
}

TEST(VerifyTest, RefusesConstantsThatDoNotFit) {
    EXPECT_EQ(complaint([](Graph& g) { std::get<Conv2d>(g.nodes[0].op).weight = 12; }),
              "graph is broken after the test: 'first' (conv2d): weight of shape 2x2x3x3 is missing");
    EXPECT_EQ(complaint([](Graph& g) { std::get<Conv2d>(g.nodes[0].op).bias = 0; }),
              "graph is broken after the test: 'first' (conv2d): bias 'first.weight' must have shape 2, found 2x2x3x3");
    EXPECT_EQ(complaint([](Graph& g) { g.constants[1].tensor = nullptr; }),
              "graph is broken after the test: first.bias: constant has no tensor");
}

TEST(VerifyTest, RefusesShapesThatAreNotTheRules) {
    EXPECT_EQ(complaint([](Graph& g) { g.values[1].desc.shape[1] = 5; }),
              "graph is broken after the test: 'first' (conv2d): value %1 has shape 2x5x6, the shape rule gives 2x4x6");
    EXPECT_EQ(complaint([](Graph& g) { g.values[0].desc.shape[1] = 5; }),
              "graph is broken after the test: 'first' (conv2d): value %1 has shape 2x4x6, the shape rule gives 2x5x6");
}

TEST(VerifyTest, RefusesHalfAnEpilogue) {
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].epilogue.scale = 1; }),
              "graph is broken after the test: 'first' (conv2d): epilogue has only one of scale and shift");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].epilogue.shift = 1; }),
              "graph is broken after the test: 'first' (conv2d): epilogue has only one of scale and shift");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].epilogue.slope = 1; }),
              "graph is broken after the test: 'first' (conv2d): epilogue has a slope without prelu or prelu without a "
              "slope");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].epilogue.add = true; }),
              "graph is broken after the test: 'first' (conv2d): expects 1 operand, found 0");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[2].epilogue.activation = Epilogue::Activation::Relu; }),
              "graph is broken after the test: 'sum' (add): this operation cannot carry an epilogue");
}

}  // namespace
}  // namespace vkseg::test
