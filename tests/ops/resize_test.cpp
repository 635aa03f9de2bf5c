#include "tests/ops/op_test.hpp"

namespace vkseg::test {
namespace {

using Mode = Resize::Mode;

struct Case {
    int channels = 0;
    Axes from{}, to{};
    Tail tail{};
};

const char* mode_name(Mode mode) {
    switch (mode) {
        case Mode::Bilinear:
            return "bilinear";
        case Mode::BilinearAligned:
            return "aligned";
        case Mode::Nearest:
            return "nearest";
    }
    return "";
}

OpCase make(Mode mode, const Case& test) {
    const auto build = [mode, test] {
        OpGraph net;
        const ValueId x = net.input(test.channels, test.from);
        const ValueId y = net.add(Resize{.mode = mode, .size = {.fixed = test.to}}, {x});
        return net.with_outputs({net.tail(y, test.tail)});
    };
    return {.name = std::string(mode_name(mode)) + "_c" + std::to_string(test.channels) + "_" + to_string(test.from) +
                    "_to_" + to_string(test.to) + to_string(test.tail),
            .build = build,
            .simplified_nodes = 1};
}

/// The size of another value, which is read by nobody else.
OpCase like_operand(Mode mode, const Tail& tail) {
    const auto build = [mode, tail] {
        OpGraph net;
        const ValueId x = net.input(5, {5, 7}), other = net.input(3, {17, 13});
        const ValueId y = net.add(Resize{.mode = mode, .size = {.kind = SizeRule::Kind::LikeOperand}}, {x, other});
        return net.with_outputs({net.tail(y, tail)});
    };
    return {.name = std::string(mode_name(mode)) + "_like_operand" + to_string(tail),
            .build = build,
            .simplified_nodes = 1};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result;
    for (const Mode mode : {Mode::Bilinear, Mode::BilinearAligned, Mode::Nearest}) {
        const std::vector<Case> table = {
            {1, {1, 1}, {5, 7}},    {2, {5, 7}, {1, 1}},     {3, {7, 5}, {14, 10}},    {4, {3, 5}, {24, 40}},
            {5, {17, 29}, {31, 7}}, {12, {7, 31}, {17, 17}}, {16, {29, 17}, {29, 17}}, {19, {1, 31}, {3, 29}},
            {28, {31, 1}, {7, 5}},  {131, {5, 3}, {7, 7}},   {5, {2, 2}, {61, 59}},    {5, {31, 29}, {15, 14}},
        };
        for (const Case& test : table) result.push_back(make(mode, test));
        result.push_back(like_operand(mode, {}));
        result.push_back(like_operand(mode, {.add = true, .activation = relu}));
    }
    for (const Tail& tail : some_tails()) result.push_back(make(Mode::Bilinear, {7, {5, 7}, {11, 13}, tail}));
    return result;
}

INSTANTIATE_TEST_SUITE_P(Resize, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
