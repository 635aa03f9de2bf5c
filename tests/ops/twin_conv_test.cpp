#include "tests/ops/op_test.hpp"

// Two convolutions of one shape on maps of their own: one dispatch with two results on a GPU.

namespace vkseg::test {
namespace {

struct Case {
    const char* name = "";
    Axes first{}, second{};
    Axes kernel{3, 3};
    int stride = 1, dilation = 1;
    int in_channels = 4, out_channels = 4;
    Tail tail{};
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        std::vector<ValueId> outputs;
        for (const Axes size : {test.first, test.second}) {
            const ValueId x = net.relu(net.input(test.in_channels, size));
            Conv2d op{.kernel = test.kernel,
                      .stride = {test.stride, test.stride},
                      .dilation = {test.dilation, test.dilation},
                      .padding = pad_all(test.dilation * (test.kernel.h / 2), test.dilation * (test.kernel.w / 2))};
            op.out_channels = test.out_channels;
            op.weight = net.weights({test.out_channels, test.in_channels, test.kernel.h, test.kernel.w},
                                    int64_t{test.in_channels} * test.kernel.h * test.kernel.w);
            op.bias = net.vector(test.out_channels, -0.5f, 0.5f);
            // A second pair reads the first one's results.
            outputs.push_back(net.conv3x3(net.tail(net.add(op, {x}), test.tail), 6));
        }
        return net.with_outputs(outputs);
    };
    return {.name = std::string("twin_") + test.name + to_string(test.tail), .build = build};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails())
        if (!tail.add) result.push_back(make({.name = "tails", .first = {9, 21}, .second = {5, 7}, .tail = tail}));
    result.push_back(make({.name = "small_first", .first = {2, 3}, .second = {11, 37}}));
    result.push_back(
        make({.name = "wide_and_high", .first = {3, 40}, .second = {21, 5}, .tail = {false, true, prelu}}));
    result.push_back(make({.name = "one_size", .first = {8, 16}, .second = {8, 16}}));
    result.push_back(make({.name = "many_planes",
                           .first = {7, 18},
                           .second = {3, 4},
                           .in_channels = 9,
                           .out_channels = 70,
                           .tail = {false, true, prelu}}));
    result.push_back(make({.name = "strided",
                           .first = {17, 35},
                           .second = {8, 9},
                           .stride = 2,
                           .in_channels = 3,
                           .out_channels = 8,
                           .tail = {false, false, relu}}));
    result.push_back(make({.name = "dilated_5x3",
                           .first = {13, 9},
                           .second = {1, 1},
                           .kernel = {5, 3},
                           .dilation = 2,
                           .in_channels = 6,
                           .out_channels = 17}));
    return result;
}

INSTANTIATE_TEST_SUITE_P(TwinConv, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
