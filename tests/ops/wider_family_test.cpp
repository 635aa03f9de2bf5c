#include "tests/ops/op_test.hpp"

// Products, sums and products with one pixel for all, sigmoid, slices, shuffles, adaptive pooling, linear, softmax.

namespace vkseg::test {
namespace {

OpCase make(std::string name, std::function<ValueId(OpGraph&)> body) {
    return {.name = std::move(name), .build = [body = std::move(body)] {
                OpGraph net;
                const ValueId result = body(net);
                return net.with_outputs({result});
            }};
}

std::vector<OpCase> pair_cases() {
    std::vector<OpCase> cases;
    for (const auto& [channels, size] :
         std::vector<std::pair<int, Axes>>{{1, {1, 1}}, {5, {7, 17}}, {16, {1, 31}}, {131, {3, 5}}}) {
        const std::string suffix = "_c" + std::to_string(channels) + "_" + to_string(size);
        cases.push_back(make("product" + suffix, [=](OpGraph& net) {
            return net.add(Multiply{}, {net.input(channels, size), net.input(channels, size)});
        }));
        cases.push_back(make("product_with_one_pixel" + suffix, [=](OpGraph& net) {
            return net.add(Multiply{}, {net.input(channels, size), net.input(channels, {1, 1})});
        }));
        cases.push_back(make("sum_with_one_pixel" + suffix, [=](OpGraph& net) {
            return net.prelu(net.plus(net.input(channels, size), net.input(channels, {1, 1})));
        }));
        cases.push_back(
            make("sigmoid" + suffix, [=](OpGraph& net) { return net.add(Sigmoid{}, {net.input(channels, size)}); }));
    }
    cases.push_back(make("conv_plus_one_pixel", [](OpGraph& net) {
        return net.relu(net.plus(net.conv1x1(net.input(5, {7, 9}), 6), net.input(6, {1, 1})));
    }));
    cases.push_back(make("attention", [](OpGraph& net) {
        const ValueId x = net.input(19, {7, 17});
        const ValueId pooled = net.add(AdaptiveAvgPool2d{}, {x});
        const ValueId gate = net.add(Sigmoid{}, {net.conv1x1(pooled, 19)});
        return net.prelu(net.scale_shift(net.add(Multiply{}, {x, gate})));
    }));
    // The operands lie in different channel maps.
    cases.push_back(make("product_of_concat_and_dense", [](OpGraph& net) {
        const Axes size{5, 7};
        return net.add(Multiply{}, {net.concat({net.input(3, size), net.input(5, size)}), net.input(8, size)});
    }));
    return cases;
}

Conv2d grouped(OpGraph& net, int in, int out, int groups, int kernel) {
    Conv2d op;
    op.out_channels = out;
    op.groups = groups;
    op.kernel = {kernel, kernel};
    op.padding = pad_all(kernel / 2, kernel / 2);
    op.weight = net.weights({out, in / groups, kernel, kernel}, in / groups * kernel * kernel);
    return op;
}

std::vector<OpCase> view_cases() {
    constexpr Axes size{5, 17};
    std::vector<OpCase> cases;
    for (const auto& [begin, count] : {std::pair{0, 8}, std::pair{8, 8}, std::pair{3, 7}, std::pair{15, 1}}) {
        const std::string suffix = "_" + std::to_string(begin) + "_" + std::to_string(count);
        cases.push_back(make("slice" + suffix, [=](OpGraph& net) {
            return net.conv1x1(net.add(Slice{begin, count}, {net.input(16, size)}), 5);
        }));
        cases.push_back(make("slice_out" + suffix, [=](OpGraph& net) {
            return net.add(Slice{begin, count}, {net.conv1x1(net.input(3, size), 16)});
        }));
        cases.push_back(make("slice_in_place" + suffix, [=](OpGraph& net) {
            return net.prelu(net.add(Slice{begin, count}, {net.conv1x1(net.input(3, size), 16)}));
        }));
    }
    cases.push_back(make("slice_of_slice_in_concat", [=](OpGraph& net) {
        const ValueId x = net.add(Slice{2, 9}, {net.conv1x1(net.input(3, size), 13)});
        return net.concat({net.add(Slice{1, 5}, {x}), net.add(Slice{0, 4}, {x})});
    }));
    for (const auto& [channels, groups] : {std::pair{20, 5}, std::pair{16, 4}, std::pair{6, 3}}) {
        const std::string suffix = "_" + std::to_string(channels) + "_" + std::to_string(groups);
        cases.push_back(make("shuffle" + suffix, [=](OpGraph& net) {
            return net.add(ChannelShuffle{groups}, {net.input(channels, size)});
        }));
        cases.push_back(make("shuffle_then_groups" + suffix, [=](OpGraph& net) {
            const ValueId x = net.add(ChannelShuffle{groups}, {net.input(channels, size)});
            const int out = channels / groups;
            return net.add(grouped(net, channels, out, out, 3), {x});
        }));
    }
    // Five branches of 16 channels, shuffled: each group reads one channel of every branch.
    cases.push_back(make("pyramid_merge", [=](OpGraph& net) {
        std::vector<ValueId> branches;
        for (int i = 0; i < 5; ++i) branches.push_back(net.conv1x1(net.input(3, size), 16));
        const ValueId x = net.add(ChannelShuffle{5}, {net.concat(branches)});
        return net.add(grouped(net, 80, 16, 16, 3), {x});
    }));
    // A reversible module: Y1 over X1 and Y2 over X2.
    for (int channels : {8, 16, 6})
        cases.push_back(make("reversible_c" + std::to_string(channels), [=](OpGraph& net) {
            const ValueId x = net.conv1x1(net.input(3, size), channels);
            const ValueId x1 = net.add(Slice{0, channels / 2}, {x});
            const ValueId x2 = net.add(Slice{channels / 2, channels / 2}, {x});
            const ValueId z = net.plus(x1, net.prelu(net.conv1x1(x2, channels / 2)));
            return net.concat({z, net.plus(x2, z)});
        }));
    return cases;
}

std::vector<OpCase> pool_cases() {
    std::vector<OpCase> cases;
    struct Case {
        int channels;
        Axes in, out;
    };
    for (const Case& c : std::vector<Case>{{5, {7, 17}, {1, 1}},
                                           {3, {1, 1}, {1, 1}},
                                           {19, {29, 31}, {5, 7}},
                                           {4, {5, 7}, {5, 7}},
                                           {2, {3, 5}, {7, 11}},
                                           {36, {1, 31}, {1, 1}},
                                           {4, {31, 1}, {1, 1}}})
        cases.push_back(make("c" + std::to_string(c.channels) + "_" + to_string(c.in) + "_to_" + to_string(c.out),
                             [=](OpGraph& net) {
                                 AdaptiveAvgPool2d op;
                                 op.size.fixed = c.out;
                                 return net.prelu(net.add(op, {net.input(c.channels, c.in)}));
                             }));
    return cases;
}

std::vector<OpCase> classifier_cases() {
    std::vector<OpCase> cases;
    for (const auto& [in, out] : {std::pair{1, 1}, std::pair{19, 5}, std::pair{64, 131}})
        for (bool bias : {false, true})
            cases.push_back(make("linear_" + std::to_string(in) + "_" + std::to_string(out) + (bias ? "_bias" : ""),
                                 [=](OpGraph& net) {
                                     Linear op;
                                     op.out_features = out;
                                     op.weight = net.weights({out, in}, in);
                                     if (bias) op.bias = net.vector(out, -1, 1);
                                     return net.add(op, {net.input(in, {1, 1})});
                                 }));
    for (const auto& [channels, size] : std::vector<std::pair<int, Axes>>{{1, {3, 5}}, {19, {7, 17}}, {131, {1, 1}}})
        cases.push_back(make("softmax_c" + std::to_string(channels),
                             [=](OpGraph& net) { return net.add(Softmax{}, {net.input(channels, size)}); }));
    return cases;
}

INSTANTIATE_TEST_SUITE_P(Pairs, OpTest, everywhere(pair_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Views, OpTest, everywhere(view_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(AdaptiveAvgPool2d, OpTest, everywhere(pool_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Classifier, OpTest, everywhere(classifier_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
