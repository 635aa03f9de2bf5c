#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

OpCase make(int channels, Axes from, Axes to, const Tail& tail = {}) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.add(AdaptiveAvgPool2d{.size = {.fixed = to}}, {net.input(channels, from)});
        return net.with_outputs({net.tail(x, tail)});
    };
    return {.name = "c" + std::to_string(channels) + "_" + to_string(from) + "_to_" + to_string(to) + to_string(tail),
            .build = build,
            .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result = {
        // To one pixel: rows first, except where there is one column.
        make(1, {1, 1}, {1, 1}),
        make(3, {7, 17}, {1, 1}),
        make(5, {31, 1}, {1, 1}),
        make(12, {1, 31}, {1, 1}),
        make(131, {5, 7}, {1, 1}),
        make(4, {67, 59}, {1, 1}),
        // Windows that overlap, that do not, and of one pixel used twice.
        make(3, {17, 29}, {3, 5}),
        make(4, {12, 16}, {3, 4}),
        make(5, {5, 7}, {5, 7}),
        make(19, {3, 5}, {7, 11}),
        make(28, {29, 31}, {1, 4}),
        make(2, {29, 31}, {4, 1}),
    };
    for (const Tail& tail : some_tails()) {
        result.push_back(make(7, {7, 5}, {1, 1}, tail));
        if (tail.add) result.push_back(make(40, {7, 5}, {3, 2}, tail));
    }
    return result;
}

INSTANTIATE_TEST_SUITE_P(AdaptivePool, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
