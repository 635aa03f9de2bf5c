#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

struct Case {
    int in = 0, out = 0;
    Axes size{};
    Axes kernel{}, stride{}, dilation{};
    Padding padding{};
    int groups = 1;
    bool bias = true;
    Tail tail{};
};

/// Only what is not the default, so that names stay readable.
std::string name_of(const Case& test) {
    std::string name = std::to_string(test.in) + "to" + std::to_string(test.out) + "_k" + to_string(test.kernel);
    if (test.stride != Axes{}) name += "_s" + to_string(test.stride);
    if (test.dilation != Axes{}) name += "_d" + to_string(test.dilation);
    const Padding& pad = test.padding;
    if (pad == pad_all(pad.top, pad.left)) {
        if (pad != Padding{}) name += "_p" + to_string(Axes{pad.top, pad.left});
    } else {
        for (const int side : {pad.top, pad.bottom, pad.left, pad.right}) name += "_p" + std::to_string(side);
    }
    if (test.groups > 1) name += "_g" + std::to_string(test.groups);
    if (!test.bias) name += "_nobias";
    return name + "_" + to_string(test.size) + to_string(test.tail);
}

OpCase make(const Case& test) {
    const auto build = [test] {
        OpGraph net;
        const ValueId x = net.input(test.in, test.size);
        Conv2d op{.kernel = test.kernel,
                  .stride = test.stride,
                  .dilation = test.dilation,
                  .padding = test.padding,
                  .groups = test.groups,
                  .out_channels = test.out};
        const int group_in = test.in / test.groups;
        op.weight =
            net.weights({test.out, group_in, test.kernel.h, test.kernel.w}, group_in * test.kernel.h * test.kernel.w);
        if (test.bias) op.bias = net.vector(test.out, -1.0f, 1.0f);
        return net.with_outputs({net.tail(net.add(op, {x}), test.tail)});
    };
    return {.name = name_of(test), .build = build, .simplified_nodes = 1};
}

std::vector<OpCase> make_all(const std::vector<Case>& table) {
    std::vector<OpCase> result;
    for (const Case& test : table) result.push_back(make(test));
    return result;
}

// Wide pictures (37, 67) need several workgroups along x, where a GPU-shaped invocation makes two pixels; more than 8
// output planes need several blocks: 36 channels are 8+1 planes, 40 are 2x5.
std::vector<OpCase> plain_cases() {
    return make_all({
        {.in = 1, .out = 1, .size = {1, 1}},
        {.in = 1, .out = 5, .size = {1, 1}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 4, .out = 4, .size = {17, 7}},
        {.in = 5, .out = 3, .size = {3, 5}, .bias = false},
        {.in = 3, .out = 16, .size = {29, 31}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 3, .out = 16, .size = {19, 67}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 12, .out = 19, .size = {17, 29}, .kernel = {3, 3}, .padding = pad_all(1, 1), .bias = false},
        {.in = 19, .out = 12, .size = {7, 31}, .kernel = {1, 3}, .padding = pad_all(0, 1)},
        {.in = 2, .out = 28, .size = {31, 5}, .kernel = {3, 1}, .padding = pad_all(1, 0)},
        {.in = 25, .out = 28, .size = {17, 17}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 3, .out = 5, .size = {17, 7}, .kernel = {5, 5}, .padding = pad_all(2, 2)},
        {.in = 5, .out = 2, .size = {7, 5}, .kernel = {2, 2}},
        {.in = 3, .out = 4, .size = {29, 31}, .kernel = {7, 7}, .stride = {2, 2}, .padding = pad_all(3, 3)},
        {.in = 16, .out = 12, .size = {1, 31}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 2, .out = 2, .size = {31, 1}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 131, .out = 3, .size = {5, 7}},
        {.in = 3, .out = 131, .size = {7, 5}},
        {.in = 5, .out = 36, .size = {7, 37}},
        {.in = 5, .out = 40, .size = {19, 37}},
    });
}

