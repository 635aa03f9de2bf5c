#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

OpCase make(int channels, Axes size, bool ties = false) {
    const auto build = [=] {
        OpGraph net;
        return net.with_outputs({net.add(Softmax{}, {net.input(channels, size)})});
    };
    return {.name = "c" + std::to_string(channels) + "_" + to_string(size) + (ties ? "_ties" : ""),
            .build = build,
            .simplified_nodes = 1,
            .ties = ties};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result;
    for (const auto& [channels, size] : std::vector<std::pair<int, Axes>>{{1, {3, 5}},
                                                                          {2, {1, 1}},
                                                                          {3, {17, 29}},
                                                                          {4, {1, 31}},
                                                                          {5, {31, 1}},
                                                                          {19, {7, 67}},
                                                                          {131, {5, 7}},
                                                                          {256, {3, 5}},
                                                                          {1000, {1, 1}}}) {
        result.push_back(make(channels, size));
        result.push_back(make(channels, size, true));
    }
    result.push_back({.name = "of_concat", .build = [] {
                          OpGraph net;
                          const ValueId x = net.concat({net.input(5, {7, 5}), net.input(3, {7, 5})});
                          return net.with_outputs({net.conv1x1(net.add(Softmax{}, {x}), 5)});
                      }});
    return result;
}

INSTANTIATE_TEST_SUITE_P(Softmax, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
