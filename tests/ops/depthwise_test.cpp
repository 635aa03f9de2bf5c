#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

/// One filter per channel.
struct Case {
    int channels = 0;
    Axes size{};
    Axes kernel{3, 3}, stride{}, dilation{};
    Padding padding{};
    bool bias = true;
    Tail tail{};
};

OpCase make(const Case& test) {
    std::string name = "c" + std::to_string(test.channels) + "_k" + to_string(test.kernel);
    if (test.stride != Axes{}) name += "_s" + to_string(test.stride);
    if (test.dilation != Axes{}) name += "_d" + to_string(test.dilation);
    for (const int side : {test.padding.top, test.padding.bottom, test.padding.left, test.padding.right})
        name += "_p" + std::to_string(side);
    if (!test.bias) name += "_nobias";
    name += "_" + to_string(test.size) + to_string(test.tail);
    const auto build = [test] {
        OpGraph net;
        const ValueId x = net.input(test.channels, test.size);
        Conv2d op{.kernel = test.kernel,
                  .stride = test.stride,
                  .dilation = test.dilation,
                  .padding = test.padding,
                  .groups = test.channels,
                  .out_channels = test.channels};
        op.weight = net.weights({test.channels, 1, test.kernel.h, test.kernel.w}, test.kernel.h * test.kernel.w);
        if (test.bias) op.bias = net.vector(test.channels, -1.0f, 1.0f);
        return net.with_outputs({net.tail(net.add(op, {x}), test.tail)});
    };
    return {.name = name, .build = build, .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    std::vector<Case> table = {
        {.channels = 2, .size = {1, 1}, .padding = pad_all(1, 1)},
        {.channels = 3, .size = {7, 5}, .bias = false},
        {.channels = 4, .size = {17, 67}, .padding = pad_all(1, 1)},
        {.channels = 5, .size = {29, 31}, .padding = pad_all(1, 1)},
        {.channels = 12, .size = {17, 3}, .stride = {2, 2}, .padding = pad_all(1, 1)},
        {.channels = 16, .size = {31, 17}, .stride = {2, 1}, .padding = {0, 1, 1, 2}},
        {.channels = 19, .size = {7, 31}, .stride = {1, 3}, .padding = pad_all(1, 1)},
        {.channels = 25, .size = {1, 29}, .kernel = {1, 3}, .padding = pad_all(0, 1)},
        {.channels = 28, .size = {29, 1}, .kernel = {3, 1}, .padding = pad_all(1, 0)},
        {.channels = 131, .size = {5, 7}, .padding = pad_all(1, 1)},
        {.channels = 5, .size = {17, 7}, .kernel = {5, 5}, .padding = pad_all(2, 2)},
        {.channels = 5, .size = {7, 17}, .kernel = {2, 2}},
        {.channels = 3, .size = {17, 17}, .kernel = {7, 7}, .padding = pad_all(3, 3)},
        {.channels = 12, .size = {17, 29}, .dilation = {4, 4}, .padding = pad_all(4, 4)},
        {.channels = 12, .size = {5, 7}, .dilation = {16, 16}, .padding = pad_all(16, 16)},
        {.channels = 6, .size = {17, 29}, .stride = {2, 2}, .dilation = {2, 3}, .padding = pad_all(2, 3)},
        {.channels = 131,
         .size = {3, 5},
         .padding = pad_all(1, 1),
         .tail = {.add = true, .scale_shift = true, .activation = prelu}},
    };
    for (const Tail& tail : all_tails())
        table.push_back({.channels = 7, .size = {7, 17}, .padding = pad_all(1, 1), .tail = tail});
    std::vector<OpCase> result;
    for (const Case& test : table) result.push_back(make(test));
    return result;
}

INSTANTIATE_TEST_SUITE_P(Depthwise, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