std::vector<OpCase> geometry_cases() {
    return make_all({
        {.in = 12, .out = 12, .size = {31, 29}, .kernel = {3, 3}, .stride = {2, 2}, .padding = pad_all(1, 1)},
        {.in = 4, .out = 5, .size = {17, 31}, .kernel = {3, 3}, .stride = {2, 1}, .padding = pad_all(1, 1)},
        {.in = 4, .out = 5, .size = {17, 31}, .kernel = {3, 3}, .stride = {1, 3}, .padding = pad_all(1, 1)},
        {.in = 5, .out = 4, .size = {29, 67}, .kernel = {3, 3}, .stride = {3, 2}},
        {.in = 12, .out = 16, .size = {7, 17}, .stride = {2, 2}},
        {.in = 12, .out = 12, .size = {17, 29}, .kernel = {3, 3}, .dilation = {2, 2}, .padding = pad_all(2, 2)},
        {.in = 12, .out = 12, .size = {17, 29}, .kernel = {3, 3}, .dilation = {4, 4}, .padding = pad_all(4, 4)},
        // Larger than the picture: only the centre tap ever lies inside.
        {.in = 12, .out = 12, .size = {5, 7}, .kernel = {3, 3}, .dilation = {16, 16}, .padding = pad_all(16, 16)},
        {.in = 3, .out = 5, .size = {29, 17}, .kernel = {3, 3}, .dilation = {2, 3}, .padding = pad_all(1, 4)},
        {.in = 4,
         .out = 4,
         .size = {31, 29},
         .kernel = {3, 3},
         .stride = {2, 3},
         .dilation = {3, 2},
         .padding = pad_all(3, 2)},
        {.in = 4, .out = 5, .size = {7, 17}, .kernel = {3, 3}, .padding = {0, 1, 2, 0}},
        {.in = 4, .out = 5, .size = {7, 17}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {2, 0, 0, 1}},
        // Whole rows and columns of nothing but bias.
        {.in = 4, .out = 4, .size = {3, 5}, .padding = {5, 0, 3, 7}},
        {.in = 3, .out = 4, .size = {1, 2}, .kernel = {5, 5}, .padding = pad_all(4, 3)},
    });
}

std::vector<OpCase> group_cases() {
    return make_all({
        {.in = 8, .out = 8, .size = {7, 17}, .kernel = {3, 3}, .padding = pad_all(1, 1), .groups = 2},
        {.in = 10, .out = 10, .size = {7, 17}, .kernel = {3, 3}, .padding = pad_all(1, 1), .groups = 2},
        {.in = 12, .out = 20, .size = {5, 29}, .groups = 4},
        {.in = 20, .out = 12, .size = {5, 29}, .groups = 4, .bias = false},
        {.in = 25, .out = 25, .size = {7, 7}, .kernel = {3, 3}, .padding = pad_all(1, 1), .groups = 5},
        {.in = 15, .out = 10, .size = {17, 3}, .kernel = {1, 3}, .stride = {1, 2}, .groups = 5},
        // Channel multiplier 2: one input channel per group, two output channels.
        {.in = 5, .out = 10, .size = {7, 17}, .kernel = {3, 3}, .padding = pad_all(1, 1), .groups = 5},
        {.in = 16, .out = 32, .size = {5, 7}, .kernel = {3, 3}, .padding = pad_all(1, 1), .groups = 16},
        // Groups of whole planes: several blocks of one dispatch, evenly spaced.
        {.in = 40, .out = 40, .size = {5, 7}, .groups = 2},
        {.in = 64, .out = 64, .size = {5, 7}, .groups = 2},
        {.in = 64, .out = 128, .size = {3, 5}, .groups = 4},
        // Blocks that begin and end inside groups.
        {.in = 60, .out = 60, .size = {5, 7}, .groups = 4},
        {.in = 84, .out = 36, .size = {3, 5}, .groups = 12, .tail = {.add = true, .activation = prelu}},
    });
}

