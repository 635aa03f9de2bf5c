#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

struct Case {
    int channels = 0;
    Axes size{};
    Pool2d op;
    Tail tail{};
};

OpCase make(const Case& test) {
    const Pool2d& op = test.op;
    std::string name = op.kind == Pool2d::Kind::Max ? "max" : op.count_include_pad ? "average" : "average_inside";
    name += "_k" + to_string(op.kernel) + "_s" + to_string(op.stride) + "_p" + to_string(op.padding) +
            (op.ceil_mode ? "_ceil" : "") + "_c" + std::to_string(test.channels) + "_" + to_string(test.size) +
            to_string(test.tail);
    const auto build = [test] {
        OpGraph net;
        const ValueId x = net.add(test.op, {net.input(test.channels, test.size)});
        return net.with_outputs({net.tail(x, test.tail)});
    };
    return {.name = name, .build = build, .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    constexpr auto max = Pool2d::Kind::Max, average = Pool2d::Kind::Average;
    const std::vector<Case> table = {
        {3, {17, 29}, {.kind = max, .kernel = {2, 2}, .stride = {2, 2}}},
        {5, {17, 29}, {.kind = max, .kernel = {2, 2}, .stride = {2, 2}, .ceil_mode = true}},
        {4, {31, 7}, {.kind = max, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}},
        {1, {7, 31}, {.kind = max, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true}},
        {12, {5, 17}, {.kind = max, .kernel = {1, 3}, .stride = {1, 2}, .padding = {0, 1}}},
        {2, {1, 31}, {.kind = max, .kernel = {1, 2}, .stride = {3, 3}}},
        {28, {3, 3}, {.kind = max, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}}},
        {3, {1, 1}, {.kind = max, .kernel = {1, 1}}},
        {3, {31, 29}, {.kind = average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}},
        {19, {7, 17}, {.kind = average, .kernel = {2, 3}, .stride = {1, 2}, .padding = {1, 1}, .ceil_mode = true}},
        {5,
         {29, 5},
         {.kind = average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .count_include_pad = false}},
        {4,
         {17, 7},
         {.kind = average,
          .kernel = {5, 2},
          .stride = {3, 3},
          .padding = {2, 1},
          .count_include_pad = false,
          .ceil_mode = true}},
        {131, {5, 7}, {.kind = average, .kernel = {5, 7}}},
        {16, {3, 5}, {.kind = average, .kernel = {2, 2}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true}},
        // The last windows hang over the padding; what lies beyond it never counts.
        {5, {8, 30}, {.kind = average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true}},
        {5, {17, 7}, {.kind = max, .kernel = {2, 2}, .stride = {2, 2}}, {.add = true, .activation = prelu}},
        {5, {17, 7}, {.kind = average, .kernel = {2, 2}, .stride = {2, 2}}, {.scale_shift = true, .activation = relu}},
    };
    std::vector<OpCase> result;
    for (const Case& test : table) result.push_back(make(test));
    return result;
}

INSTANTIATE_TEST_SUITE_P(Pool2d, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
