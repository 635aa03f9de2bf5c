#include "tests/graph/support.hpp"

namespace vkseg::test {
namespace {

/// image -> half -> [half + half resized like image, argmax like image]
Graph small_graph() {
    Graph graph;
    const ValueId image = graph.add_input("image", features(3, 8, 12));
    const ValueId half = graph.add("half", Pool2d{.kernel = {2, 2}, .stride = {2, 2}}, {image});
    const ValueId back =
        graph.add("back", Resize{Resize::Mode::Bilinear, {.kind = SizeRule::Kind::LikeOperand}}, {half, image});
    graph.outputs = {
        graph.add("sum", Add{}, {image, back}),
        graph.add("labels", Argmax{Sampling::Nearest, {.kind = SizeRule::Kind::LikeOperand}}, {half, image})};
    return graph;
}

TEST(TensorDescTest, ReadsItsAxesByKind) {
    EXPECT_EQ(features(3, 4, 5).channels(), 3);
    EXPECT_EQ(features(3, 4, 5).height(), 4);
    EXPECT_EQ(features(3, 4, 5).width(), 5);
    EXPECT_EQ(features(3, 4, 5).host_size_bytes(), 240u);
    EXPECT_EQ(labels(4, 5).channels(), 1);
    EXPECT_EQ(labels(4, 5).height(), 4);
    EXPECT_EQ(labels(4, 5).width(), 5);
    EXPECT_EQ(labels(4, 5).host_size_bytes(), 20u);
    EXPECT_EQ(pixels(4, 5, 3).channels(), 3);
    EXPECT_EQ(pixels(4, 5, 3).height(), 4);
    EXPECT_EQ(pixels(4, 5, 3).width(), 5);
    EXPECT_EQ(pixels(4, 5, 3).host_size_bytes(), 60u);
}

TEST(GraphTest, KnowsProducersAndUses) {
    const Graph graph = small_graph();
    EXPECT_EQ(graph.producers(), (std::vector<int>{-1, 0, 1, 2, 3}));
    EXPECT_EQ(graph.use_counts(), (std::vector<int>{4, 2, 1, 1, 1}));
}

TEST(GraphTest, DerivesEveryShapeFromANewInputSize) {
    Graph graph = small_graph();
    graph.set_input_size(30, 20);
    EXPECT_EQ(graph.desc(0), features(3, 20, 30));
    EXPECT_EQ(graph.desc(1), features(3, 10, 15));
    EXPECT_EQ(graph.desc(3), features(3, 20, 30));
    EXPECT_EQ(graph.desc(4), labels(20, 30));
    verify(graph, "set_input_size");
}

TEST(GraphTest, SetsTheSizeOfPicturesToo) {
    Graph graph;
    const ValueId picture = graph.add_input("picture", pixels(4, 6, 3));
    graph.outputs = {
        graph.add("image", ImageToTensor{.size = {.kind = SizeRule::Kind::Scaled, .scale = 0.5}}, {picture})};
    graph.set_input_size(10, 8);
    EXPECT_EQ(graph.desc(0), pixels(8, 10, 3));
    EXPECT_EQ(graph.desc(1), features(3, 4, 5));
}

TEST(GraphTest, StaysAsItWasWhenASizeDoesNotFit) {
    Graph graph;
    const ValueId image = graph.add_input("image", features(1, 8, 8));
    const ValueId half = graph.add("half", Pool2d{.kernel = {2, 2}, .stride = {2, 2}}, {image});
    const ValueId up =
        graph.add("up", Resize{Resize::Mode::Nearest, {.kind = SizeRule::Kind::Scaled, .scale = 2}}, {half});
    graph.outputs = {graph.add("sum", Add{}, {image, up})};
    const std::string before = to_string(graph);
    EXPECT_EQ(error_of([&] { graph.set_input_size(9, 8); }),
              "'sum' (add): expects two values of one shape, or a second one of 1x1x1, found 1x8x9 and 1x8x8");
    EXPECT_EQ(to_string(graph), before);
    EXPECT_EQ(error_of([&] { graph.set_input_size(0, 8); }), "input 'image' must have positive extents, found 1x8x0");
    EXPECT_EQ(to_string(graph), before);
}

TEST(GraphTest, StaysAsItWasWhenANodeDoesNotFit) {
    Graph graph = small_graph();
    const std::string before = to_string(graph);
    EXPECT_EQ(error_of([&] {
                  graph.add("bad", Add{}, {0, 1});
              }),
              "'bad' (add): expects two values of one shape, or a second one of 3x1x1, found 3x8x12 and 3x4x6");
    EXPECT_EQ(to_string(graph), before);
    EXPECT_EQ(graph.values.size(), 5u);
}

TEST(GraphTest, CopiesShareConstants) {
    Graph graph;
    const ConstId id = graph.add_constant("w", Tensor({3}, 1.0f));
    const Graph copy = graph;
    EXPECT_EQ(&graph.constant(id), &copy.constant(id));
}

TEST(RunReferenceTest, ShowsEveryNodeAndKeepsWhatTheHostReceives) {
    Graph graph = small_graph();
    // An input and a value that others use, received twice: none may be freed early.
    graph.outputs.insert(graph.outputs.begin(), {0, 1, 1});
    std::vector<std::string> seen;
    const std::vector<HostValue> inputs = {pattern(3, 8, 12)};
    const std::vector<HostValue> results = run_reference(graph, inputs, [&](const Node& node, const HostValue& value) {
        seen.push_back(node.name + " " + to_string(value.desc.shape));
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"half 3x4x6", "back 3x8x12", "sum 3x8x12", "labels 1x8x12"}));
    ASSERT_EQ(results.size(), 5u);
    EXPECT_EQ(results[0].floats, inputs[0].floats);
    EXPECT_EQ(results[1].floats, results[2].floats);
    EXPECT_EQ(results[1].floats.size(), 72u);
    EXPECT_EQ(results[4].bytes.size(), 96u);
}

TEST(RunReferenceTest, RefusesInputsThatDoNotFit) {
    const Graph graph = small_graph();
    EXPECT_EQ(error_of([&] { (void)run_reference(graph, {}); }), "the graph has 1 inputs, found 0");
    const std::vector<HostValue> other = {pattern(3, 8, 11)};
    EXPECT_EQ(error_of([&] { (void)run_reference(graph, other); }),
              "input 'image' must be features 3x8x12, found features 3x8x11");
    std::vector<HostValue> truncated = {pattern(3, 8, 12)};
    truncated[0].floats.pop_back();
    EXPECT_EQ(error_of([&] { (void)run_reference(graph, truncated); }),
              "input 'image' must hold 288 elements, found 287");
}

}  // namespace
}  // namespace vkseg::test
