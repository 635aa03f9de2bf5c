#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

struct Case {
    int in = 0, out = 0;
    Axes size{};
    Axes kernel{}, stride{}, dilation{};
    Padding padding{};
    Axes output_padding{0, 0};
    int groups = 1;
    bool bias = true;
    Tail tail{};
};

OpCase make(const Case& test) {
    std::string name = std::to_string(test.in) + "to" + std::to_string(test.out) + "_k" + to_string(test.kernel) +
                       "_s" + to_string(test.stride);
    if (test.dilation != Axes{}) name += "_d" + to_string(test.dilation);
    if (test.padding != Padding{})
        for (const int side : {test.padding.top, test.padding.bottom, test.padding.left, test.padding.right})
            name += "_p" + std::to_string(side);
    if (test.output_padding != Axes{0, 0}) name += "_op" + to_string(test.output_padding);
    if (test.groups > 1) name += "_g" + std::to_string(test.groups);
    if (!test.bias) name += "_nobias";
    name += "_" + to_string(test.size) + to_string(test.tail);
    const auto build = [test] {
        OpGraph net;
        const ValueId x = net.input(test.in, test.size);
        ConvTranspose2d op{.kernel = test.kernel,
                           .stride = test.stride,
                           .dilation = test.dilation,
                           .padding = test.padding,
                           .output_padding = test.output_padding,
                           .groups = test.groups,
                           .out_channels = test.out};
        const Axes &k = test.kernel, &s = test.stride;
        // Every output is reached by about one tap in stride^2.
        op.weight = net.weights({test.in, test.out / test.groups, k.h, k.w},
                                std::max(1, test.in / test.groups * k.h * k.w / (s.h * s.w)));
        if (test.bias) op.bias = net.vector(test.out, -1.0f, 1.0f);
        return net.with_outputs({net.tail(net.add(op, {x}), test.tail)});
    };
    return {.name = name, .build = build, .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    constexpr Axes once{1, 1}, twice{2, 2}, thrice{3, 3};
    std::vector<Case> table = {
        {.in = 1, .out = 1, .size = {1, 1}, .kernel = {1, 1}, .stride = once},
        {.in = 19, .out = 16, .size = {7, 5}, .kernel = {2, 2}, .stride = twice},
        {.in = 5, .out = 3, .size = {17, 29}, .kernel = {2, 2}, .stride = twice, .bias = false},
        {.in = 4, .out = 4, .size = {9, 37}, .kernel = {2, 2}, .stride = twice},
        {.in = 12,
         .out = 5,
         .size = {7, 17},
         .kernel = {3, 3},
         .stride = twice,
         .padding = pad_all(1, 1),
         .output_padding = {1, 1}},
        {.in = 5, .out = 4, .size = {5, 31}, .kernel = {4, 4}, .stride = twice, .padding = pad_all(1, 1)},
        {.in = 3, .out = 5, .size = {7, 5}, .kernel = {3, 3}, .stride = once, .padding = pad_all(1, 1)},
        {.in = 2,
         .out = 3,
         .size = {5, 7},
         .kernel = {5, 5},
         .stride = thrice,
         .padding = pad_all(2, 2),
         .output_padding = {1, 2}},
        {.in = 4, .out = 2, .size = {3, 17}, .kernel = {4, 3}, .stride = {2, 3}},
        // Outputs that no element reaches: bias alone, or zero.
        {.in = 4, .out = 5, .size = {5, 7}, .kernel = {2, 2}, .stride = thrice},
        {.in = 4, .out = 5, .size = {5, 7}, .kernel = {1, 1}, .stride = twice, .output_padding = {1, 1}, .bias = false},
        // Dilations that share a divisor with the stride, and that do not.
        {.in = 3,
         .out = 4,
         .size = {7, 5},
         .kernel = {3, 3},
         .stride = twice,
         .dilation = {2, 3},
         .padding = pad_all(2, 3)},
        {.in = 3, .out = 4, .size = {5, 7}, .kernel = {3, 2}, .stride = {3, 1}, .dilation = {3, 2}},
        {.in = 3, .out = 4, .size = {3, 2}, .kernel = {3, 3}, .stride = {2, 1}, .dilation = {16, 7}},
        {.in = 4, .out = 5, .size = {5, 7}, .kernel = {3, 3}, .stride = twice, .padding = {1, 0, 0, 1}},
        {.in = 3, .out = 2, .size = {1, 1}, .kernel = {2, 2}, .stride = thrice},
        {.in = 5, .out = 5, .size = {1, 29}, .kernel = {3, 3}, .stride = {1, 2}, .padding = pad_all(1, 1)},
        {.in = 10, .out = 6, .size = {7, 5}, .kernel = {3, 3}, .stride = twice, .padding = pad_all(1, 1), .groups = 2},
        {.in = 12, .out = 20, .size = {3, 5}, .kernel = {2, 2}, .stride = twice, .groups = 4},
        {.in = 5, .out = 5, .size = {5, 7}, .kernel = {4, 4}, .stride = twice, .padding = pad_all(1, 1), .groups = 5},
        {.in = 5, .out = 10, .size = {5, 7}, .kernel = {2, 2}, .stride = twice, .groups = 5},
        {.in = 131, .out = 3, .size = {3, 5}, .kernel = {2, 2}, .stride = twice},
        {.in = 3,
         .out = 40,
         .size = {5, 3},
         .kernel = {2, 2},
         .stride = twice,
         .tail = {.add = true, .scale_shift = true, .activation = prelu}},
    };
    for (const Tail& tail : some_tails())
        table.push_back({.in = 5, .out = 7, .size = {5, 7}, .kernel = {2, 2}, .stride = twice, .tail = tail});
    std::vector<OpCase> result;
    for (const Case& test : table) result.push_back(make(test));
    return result;
}

INSTANTIATE_TEST_SUITE_P(ConvTranspose2d, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
