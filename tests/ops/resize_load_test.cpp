#include "tests/ops/op_test.hpp"

// 1x1 convolutions of concatenations that hold scaled maps: on a GPU they scale what they read.

namespace vkseg::test {
namespace {

/// An operand of the concatenation: of the result's size, or of another one that is scaled to it.
struct Part {
    int channels = 4;
    Axes size{};
    Resize::Mode mode = Resize::Mode::Bilinear;
};

struct Case {
    const char* name = "";
    Axes size{};
    std::vector<Part> parts;
    int out_channels = 8;
    int groups = 1;
    Tail tail{};
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        std::vector<ValueId> parts;
        for (const Part& part : test.parts) {
            const ValueId x = net.relu(net.input(part.channels, part.size == Axes{} ? test.size : part.size));
            parts.push_back(part.size == Axes{} ? x : net.add(Resize{part.mode, {.fixed = test.size}}, {x}));
        }
        const ValueId joined = net.concat(parts);
        Conv2d op{.groups = test.groups, .out_channels = test.out_channels};
        const int read = net.channels(joined) / test.groups;
        op.weight = net.weights({test.out_channels, read, 1, 1}, read);
        op.bias = net.vector(test.out_channels, -0.5f, 0.5f);
        return net.with_outputs({net.tail(net.add(op, {joined}), test.tail)});
    };
    return {.name = std::string("resize_load_") + test.name + "_" + to_string(test.size) + to_string(test.tail),
            .build = build};
}

std::vector<OpCase> cases() {
    constexpr auto aligned = Resize::Mode::BilinearAligned;
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails())
        result.push_back(make({.name = "tails", .size = {10, 22}, .parts = {{8}, {8, {5, 11}}}, .tail = tail}));
    const std::vector<Case> more = {
        {.name = "odd", .size = {9, 35}, .parts = {{5}, {7, {4, 17}}}, .out_channels = 19},
        {.name = "aligned", .size = {13, 40}, .parts = {{6, {3, 9}, aligned}, {9}}, .out_channels = 5},
        {.name = "many",
         .size = {17, 33},
         .parts = {{6}, {6, {8, 16}}, {10, {5, 9}, aligned}, {6, {2, 4}}, {3, {1, 1}}},
         .out_channels = 70,
         .tail = {false, true, prelu}},
        {.name = "in_groups", .size = {7, 19}, .parts = {{32}, {32, {3, 10}}}, .out_channels = 64, .groups = 4},
        {.name = "groups_across", .size = {7, 19}, .parts = {{24}, {40, {3, 10}}}, .out_channels = 16, .groups = 4},
        {.name = "all_small", .size = {8, 8}, .parts = {{4, {4, 4}}, {4, {2, 2}}, {4, {4, 2}, aligned}}},
        {.name = "to_one_column", .size = {12, 1}, .parts = {{4}, {4, {5, 1}, aligned}}},
        // These are not worth it: nothing else is made of them.
        {.name = "shrinks", .size = {5, 6}, .parts = {{4}, {4, {15, 18}}}},
        {.name = "six_operands", .size = {6, 6}, .parts = {{4}, {4}, {4}, {4}, {4}, {4, {3, 3}}}},
    };
    for (const Case& test : more) result.push_back(make(test));
    return result;
}

INSTANTIATE_TEST_SUITE_P(ResizeLoad, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
