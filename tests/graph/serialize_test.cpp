#include "graph/ir/serialize.hpp"
#include "tests/graph/builder.hpp"

#include <limits>

// Graphs as bytes: what is written is read back whole, and no damage makes more of it than a sentence.

namespace vkseg::test {
namespace {

std::vector<uint8_t> written(const Graph& graph) {
    ByteWriter writer;
    write_graph(writer, graph);
    return writer.bytes();
}

Graph read(std::span<const uint8_t> bytes) {
    ByteReader reader(bytes);
    Graph graph = read_graph(reader);
    EXPECT_EQ(reader.remaining(), 0u);
    return graph;
}

constexpr SizeRule fixed(int h, int w) {
    return {.kind = SizeRule::Kind::Fixed, .fixed = {h, w}};
}

/// Every operation, with no field at its default where the shape rules leave a choice.
Graph every_operation() {
    Graph graph;
    const auto constant = [&](const char* name, const Shape& shape) {
        return graph.add_constant(name, tensor(shape, static_cast<int64_t>(graph.constants.size())));
    };
    const ValueId picture = graph.add_input("picture", pixels(9, 12, 4));
    const ValueId image = graph.add(
        "image", ImageToTensor{PixelFormat::BGRA8, true, {1, 2, 3}, {0.5f, 0.25f, 2}, fixed(8, 10)}, {picture});
    const ValueId conv = graph.add("conv",
                                   Conv2d{.weight = constant("conv.weight", {6, 1, 3, 2}),
                                          .bias = constant("conv.bias", {6}),
                                          .kernel = {3, 2},
                                          .stride = {1, 2},
                                          .dilation = {2, 1},
                                          .padding = {1, 3, 0, 1},
                                          .groups = 3,
                                          .out_channels = 6},
                                   {image});
    const ValueId up = graph.add("up",
                                 ConvTranspose2d{.weight = constant("up.weight", {6, 2, 2, 3}),
                                                 .bias = constant("up.bias", {4}),
                                                 .kernel = {2, 3},
                                                 .stride = {2, 3},
                                                 .dilation = {1, 2},
                                                 .padding = {0, 1, 1, 0},
                                                 .output_padding = {1, 2},
                                                 .groups = 2,
                                                 .out_channels = 4},
                                 {conv});
    const ValueId norm = graph.add("norm",
                                   BatchNorm{constant("gamma", {4}), constant("beta", {4}), constant("mean", {4}),
                                             graph.add_constant("variance", Tensor({4}, 0.5f)), 0.125f},
                                   {up});
    ValueId x = graph.add("scale", ScaleShift{constant("scale", {4}), constant("shift", {4})}, {norm});
    x = graph.add("relu", Relu{}, {x});
    x = graph.add("prelu", PRelu{constant("slope", {4})}, {x});
    x = graph.add("sigmoid", Sigmoid{}, {x});
    x = graph.add("add", Add{}, {x, up});
    x = graph.add("shuffle", ChannelShuffle{2}, {x});
    const ValueId joined = graph.add("concat", Concat{}, {x, graph.add("slice", Slice{1, 2}, {x})});
    const ValueId pool =
        graph.add("pool", Pool2d{Pool2d::Kind::Average, {3, 2}, {2, 1}, {1, 0}, false, true}, {joined});
    const ValueId global = graph.add("global", AdaptiveAvgPool2d{fixed(1, 1)}, {pool});
    const ValueId linear =
        graph.add("linear", Linear{constant("linear.weight", {6, 6}), constant("linear.bias", {6}), 6}, {global});
    x = graph.add("multiply", Multiply{}, {pool, graph.add("softmax", Softmax{}, {linear})});
    x = graph.add(
        "halve",
        Resize{Resize::Mode::BilinearAligned,
               {.kind = SizeRule::Kind::Scaled, .scale = 0.4, .rounding = SizeRule::Rounding::Ceil, .minimum = 2}},
        {x});
    x = graph.add("like", Resize{Resize::Mode::Nearest, {.kind = SizeRule::Kind::LikeOperand}}, {x, image});
    x = graph.add("identity", Identity{}, {x});
    graph.nodes.back().inputs.push_back(x - 1);
    graph.nodes.back().epilogue = {true, constant("e.scale", {6}), constant("e.shift", {6}),
                                   Epilogue::Activation::PRelu, constant("e.slope", {6})};
    const ValueId labels = graph.add("labels", Argmax{Sampling::Bilinear, fixed(9, 12)}, {x});
    graph.outputs = {x, labels, graph.add("confidence", Confidence{Sampling::Nearest, fixed(5, 7)}, {x})};
    Colourise colourise{std::vector<uint32_t>(256, 0xff102030u), 77, PixelFormat::BGRA8};
    graph.outputs.push_back(graph.add("overlay", colourise, {labels, picture}));
    graph.values[static_cast<size_t>(x)].name = "scores";
    verify(graph, "the test");
    return graph;
}

TEST(Serialize, GivesEveryOperationBack) {
    const Graph graph = every_operation();
    std::vector<bool> seen(std::variant_size_v<Op>, false);
    for (const Node& node : graph.nodes) seen[node.op.index()] = true;
    for (size_t i = 0; i < seen.size(); ++i) EXPECT_TRUE(seen[i]) << "the graph lacks operation " << i;

    const std::vector<uint8_t> bytes = written(graph);
    const Graph back = read(bytes);
    EXPECT_EQ(written(back), bytes);
    EXPECT_EQ(to_string(back), to_string(graph));
    verify(back, "reading");
    for (size_t i = 0; i < graph.values.size(); ++i) {
        EXPECT_EQ(back.values[i].name, graph.values[i].name);
        EXPECT_EQ(back.values[i].desc, graph.values[i].desc);
    }
    ASSERT_EQ(back.constants.size(), graph.constants.size());
    for (size_t i = 0; i < graph.constants.size(); ++i) {
        EXPECT_EQ(back.constants[i].name, graph.constants[i].name);
        EXPECT_EQ(back.constants[i].tensor->shape, graph.constants[i].tensor->shape);
        EXPECT_EQ(back.constants[i].tensor->data, graph.constants[i].tensor->data);
    }
    // What the text leaves out, the values show.
    const HostValue picture = byte_value(pixels(9, 12, 4), std::vector<uint8_t>(9 * 12 * 4, 90));
    const auto expected = run_reference(graph, std::span(&picture, 1)),
               found = run_reference(back, std::span(&picture, 1));
    for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(found[i].floats, expected[i].floats);
        EXPECT_EQ(found[i].bytes, expected[i].bytes);
    }
}

TEST(Serialize, KeepsTheMeaningOfSimplifiedGraphs) {
    Builder b;
    const ValueId image = b.input(2);
    const ValueId x = b.prelu("act", b.batch_norm("bn", b.conv("first", image, 2, true)));
    b.output(b.relu("last", b.add("sum", image, x)));
    simplify(b.graph);
    const Graph back = read(written(b.graph));
    verify(back, "reading");
    expect_same_outputs(b.graph, back, 0);
}

TEST(Serialize, KeepsTheBitsOfConstants) {
    Builder b;
    const float values[] = {std::numeric_limits<float>::quiet_NaN(), -0.0f};
    const ConstId slope = b.graph.add_constant("slope", Tensor({2}, {values[0], values[1]}));
    b.output(b.graph.add("act", PRelu{slope}, {b.input(2)}));
    const std::vector<uint8_t> bytes = written(b.graph);
    EXPECT_EQ(written(read(bytes)), bytes);
}

TEST(Serialize, RefusesAGraphThatUsesWhatNothingMakes) {
    Builder b;
    b.output(b.relu("act", b.input()));
    b.graph.nodes.clear();
    EXPECT_EQ(error_of([&] { (void)written(b.graph); }), "value %1 is used but never made");
}

/// A small graph, its bytes, and what reading says after `damage`.
template <typename Damage>
std::string complaint(const Damage& damage) {
    Builder b;
    const ConstId slope = b.graph.add_constant("slope", Tensor({2}, 0.5f));
    b.output(b.graph.add("act", PRelu{slope}, {b.input(2, 4, 6)}));
    damage(b.graph);
    const std::vector<uint8_t> bytes = written(b.graph);
    return error_of([&] { (void)read(bytes); });
}

TEST(Serialize, SaysWhatIsWrong) {
    EXPECT_EQ(complaint([](Graph& g) { std::get<PRelu>(g.nodes[0].op).slope = 7; }),
              "node 'act': expected one of 1 constants, found 7");
    EXPECT_EQ(complaint([](Graph& g) {
                  g.nodes[0].op = Slice{1, 1 << 30};
              }),
              "node 'act': expected a whole number of 0 to 16777216, found 1073741824");
    EXPECT_EQ(complaint([](Graph& g) { g.nodes[0].epilogue.scale = 0; }),
              "node 'act': expected scale and shift in the epilogue, found only one of them");
    EXPECT_EQ(complaint([](Graph& g) { g.values[0].desc.shape[0] = 3; }),
              "node 'act': slope 'slope' must have shape 3, found 2");
    EXPECT_EQ(
        complaint([](Graph& g) { g.nodes[0].op = Resize{.size = {.kind = SizeRule::Kind::Scaled, .scale = 1e300}}; }),
        "node 'act': the result would be 2x1000000000x1000000000, which is more than any memory holds");
    EXPECT_EQ(
        complaint([](Graph& g) { g.nodes[0].op = Resize{.size = {.scale = std::numeric_limits<double>::infinity()}}; }),
        "node 'act': expected a finite number, found inf");
    EXPECT_EQ(complaint([](Graph& g) { g.values[0].desc.shape[1] = -4; }),
              "input 'image' must have positive extents, found 2x-4x6");
}

/// Reads, and takes nothing but an Error for a refusal.
void expect_graph_or_error(std::span<const uint8_t> bytes) {
    try {
        ByteReader reader(bytes);
        verify(read_graph(reader), "reading damaged bytes");
    } catch (const Error&) {
    }
}

TEST(Serialize, EveryDamagedByteIsRefusedOrGivesAWholeGraph) {
    const std::vector<uint8_t> bytes = written(every_operation());
    for (size_t i = 0; i < bytes.size(); ++i)
        for (const int flip : {0x01, 0x80, 0xff}) {
            std::vector<uint8_t> damaged = bytes;
            damaged[i] ^= static_cast<uint8_t>(flip);
            SCOPED_TRACE(i);
            expect_graph_or_error(damaged);
        }
}

TEST(Serialize, EveryTruncationIsRefused) {
    const std::vector<uint8_t> bytes = written(every_operation());
    for (size_t length = 0; length < bytes.size(); ++length) {
        ByteReader reader(std::span<const uint8_t>{bytes}.first(length));
        EXPECT_THROW((void)read_graph(reader), Error) << length;
    }
}

TEST(Serialize, LengthsThatLieAllocateNothing) {
    // Every place where four bytes may be a length says four thousand million.
    const std::vector<uint8_t> bytes = written(every_operation());
    for (size_t i = 0; i + 4 <= bytes.size(); ++i) {
        std::vector<uint8_t> damaged = bytes;
        std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(i), 4, uint8_t{0xff});
        expect_graph_or_error(damaged);
    }
}

}  // namespace
}  // namespace vkseg::test
