#include "tests/ops/op_test.hpp"

// Strided convolutions with a pooled shortcut beside them: one dispatch on a GPU.

namespace vkseg::test {
namespace {

struct Case {
    const char* name = "";
    Axes size{};
    int in_channels = 4, conv_channels = 4;
    Axes kernel{3, 3};
    Pool2d pool{.kernel = {2, 2}, .stride = {2, 2}};
    Tail tail{};
    bool pool_leads = false;
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.relu(net.input(test.in_channels, test.size));
        Conv2d op{.kernel = test.kernel,
                  .stride = {2, 2},
                  .padding = pad_all(test.kernel.h / 2, test.kernel.w / 2),
                  .out_channels = test.conv_channels};
        op.weight = net.weights({test.conv_channels, test.in_channels, test.kernel.h, test.kernel.w},
                                int64_t{test.in_channels} * test.kernel.h * test.kernel.w);
        op.bias = net.vector(test.conv_channels, -0.5f, 0.5f);
        const ValueId conv = net.add(op, {x}), pooled = net.add(test.pool, {x});
        return net.with_outputs(
            {net.tail(net.concat(test.pool_leads ? std::vector{pooled, conv} : std::vector{conv, pooled}), test.tail)});
    };
    return {.name = std::string("down_") + test.name + "_" + to_string(test.size) + to_string(test.tail),
            .build = build};
}

std::vector<OpCase> cases() {
    const Pool2d average{.kind = Pool2d::Kind::Average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
    Pool2d inside = average;
    inside.count_include_pad = false;
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails())
        if (!tail.add) result.push_back(make({.name = "tails", .size = {10, 36}, .tail = tail}));
    result.push_back(make(
        {.name = "odd_planes", .size = {8, 14}, .in_channels = 19, .conv_channels = 45, .tail = {false, true, relu}}));
    result.push_back(make({.name = "nine_planes", .size = {4, 70}, .in_channels = 3, .conv_channels = 35}));
    result.push_back(make({.name = "average", .size = {9, 17}, .pool = average, .tail = {false, true, prelu}}));
    result.push_back(make(
        {.name = "average_inside", .size = {9, 17}, .pool = inside, .tail = {false, true, prelu}, .pool_leads = true}));
    result.push_back(make({.name = "one_pixel", .size = {1, 1}, .in_channels = 5, .pool = average}));
    return result;
}

INSTANTIATE_TEST_SUITE_P(DownUnit, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
