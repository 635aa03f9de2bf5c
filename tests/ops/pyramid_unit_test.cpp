#include "tests/ops/op_test.hpp"

// Pyramids with the 1x1 convolutions behind them: an EESP unit with its expansion, and the reduction of the next
// module.

namespace vkseg::test {
namespace {

struct Case {
    const char* name = "";
    bool depthwise = false;
    int in_channels = 4;
    /// Of branch 0 and of the others; depthwise ones have `in_channels`.
    int first = 4, rest = 4;
    std::vector<int> dilations{1, 2, 4};
    Axes size{};
    int stride = 1;
    Axes kernel{3, 3};
    Tail tail{};
    /// Behind the pyramid, if it is not itself a result.
    int mix_channels = 0, mix_groups = 1;
    Tail mix_tail{};
    int rider_channels = 0, rider_groups = 1;
    Tail rider_tail{};
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.conv1x1(net.input(3, test.size), test.in_channels);
        std::vector<ValueId> parts;
        for (size_t i = 0; i < test.dilations.size(); ++i) {
            const int dilation = test.dilations[i];
            const int channels = test.depthwise ? test.in_channels : i == 0 ? test.first : test.rest;
            const int group_in = test.depthwise ? 1 : test.in_channels;
            Conv2d conv{.kernel = test.kernel,
                        .stride = {test.stride, test.stride},
                        .dilation = {dilation, dilation},
                        .padding = pad_all(dilation * (test.kernel.h / 2), dilation * (test.kernel.w / 2)),
                        .groups = test.depthwise ? channels : 1,
                        .out_channels = channels};
            const int taps = test.kernel.h * test.kernel.w;
            conv.weight = net.weights({channels, group_in, test.kernel.h, test.kernel.w}, int64_t{group_in} * taps);
            conv.bias = net.vector(channels, -0.5f, 0.5f);
            const ValueId y = net.add(conv, {x});
            parts.push_back(i < (test.depthwise ? 1u : 2u) ? y : net.plus(y, parts.back()));
        }
        std::vector<ValueId> outputs;
        ValueId y = net.tail(net.concat(parts), test.tail);
        if (test.mix_channels != 0) y = net.tail(net.conv1x1(y, test.mix_channels, test.mix_groups), test.mix_tail);
        // Read by an operation that no fusion takes, so that it is stored.
        if (test.rider_channels != 0)
            outputs.push_back(net.tail(net.conv1x1(y, test.rider_channels, test.rider_groups), test.rider_tail));
        outputs.push_back(net.add(Pool2d{.kernel = {2, 2}, .stride = {1, 1}, .padding = {1, 1}}, {y}));
        return net.with_outputs(outputs);
    };
    return {.name = std::string(test.depthwise ? "eesp_" : "esp_") + test.name + "_" + to_string(test.size) +
                    to_string(test.tail) + to_string(test.mix_tail) + to_string(test.rider_tail),
            .build = build};
}

std::vector<OpCase> cases() {
    const Tail residual{true, true, prelu}, norm{false, true, prelu}, act{false, false, prelu};
    std::vector<OpCase> result;
    // ESP modules: the pyramid is stored, and reduced for the next one.
    result.push_back(make({.name = "12_to_64",
                           .in_channels = 12,
                           .first = 16,
                           .rest = 12,
                           .dilations = {1, 2, 4, 8, 16},
                           .size = {17, 67},
                           .tail = residual,
                           .rider_channels = 12,
                           .rider_tail = {}}));
    result.push_back(make({.name = "25_to_128",
                           .in_channels = 25,
                           .first = 28,
                           .rest = 25,
                           .dilations = {1, 2, 4, 8, 16},
                           .size = {5, 33},
                           .tail = residual,
                           .rider_channels = 25,
                           .rider_tail = norm}));
    result.push_back(make({.name = "rider_wider",
                           .in_channels = 3,
                           .first = 9,
                           .rest = 5,
                           .size = {1, 7},
                           .tail = norm,
                           .rider_channels = 70,
                           .rider_tail = {false, false, relu}}));
    result.push_back(make({.name = "rider_in_groups",
                           .in_channels = 5,
                           .first = 4,
                           .rest = 4,
                           .size = {9, 3},
                           .tail = norm,
                           .rider_channels = 12,
                           .rider_groups = 3}));
    result.push_back(make({.name = "rider_groups_within_planes",
                           .in_channels = 5,
                           .first = 6,
                           .rest = 6,
                           .size = {4, 20},
                           .stride = 2,
                           .rider_channels = 6,
                           .rider_groups = 3}));
    // EESP units: the expansion is stored, its sum reduced for the next one.
    const auto unit = [&](Case test) {
        test.depthwise = true;
        test.dilations = {1, 1, 2, 3};
        result.push_back(make(test));
    };
    for (const Tail& tail : {Tail{}, Tail{true, false, relu}, Tail{false, true, sigmoid}})
        unit({.name = "tails",
              .in_channels = 8,
              .size = {6, 19},
              .tail = norm,
              .mix_channels = 32,
              .mix_groups = 4,
              .mix_tail = tail,
              .rider_channels = 16,
              .rider_groups = 4,
              .rider_tail = tail.add ? norm : tail});
    unit({.name = "no_rider",
          .in_channels = 8,
          .size = {9, 40},
          .tail = norm,
          .mix_channels = 16,
          .mix_groups = 4,
          .mix_tail = residual});
    unit({.name = "strided",
          .in_channels = 16,
          .size = {13, 22},
          .stride = 2,
          .tail = norm,
          .mix_channels = 48,
          .mix_groups = 4});
    unit({.name = "wide",
          .in_channels = 72,
          .size = {3, 18},
          .tail = act,
          .mix_channels = 288,
          .mix_groups = 4,
          .mix_tail = {true, false, prelu},
          .rider_channels = 72,
          .rider_groups = 4,
          .rider_tail = act});
    unit({.name = "narrow_groups",
          .in_channels = 4,
          .size = {5, 9},
          .tail = norm,
          .mix_channels = 8,
          .mix_groups = 4,
          .rider_channels = 5});
    unit({.name = "rider_of_all",
          .in_channels = 8,
          .size = {7, 17},
          .tail = norm,
          .mix_channels = 32,
          .mix_groups = 4,
          .mix_tail = residual,
          .rider_channels = 10,
          .rider_tail = norm});
    unit({.name = "mix_of_all",
          .in_channels = 9,
          .size = {7, 17},
          .tail = norm,
          .mix_channels = 30,
          .mix_tail = residual,
          .rider_channels = 10});
    unit({.name = "one_pixel",
          .in_channels = 8,
          .size = {1, 1},
          .kernel = {3, 5},
          .tail = norm,
          .mix_channels = 16,
          .mix_groups = 4,
          .rider_channels = 16,
          .rider_groups = 4});
    return result;
}

INSTANTIATE_TEST_SUITE_P(PyramidUnit, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
