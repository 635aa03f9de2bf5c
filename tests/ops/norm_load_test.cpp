#include "tests/ops/op_test.hpp"

// Convolutions behind a norm and activation of a concatenation, which GPU-shaped kernels apply as they read.

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

INSTANTIATE_TEST_SUITE_P(NormLoad, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
