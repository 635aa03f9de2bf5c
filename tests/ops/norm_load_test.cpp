#include "tests/ops/op_test.hpp"

// What GPU-shaped convolutions do as they read: a norm and activation, two operands of a concatenation.

namespace vkseg::test {
namespace {

OpCase make(const std::string& name, Axes size, const Tail& norm, const Conv2d& op, const Tail& tail = {},
            bool twice = false) {
    const auto build = [=] {
        OpGraph net;
        // 5 + 3 channels: pad lanes in the middle.
        const ValueId x = net.concat({net.input(5, size), net.input(3, size)});
        const ValueId y = net.tail(x, norm);
        std::vector<ValueId> outputs;
        const auto conv = [&](Axes kernel, Axes stride, int out_channels) {
            Conv2d full = op;
            full.kernel = kernel;
            full.stride = stride;
            full.padding = pad_all(op.dilation.h * (kernel.h / 2), op.dilation.w * (kernel.w / 2));
            full.out_channels = out_channels;
            full.weight = net.weights({out_channels, 8, kernel.h, kernel.w}, int64_t{8} * kernel.h * kernel.w);
            full.bias = net.vector(out_channels, -0.5f, 0.5f);
            outputs.push_back(net.tail(net.add(full, {y}), tail));
        };
        conv(op.kernel, op.stride, 9);
        if (twice) conv({1, 1}, {1, 1}, 35);
        return net.with_outputs(outputs);
    };
    return {.name = "norm_load_" + name + "_" + to_string(size) + to_string(norm), .build = build};
}

std::vector<OpCase> cases() {
    const Tail full{false, true, prelu};
    std::vector<OpCase> result;
    for (const Tail& norm : {full, Tail{false, true}, Tail{false, false, relu}, Tail{false, true, sigmoid},
                             Tail{false, false, prelu}, Tail{false, true, relu}})
        result.push_back(make("1x1", {5, 19}, norm, {}));
    // A shift moves zeros, but not those beyond the border.
    result.push_back(make("3x3_s2", {9, 34}, full, {.kernel = {3, 3}, .stride = {2, 2}}));
    result.push_back(make("3x3_s2_dilated", {9, 34}, {false, true, sigmoid},
                          {.kernel = {3, 3}, .stride = {2, 2}, .dilation = {2, 2}}));
    result.push_back(make("1x1_with_tail", {7, 3}, full, {}, {true, true, prelu}));
    result.push_back(make("two_readers", {8, 17}, full, {.kernel = {3, 3}, .stride = {2, 2}}, {}, true));
    result.push_back(make("one_pixel", {1, 1}, full, {.kernel = {3, 3}, .stride = {2, 2}}));
    return result;
}

/// Two concatenations that want the same operand: one of the two convolutions reads two places.
OpCase shared_operand(Axes size, int first, int second, Axes kernel, int stride, int out_channels) {
    const auto build = [=] {
        OpGraph net;
        const ValueId shared = net.conv1x1(net.input(3, size), first), other = net.conv1x1(net.input(4, size), second);
        std::vector<ValueId> outputs{net.conv1x1(net.concat({shared, net.input(2, size)}), 3)};
        Conv2d op{.kernel = kernel, .stride = {stride, stride}, .padding = pad_all(kernel.h / 2, kernel.w / 2)};
        op.out_channels = out_channels;
        const int in = first + second;
        op.weight = net.weights({out_channels, in, kernel.h, kernel.w}, int64_t{in} * kernel.h * kernel.w);
        op.bias = net.vector(out_channels, -0.5f, 0.5f);
        outputs.push_back(net.tail(net.add(op, {net.concat({other, shared})}), {false, true, prelu}));
        return net.with_outputs(outputs);
    };
    return {.name = "concat_load_" + to_string(size) + "_" + std::to_string(second) + "_" + std::to_string(first) +
                    "_k" + to_string(kernel) + "_s" + std::to_string(stride) + "_to_" + std::to_string(out_channels),
            .build = build};
}

std::vector<OpCase> shared_operands() {
    return {shared_operand({9, 18}, 16, 20, {3, 3}, 1, 20), shared_operand({5, 7}, 3, 5, {1, 1}, 1, 9),
            shared_operand({8, 33}, 7, 2, {3, 1}, 2, 35), shared_operand({1, 1}, 4, 4, {3, 3}, 1, 4)};
}

INSTANTIATE_TEST_SUITE_P(ConcatLoad, OpTest, everywhere(shared_operands()), param_name);
INSTANTIATE_TEST_SUITE_P(NormLoad, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
