#include "tests/ops/op_test.hpp"

// ESP and EESP modules after their reduction: parallel dilated convolutions, sums from branch to branch, concatenation,
// epilogue. On a device they are one dispatch.

namespace vkseg::test {
namespace {

struct Case {
    const char* name = "";
    int in_channels = 4;
    /// Of branch 0 and of the others.
    int first = 4, rest = 4;
    std::vector<int> dilations{1, 2, 4, 8, 16};
    Axes size{};
    Tail tail{};
    int stride = 1;
    Axes kernel{3, 3};
    /// First branch that adds the one before it.
    int sums_from = 2;
    bool depthwise = false;
    bool bias = false;
    /// The map comes out of a concatenation, with pad lanes inside.
    bool padded_map = false;
};

OpCase make(const Case& test) {
    std::string name =
        std::string(test.depthwise ? "eesp_" : "esp_") + test.name + "_" + to_string(test.size) + to_string(test.tail);
    const auto build = [=] {
        OpGraph net;
        ValueId x = net.input(3, test.size);
        if (test.padded_map)
            x = net.concat({net.conv1x1(x, test.in_channels / 2), net.conv1x1(x, (test.in_channels + 1) / 2)});
        else
            x = net.conv1x1(x, test.in_channels);
        std::vector<ValueId> parts;
        for (size_t i = 0; i < test.dilations.size(); ++i) {
            const int dilation = test.dilations[i], channels = i == 0 ? test.first : test.rest;
            const int group_in = test.depthwise ? 1 : test.in_channels;
            Conv2d conv{.kernel = test.kernel,
                        .stride = {test.stride, test.stride},
                        .dilation = {dilation, dilation},
                        .padding = pad_all(dilation * (test.kernel.h / 2), dilation * (test.kernel.w / 2)),
                        .groups = test.depthwise ? channels : 1,
                        .out_channels = channels};
            const int taps = test.kernel.h * test.kernel.w;
            conv.weight = net.weights({channels, group_in, test.kernel.h, test.kernel.w}, int64_t{group_in} * taps);
            if (test.bias) conv.bias = net.vector(channels, -0.5f, 0.5f);
            const ValueId y = net.add(conv, {x});
            parts.push_back(static_cast<int>(i) < test.sums_from ? y : net.plus(y, parts.back()));
        }
        return net.with_outputs({net.tail(net.concat(parts), test.tail)});
    };
    return {.name = name, .build = build};
}

std::vector<OpCase> cases() {
    const Tail residual{true, true, prelu}, strided{false, true, prelu};
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails()) result.push_back(make({.name = "k5", .size = {9, 21}, .tail = tail}));
    result.push_back(make({.name = "no_epilogue", .size = {5, 7}}));
    // ESPNet's three widths, over sizes smaller and larger than the widest dilation.
    result.push_back(
        make({.name = "12_to_64", .in_channels = 12, .first = 16, .rest = 12, .size = {17, 35}, .tail = residual}));
    result.push_back(
        make({.name = "25_to_128", .in_channels = 25, .first = 28, .rest = 25, .size = {7, 33}, .tail = residual}));
    result.push_back(
        make({.name = "one_pixel", .in_channels = 5, .first = 7, .rest = 3, .size = {1, 1}, .tail = strided}));
    result.push_back(
        make({.name = "one_row", .in_channels = 6, .first = 9, .rest = 5, .size = {1, 67}, .tail = residual}));
    result.push_back(
        make({.name = "one_column", .in_channels = 6, .first = 2, .rest = 9, .size = {40, 1}, .tail = strided}));
    result.push_back(make({.name = "k2",
                           .in_channels = 3,
                           .first = 5,
                           .rest = 5,
                           .dilations = {1, 2},
                           .size = {11, 13},
                           .tail = strided}));
    result.push_back(make({.name = "k8",
                           .in_channels = 8,
                           .first = 8,
                           .rest = 8,
                           .dilations = {1, 2, 4, 8, 16, 32, 64, 128},
                           .size = {35, 18},
                           .tail = residual,
                           .sums_from = 5}));
    result.push_back(make({.name = "strided",
                           .in_channels = 7,
                           .first = 6,
                           .rest = 6,
                           .dilations = {1, 2, 3},
                           .size = {13, 22},
                           .tail = strided,
                           .stride = 2}));
    result.push_back(make({.name = "kernel_5x3",
                           .in_channels = 4,
                           .dilations = {3, 1, 2},
                           .size = {14, 9},
                           .tail = strided,
                           .kernel = {5, 3}}));
    result.push_back(make({.name = "all_summed",
                           .in_channels = 6,
                           .first = 6,
                           .rest = 6,
                           .size = {12, 19},
                           .tail = residual,
                           .sums_from = 1,
                           .bias = true}));
    result.push_back(make({.name = "padded_map",
                           .in_channels = 6,
                           .first = 5,
                           .rest = 3,
                           .size = {12, 19},
                           .tail = strided,
                           .bias = true,
                           .padded_map = true}));

    for (const Tail& tail : some_tails())
        result.push_back(make({.name = "k4",
                               .dilations = {1, 1, 2, 3},
                               .size = {9, 21},
                               .tail = tail,
                               .sums_from = 1,
                               .depthwise = true}));
    const auto depthwise = [&](Case test, int channels) {
        test.in_channels = test.first = test.rest = channels;
        test.depthwise = true;
        test.sums_from = 1;
        if (test.dilations.size() == 5) test.dilations = {1, 2, 3, 4};
        result.push_back(make(test));
    };
    depthwise({.name = "c3_no_epilogue", .size = {5, 7}}, 3);
    depthwise({.name = "c25", .size = {7, 33}, .tail = residual, .bias = true}, 25);
    depthwise({.name = "c36", .size = {19, 6}, .tail = strided}, 36);
    depthwise({.name = "one_pixel", .size = {1, 1}, .tail = strided}, 10);
    depthwise({.name = "strided", .size = {15, 18}, .tail = strided, .stride = 2}, 18);
    depthwise({.name = "strided_even", .size = {16, 17}, .tail = residual, .stride = 2, .bias = true}, 4);
    depthwise({.name = "padded_map", .size = {8, 17}, .tail = residual, .padded_map = true}, 14);
    depthwise({.name = "k2", .dilations = {5, 2}, .size = {8, 17}, .tail = strided, .kernel = {3, 5}}, 6);
    return result;
}

INSTANTIATE_TEST_SUITE_P(Pyramid, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
