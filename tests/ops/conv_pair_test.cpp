#include "tests/ops/op_test.hpp"

// Factorised pairs of convolutions, also several side by side that sum up: one dispatch on a GPU.

namespace vkseg::test {
namespace {

struct Case {
    const char* name = "";
    Axes size{};
    int in_channels = 8, mid_channels = 8, out_channels = 8;
    Axes first{3, 1};
    int second = 3;
    std::vector<int> dilations{1};
    int stride = 1;
    Tail mid_tail{false, false, relu};
    Tail tail{};
    /// The map itself is added.
    bool residual = false;
    int groups = 1;
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.relu(net.input(test.in_channels, test.size));
        const auto conv = [&](ValueId from, int channels, Axes kernel, Axes dilation, int stride, int groups = 1) {
            Conv2d op{.kernel = kernel,
                      .stride = {stride, stride},
                      .dilation = dilation,
                      .padding = pad_all(dilation.h * (kernel.h / 2), dilation.w * (kernel.w / 2)),
                      .groups = groups,
                      .out_channels = channels};
            const int read = net.channels(from) / groups;
            op.weight = net.weights({channels, read, kernel.h, kernel.w}, int64_t{read} * kernel.h * kernel.w);
            op.bias = net.vector(channels, -0.5f, 0.5f);
            return net.add(op, {from});
        };
        ValueId sum = test.residual ? x : no_value;
        for (const int dilation : test.dilations) {
            const ValueId mid = net.tail(
                conv(x, test.mid_channels, test.first, {dilation, dilation}, test.stride, test.groups), test.mid_tail);
            const ValueId y = conv(mid, test.out_channels, {1, test.second}, {1, dilation}, 1);
            sum = sum == no_value ? y : net.plus(y, sum);
        }
        return net.with_outputs({net.tail(sum, test.tail)});
    };
    return {.name = std::string("pair_") + test.name + "_" + to_string(test.size) + to_string(test.tail),
            .build = build};
}

std::vector<OpCase> cases() {
    return {
        make({.name = "plain", .size = {9, 70}}),
        make({.name = "residual", .size = {7, 131}, .tail = {true, true, prelu}}),
        make({.name = "odd_planes",
              .size = {5, 33},
              .in_channels = 19,
              .mid_channels = 16,
              .out_channels = 19,
              .mid_tail = {false, true, prelu},
              .tail = {false, false, relu},
              .residual = true}),
        make({.name = "wide",
              .size = {4, 61},
              .in_channels = 35,
              .mid_channels = 64,
              .out_channels = 67,
              .second = 5,
              .tail = {false, true, sigmoid}}),
        make({.name = "dilated", .size = {23, 50}, .dilations = {9}, .tail = {true, false, relu}}),
        make({.name = "side_by_side",
              .size = {21, 47},
              .in_channels = 12,
              .mid_channels = 36,
              .out_channels = 12,
              .dilations = {2, 5, 9},
              .tail = {false, false, relu},
              .residual = true}),
        make({.name = "side_by_side_plain", .size = {3, 5}, .dilations = {1, 2}, .tail = {false, true, prelu}}),
        make({.name = "strided_to_points",
              .size = {13, 66},
              .in_channels = 3,
              .mid_channels = 3,
              .out_channels = 64,
              .first = {3, 3},
              .second = 1,
              .stride = 2,
              .mid_tail = {false, true, prelu},
              .tail = {true, false, prelu}}),
        make({.name = "in_groups",
              .size = {6, 45},
              .in_channels = 40,
              .mid_channels = 20,
              .out_channels = 13,
              .first = {3, 3},
              .second = 1,
              .mid_tail = {false, true, prelu},
              .groups = 5}),
        make({.name = "one_pixel", .size = {1, 1}, .in_channels = 5, .mid_channels = 6, .out_channels = 7}),
        make({.name = "one_column", .size = {40, 1}, .first = {5, 3}, .second = 5}),
    };
}

INSTANTIATE_TEST_SUITE_P(ConvPair, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
