#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

OpCase make(int in, int out, bool bias, const Tail& tail = {}) {
    const auto build = [=] {
        OpGraph net;
        Linear op{.out_features = out};
        op.weight = net.weights({out, in}, in);
        if (bias) op.bias = net.vector(out, -1.0f, 1.0f);
        return net.with_outputs({net.tail(net.add(op, {net.input(in, {1, 1})}), tail)});
    };
    return {.name = std::to_string(in) + "to" + std::to_string(out) + (bias ? "" : "_nobias") + to_string(tail),
            .build = build,
            .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result = {make(1, 1, true),   make(3, 5, false),   make(12, 19, true),
                                  make(300, 5, true), make(5, 131, false), make(131, 28, true)};
    for (const Tail& tail : some_tails()) result.push_back(make(5, 7, true, tail));
    // The head of a classifier, on channels that are not dense.
    result.push_back({.name = "behind_global_pool", .build = [] {
                          OpGraph net;
                          const ValueId x = net.concat({net.input(5, {7, 5}), net.input(3, {7, 5})});
                          Linear op{.out_features = 10};
                          op.weight = net.weights({10, 8}, 8);
                          return net.with_outputs({net.add(Softmax{}, {net.add(op, {net.global_pool(x)})})});
                      }});
    return result;
}

INSTANTIATE_TEST_SUITE_P(Linear, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
