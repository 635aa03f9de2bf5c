#include "tests/ops/op_test.hpp"

// Argmax and Confidence: one kernel.

namespace vkseg::test {
namespace {

struct Case {
    int channels = 0;
    Axes from{}, to{};
};

const std::vector<Case>& table() {
    // Rows of widths that four does not divide: a word of four labels then spans two rows.
    static const std::vector<Case> cases = {
        {1, {3, 5}, {3, 5}},        {2, {1, 1}, {7, 5}},    {3, {17, 29}, {17, 29}}, {4, {7, 31}, {14, 62}},
        {5, {29, 17}, {7, 3}},      {12, {5, 7}, {31, 29}}, {16, {1, 31}, {3, 29}},  {19, {17, 13}, {67, 59}},
        {20, {16, 32}, {128, 256}}, {25, {31, 1}, {29, 2}}, {131, {5, 3}, {7, 11}},  {256, {3, 7}, {5, 5}},
        {256, {5, 5}, {1, 1}},
    };
    return cases;
}

const char* sampling_name(Sampling sampling) {
    switch (sampling) {
        case Sampling::Nearest:
            return "_nearest";
        case Sampling::Bilinear:
            return "_bilinear";
        case Sampling::BilinearAligned:
            return "_bilinear_aligned";
    }
    return "";
}

template <typename ScoreOp>
OpCase make(const std::string& name, Sampling sampling, const Case& test, bool ties) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.input(test.channels, test.from);
        return net.with_outputs({net.add(ScoreOp{sampling, {.fixed = test.to}}, {x})});
    };
    return {.name = name + sampling_name(sampling) + (ties ? "_ties" : "") + "_c" + std::to_string(test.channels) +
                    "_" + to_string(test.from) + "_to_" + to_string(test.to),
            .build = build,
            .simplified_nodes = 1,
            .ties = ties};
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result;
    for (const Case& test : table())
        for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::BilinearAligned}) {
            result.push_back(make<Argmax>("argmax", sampling, test, false));
            result.push_back(make<Confidence>("confidence", sampling, test, false));
            // The first of equals, whatever lane and plane it lies in. Interpolated ties are left to the rounding.
            if (sampling == Sampling::Nearest) {
                result.push_back(make<Argmax>("argmax", sampling, test, true));
                result.push_back(make<Confidence>("confidence", sampling, test, true));
            }
        }
    result.push_back({.name = "labels_and_confidence_of_one_input", .build = [] {
                          OpGraph net;
                          const ValueId x = net.input(19, {7, 5});
                          const SizeRule like_scores{.kind = SizeRule::Kind::Scaled};
                          return net.with_outputs({net.add(Argmax{.size = like_scores}, {x}),
                                                   net.add(Confidence{.size = like_scores}, {x}), x});
                      }});
    return result;
}

INSTANTIATE_TEST_SUITE_P(Scores, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
