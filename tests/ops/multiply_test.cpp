#include "tests/ops/op_test.hpp"

// Products, and sums and products whose second operand is one pixel that counts for all: attention.

namespace vkseg::test {
namespace {

constexpr Axes one_pixel{1, 1};

OpCase product(int channels, Axes size, Axes second, const Tail& tail = {}) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.input(channels, size);
        return net.with_outputs({net.tail(net.times(x, net.input(channels, second)), tail)});
    };
    return {
        .name = "c" + std::to_string(channels) + "_" + to_string(size) + "_by_" + to_string(second) + to_string(tail),
        .build = build,
        // A product reads a second operand already, so a sum becomes a node of its own.
        .simplified_nodes = tail.add ? size_t{2} : size_t{1}};
}

OpCase make(std::string name, std::function<ValueId(OpGraph&)> build) {
    return {.name = std::move(name), .build = [build = std::move(build)] {
                OpGraph net;
                const ValueId result = build(net);
                return net.with_outputs({result});
            }};
}

std::vector<OpCase> product_cases() {
    std::vector<OpCase> result;
    for (const auto& [channels, size] : std::vector<std::pair<int, Axes>>{
             {1, {1, 1}}, {2, {1, 31}}, {3, {31, 1}}, {4, {17, 67}}, {5, {7, 17}}, {36, {5, 3}}, {131, {3, 5}}}) {
        result.push_back(product(channels, size, size));
        if (size != one_pixel) result.push_back(product(channels, size, one_pixel));
    }
    for (const Tail& tail : some_tails()) {
        result.push_back(product(7, {5, 7}, {5, 7}, tail));
        result.push_back(product(40, {5, 7}, one_pixel, tail));
    }
    return result;
}

std::vector<OpCase> graph_cases() {
    constexpr Axes size{7, 17};
    const auto concat = [](OpGraph& net, int first, int second, Axes at) {
        const ValueId x = net.conv1x1(net.input(3, at), first);
        return net.concat({x, net.conv1x1(net.input(2, at), second)});
    };
    return {
        make("square",
             [=](OpGraph& net) {
                 const ValueId x = net.input(5, size);
                 return net.times(x, x);
             }),
        make("channel_attention",
             [=](OpGraph& net) {
                 const ValueId x = net.conv1x1(net.input(3, size), 12);
                 return net.times(x, net.add(Sigmoid{}, {net.conv1x1(net.global_pool(x), 12)}));
             }),
        make("attention_of_concat",
             [=](OpGraph& net) {
                 const ValueId x = concat(net, 5, 3, size);
                 return net.plus(net.times(x, net.add(Sigmoid{}, {net.global_pool(x)})), x);
             }),
        make("other_map", [=](OpGraph& net) { return net.times(concat(net, 5, 3, size), concat(net, 3, 5, size)); }),
        make("pixel_of_other_map",
             [=](OpGraph& net) { return net.times(concat(net, 5, 3, size), concat(net, 3, 5, one_pixel)); }),
        // What is left in place must still be there for the last reader.
        make("operand_lives_on",
             [=](OpGraph& net) {
                 const ValueId x = net.conv1x1(net.input(3, size), 5), y = net.conv1x1(net.input(3, size), 5);
                 return net.plus(net.times(x, y), net.relu(y));
             }),
        make("pixel_plus_input", [=](OpGraph& net) { return net.plus(net.input(5, size), net.input(5, one_pixel)); }),
        make("pixel_plus_conv",
             [=](OpGraph& net) {
                 const ValueId pixel = net.input(36, one_pixel);
                 return net.relu(net.plus(net.conv3x3(net.input(3, size), 36), pixel));
             }),
        make("pixel_made_after_conv",
             [=](OpGraph& net) {
                 const ValueId x = net.conv3x3(net.input(3, size), 5);
                 return net.prelu(net.plus(x, net.conv1x1(net.global_pool(x), 5)));
             }),
        make("pixel_plus_resize",
             [=](OpGraph& net) {
                 const ValueId pixel = net.input(5, one_pixel);
                 return net.plus(net.add(Resize{.size = {.fixed = {11, 13}}}, {net.input(5, size)}), pixel);
             }),
        make("pixel_plus_transposed",
             [=](OpGraph& net) {
                 const ValueId pixel = net.input(5, one_pixel);
                 ConvTranspose2d op{.kernel = {2, 2}, .stride = {2, 2}, .out_channels = 5};
                 op.weight = net.weights({3, 5, 2, 2}, 3);
                 return net.plus(net.add(op, {net.input(3, size)}), pixel);
             }),
        make("pixel_plus_pixel",
             [=](OpGraph& net) { return net.plus(net.input(5, one_pixel), net.input(5, one_pixel)); }),
    };
}

INSTANTIATE_TEST_SUITE_P(Multiply, OpTest, everywhere(product_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Broadcast, OpTest, everywhere(graph_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
