#include "tests/ops/op_graph.hpp"

#include "graph/ops/rules.hpp"

#include <cmath>

namespace vkseg::test {

using Activation = Epilogue::Activation;

std::vector<Tail> all_tails() {
    std::vector<Tail> tails;
    for (const bool add : {false, true})
        for (const bool scale_shift : {false, true})
            for (const Activation activation :
                 {Activation::None, Activation::Relu, Activation::PRelu, Activation::Sigmoid})
                if (const Tail tail{add, scale_shift, activation}; !tail.empty()) tails.push_back(tail);
    return tails;
}

std::vector<Tail> some_tails() {
    return {{.add = true},
            {.scale_shift = true},
            {.activation = Activation::Relu},
            {.add = true, .activation = Activation::PRelu},
            {.scale_shift = true, .activation = Activation::Sigmoid},
            {.add = true, .scale_shift = true, .activation = Activation::PRelu}};
}

std::string to_string(const Tail& tail) {
    std::string text;
    if (tail.add) text += "_add";
    if (tail.scale_shift) text += "_affine";
    if (tail.activation == Activation::Relu) text += "_relu";
    if (tail.activation == Activation::PRelu) text += "_prelu";
    if (tail.activation == Activation::Sigmoid) text += "_sigmoid";
    return text;
}

std::string to_string(Axes axes) {
    return std::to_string(axes.h) + "x" + std::to_string(axes.w);
}

ValueId OpGraph::input(int channels, Axes size) {
    return graph.add_input("input" + std::to_string(graph.inputs.size()),
                           {ValueKind::Features, {channels, size.h, size.w}});
}

ValueId OpGraph::picture(Axes size, PixelFormat format) {
    return graph.add_input("picture", {ValueKind::Pixels, {size.h, size.w, bytes_per_pixel(format)}});
}

ValueId OpGraph::labels(Axes size) {
    return graph.add_input("labels", {ValueKind::Labels, {1, size.h, size.w}});
}

ConstId OpGraph::constant(const char* what, const Shape& shape, float low, float high) {
    Tensor tensor(shape);
    // Not std::uniform_real_distribution, whose numbers differ between standard libraries.
    for (float& value : tensor.data)
        value = low + (high - low) * static_cast<float>(random_() >> 8) / static_cast<float>(1u << 24);
    return graph.add_constant(what + std::to_string(graph.constants.size()), std::move(tensor));
}

ConstId OpGraph::vector(int length, float low, float high) {
    return constant("vector", {length}, low, high);
}

ConstId OpGraph::weights(const Shape& shape, int64_t terms) {
    // Inputs spread over [-4, 4) have a standard deviation of 2.3, these weights one of 0.58 * bound.
    const float bound = 0.75f / std::sqrt(static_cast<float>(terms));
    return constant("weight", shape, -bound, bound);
}

ValueId OpGraph::add(Op op, std::vector<ValueId> operands) {
    const std::string name = op_name(op) + std::to_string(graph.nodes.size());
    return graph.add(name, std::move(op), std::move(operands));
}

ValueId OpGraph::prelu(ValueId x) {
    // Slopes below 0 and above 1 are legal too.
    return add(PRelu{vector(channels(x), -0.5f, 1.5f)}, {x});
}

ValueId OpGraph::scale_shift(ValueId x) {
    const ConstId scale = vector(channels(x), -1.5f, 1.5f);
    return add(ScaleShift{scale, vector(channels(x), -1.0f, 1.0f)}, {x});
}

ValueId OpGraph::batch_norm(ValueId x) {
    BatchNorm op;
    op.gamma = vector(channels(x), 0.5f, 1.5f);
    op.beta = vector(channels(x), -1.0f, 1.0f);
    op.mean = vector(channels(x), -1.0f, 1.0f);
    op.variance = vector(channels(x), 0.25f, 2.0f);
    return add(op, {x});
}

ValueId OpGraph::conv(ValueId x, int out_channels, int groups, int kernel) {
    const int group_in = channels(x) / groups;
    Conv2d op{.kernel = {kernel, kernel},
              .padding = pad_all(kernel / 2, kernel / 2),
              .groups = groups,
              .out_channels = out_channels};
    op.weight = weights({out_channels, group_in, kernel, kernel}, group_in * kernel * kernel);
    op.bias = vector(out_channels, -1.0f, 1.0f);
    return add(op, {x});
}

ValueId OpGraph::conv1x1(ValueId x, int out_channels, int groups) {
    return conv(x, out_channels, groups, 1);
}
ValueId OpGraph::conv3x3(ValueId x, int out_channels, int groups) {
    return conv(x, out_channels, groups, 3);
}

ValueId OpGraph::tail(ValueId x, const Tail& tail) {
    if (tail.add) {
        const TensorDesc desc = graph.desc(x);
        x = plus(x, input(desc.channels(), {desc.height(), desc.width()}));
    }
    if (tail.scale_shift) x = scale_shift(x);
    if (tail.activation == Activation::Relu) x = relu(x);
    if (tail.activation == Activation::PRelu) x = prelu(x);
    if (tail.activation == Activation::Sigmoid) x = add(Sigmoid{}, {x});
    return x;
}

}  // namespace vkseg::test
