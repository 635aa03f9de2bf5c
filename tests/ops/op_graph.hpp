#pragma once

#include "graph/ir/graph.hpp"

#include <random>
#include <string>
#include <vector>

namespace vkseg::test {

/// What follows an operation and must end up in its epilogue, in the epilogue's order.
struct Tail {
    bool add = false;
    bool scale_shift = false;
    Epilogue::Activation activation = Epilogue::Activation::None;
    [[nodiscard]] bool empty() const { return !add && !scale_shift && activation == Epilogue::Activation::None; }
};
constexpr auto relu = Epilogue::Activation::Relu;
constexpr auto prelu = Epilogue::Activation::PRelu;
constexpr auto sigmoid = Epilogue::Activation::Sigmoid;

/// All epilogues that are not empty.
[[nodiscard]] std::vector<Tail> all_tails();
/// Each part at least once, alone and with others. Kernels share the epilogue's code, so all of it on some is enough.
[[nodiscard]] std::vector<Tail> some_tails();
/// "_add_affine_prelu", "" for none.
[[nodiscard]] std::string to_string(const Tail& tail);
/// "3x5": height, width.
[[nodiscard]] std::string to_string(Axes axes);

/// Small graphs for the tests of operations. Constants are random, the same in every run.
class OpGraph {
public:
    Graph graph;

    ValueId input(int channels, Axes size);
    ValueId picture(Axes size, PixelFormat format);
    ValueId labels(Axes size);

    /// One number per channel.
    ConstId vector(int length, float low, float high);
    /// Scaled by the number of terms of a sum, so that results stay near 1.
    ConstId weights(const Shape& shape, int64_t terms);

    /// Adds a node named after its operation and its place.
    ValueId add(Op op, std::vector<ValueId> operands);
    ValueId relu(ValueId x) { return add(Relu{}, {x}); }
    ValueId prelu(ValueId x);
    ValueId scale_shift(ValueId x);
    ValueId batch_norm(ValueId x);
    ValueId plus(ValueId x, ValueId y) { return add(Add{}, {x, y}); }
    ValueId times(ValueId x, ValueId y) { return add(Multiply{}, {x, y}); }
    /// Channels [begin, begin + count).
    ValueId slice(ValueId x, int begin, int count) { return add(Slice{begin, count}, {x}); }
    ValueId shuffle(ValueId x, int groups) { return add(ChannelShuffle{groups}, {x}); }
    ValueId concat(std::vector<ValueId> operands) { return add(Concat{}, std::move(operands)); }
    /// A 1x1 convolution with a bias: makes a value that is not a graph input.
    ValueId conv1x1(ValueId x, int out_channels, int groups = 1);
    /// A 3x3 one that keeps the size.
    ValueId conv3x3(ValueId x, int out_channels, int groups = 1);
    /// One pixel, the mean.
    ValueId global_pool(ValueId x) { return add(AdaptiveAvgPool2d{.size = {.fixed = {1, 1}}}, {x}); }
    /// The separate operations of a tail. What is added is a further input.
    ValueId tail(ValueId x, const Tail& tail);

    Graph with_outputs(std::vector<ValueId> outputs) {
        graph.outputs = std::move(outputs);
        return std::move(graph);
    }
    [[nodiscard]] int channels(ValueId x) const { return graph.desc(x).channels(); }

private:
    ValueId conv(ValueId x, int out_channels, int groups, int kernel);
    ConstId constant(const char* what, const Shape& shape, float low, float high);
    std::mt19937 random_{1};
};

}  // namespace vkseg::test