// Lines of three and five taps that the CPU-shaped family computes by minimal filtering, two pixels at a time: odd
// sizes, pairs of which one pixel lies beyond the picture, dilations longer than it, and sums in parts. Kernels of 3x3
// between many planes it computes by both axes: two pixels of two rows.
std::vector<OpCase> line_cases() {
    const Tail whole{.add = true, .scale_shift = true, .activation = prelu};
    return make_all({
        {.in = 12, .out = 16, .size = {17, 29}, .kernel = {3, 3}, .dilation = {2, 3}, .padding = pad_all(1, 4)},
        {.in = 12, .out = 12, .size = {7, 17}, .kernel = {3, 3}, .padding = {0, 1, 2, 0}, .bias = false},
        {.in = 13, .out = 11, .size = {1, 1}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 68, .out = 12, .size = {5, 67}, .kernel = {3, 3}, .padding = pad_all(1, 1), .tail = whole},
        {.in = 16, .out = 19, .size = {19, 7}, .kernel = {3, 1}, .padding = pad_all(1, 0), .tail = whole},
        {.in = 16, .out = 19, .size = {7, 19}, .kernel = {1, 3}, .padding = pad_all(0, 1)},
        {.in = 19, .out = 16, .size = {29, 5}, .kernel = {3, 1}, .dilation = {5, 1}, .padding = pad_all(5, 0)},
        {.in = 19, .out = 16, .size = {5, 67}, .kernel = {1, 3}, .dilation = {1, 9}, .padding = pad_all(0, 9)},
        {.in = 12, .out = 16, .size = {3, 31}, .kernel = {3, 1}, .dilation = {9, 1}, .padding = pad_all(9, 0)},
        {.in = 16, .out = 12, .size = {17, 31}, .kernel = {5, 1}, .padding = pad_all(2, 0), .tail = whole},
        {.in = 16, .out = 12, .size = {17, 31}, .kernel = {1, 5}, .padding = pad_all(0, 2)},
        {.in = 12, .out = 12, .size = {7, 29}, .kernel = {1, 5}, .dilation = {1, 4}, .padding = {0, 0, 7, 2}},
        {.in = 84,
         .out = 36,
         .size = {9, 7},
         .kernel = {5, 1},
         .dilation = {2, 1},
         .padding = pad_all(4, 0),
         .tail = whole},
        {.in = 24, .out = 24, .size = {1, 1}, .kernel = {3, 3}, .padding = pad_all(1, 1)},
        {.in = 24, .out = 31, .size = {7, 29}, .kernel = {3, 3}, .padding = {0, 1, 2, 0}, .bias = false},
        {.in = 27, .out = 24, .size = {17, 31}, .kernel = {3, 3}, .dilation = {3, 2}, .padding = pad_all(4, 1)},
        {.in = 24, .out = 23, .size = {5, 3}, .kernel = {3, 3}, .dilation = {4, 9}, .padding = pad_all(4, 9)},
        // Two parts that share a plane.
        {.in = 52, .out = 40, .size = {6, 35}, .kernel = {3, 3}, .padding = pad_all(1, 1), .tail = whole},
    });
}

// More multiply-adds than one CPU-shaped pipeline may hold: two further dispatches continue the sum. What the epilogue
// adds enters the first, the rest of it follows the last. One case only, for it compiles for seconds.
std::vector<OpCase> split_sum_cases() {
    return make_all({
        {.in = 28,
         .out = 12,
         .size = {7, 17},
         .kernel = {7, 7},
         .padding = pad_all(3, 3),
         .tail = {.add = true, .scale_shift = true, .activation = prelu}},
    });
}

std::vector<OpCase> tail_cases() {
    std::vector<Case> table;
    for (const Tail& tail : all_tails())
        table.push_back({.in = 5, .out = 7, .size = {7, 17}, .kernel = {3, 3}, .padding = pad_all(1, 1), .tail = tail});
    // Several blocks of output planes, each with its own vectors.
    table.push_back({.in = 4,
                     .out = 131,
                     .size = {5, 7},
                     .bias = false,
                     .tail = {.add = true, .scale_shift = true, .activation = prelu}});
    table.push_back({.in = 3, .out = 40, .size = {5, 67}, .tail = {.scale_shift = true, .activation = prelu}});
    return make_all(table);
}

INSTANTIATE_TEST_SUITE_P(Conv2dPlain, OpTest, everywhere(plain_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Conv2dGeometry, OpTest, everywhere(geometry_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Conv2dGroups, OpTest, everywhere(group_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Conv2dLines, OpTest, everywhere(line_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Conv2dSplitSum, OpTest, everywhere(split_sum_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Conv2dEpilogue, OpTest, everywhere(tail_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
