#include "tests/ops/op_test.hpp"

// Efficient pyramid pooling, one dispatch on a GPU; and convolutions that are gated by one value per channel.

namespace vkseg::test {
namespace {

ValueId depthwise(OpGraph& net, ValueId x) {
    const int channels = net.channels(x);
    Conv2d op{.kernel = {3, 3}, .padding = pad_all(1, 1), .groups = channels, .out_channels = channels};
    op.weight = net.weights({channels, 1, 3, 3}, 9);
    op.bias = net.vector(channels, -0.5f, 0.5f);
    return net.add(op, {x});
}

struct Case {
    const char* name = "";
    int channels = 10;
    Axes size{};
    std::vector<double> scales{2.0, 1.5, 1.0, 0.5, 0.1};
    Resize::Mode mode = Resize::Mode::BilinearAligned;
    Tail tail{false, true, prelu};
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.relu(net.input(test.channels, test.size));
        std::vector<ValueId> parts;
        for (const double scale : test.scales) {
            const SizeRule there{
                .kind = SizeRule::Kind::Scaled, .scale = scale, .rounding = SizeRule::Rounding::Ceil, .minimum = 5};
            const SizeRule like{.kind = SizeRule::Kind::LikeOperand};
            if (scale == 1)
                parts.push_back(depthwise(net, x));
            else if (scale > 1)
                parts.push_back(
                    net.add(AdaptiveAvgPool2d{like}, {depthwise(net, net.add(Resize{test.mode, there}, {x})), x}));
            else
                parts.push_back(
                    net.add(Resize{test.mode, like}, {depthwise(net, net.add(AdaptiveAvgPool2d{there}, {x})), x}));
        }
        return net.with_outputs({net.tail(net.concat(parts), test.tail)});
    };
    return {.name = std::string("scale_pyramid_") + test.name + "_" + to_string(test.size) + to_string(test.tail),
            .build = build};
}

std::vector<OpCase> pyramids() {
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails())
        if (!tail.add) result.push_back(make({.name = "tails", .size = {16, 32}, .tail = tail}));
    result.push_back(make({.name = "odd", .size = {13, 37}}));
    result.push_back(make({.name = "half_pixel", .size = {20, 41}, .mode = Resize::Mode::Bilinear}));
    result.push_back(make({.name = "large_windows", .channels = 3, .size = {60, 70}, .scales = {0.1, 1.9}}));
    result.push_back(make({.name = "planes", .channels = 19, .size = {9, 10}, .scales = {1.0, 0.5}}));
    result.push_back(make({.name = "smallest", .size = {5, 5}}));
    // What a tile needs does not fit: branch by branch.
    result.push_back(make({.name = "too_large", .size = {2, 3}}));
    return result;
}

OpCase gated(const std::string& name, int in_channels, int out_channels, int groups, bool one_pixel) {
    const auto build = [=] {
        OpGraph net;
        const ValueId x = net.relu(net.input(in_channels, {9, 21}));
        const ValueId gate = net.add(Sigmoid{}, {net.input(out_channels, one_pixel ? Axes{1, 1} : Axes{9, 21})});
        return net.with_outputs({net.times(net.prelu(net.conv3x3(x, out_channels, groups)), gate)});
    };
    return {.name = "gated_" + name, .build = build};
}

std::vector<OpCase> gates() {
    return {gated("dense", 5, 11, 1, true), gated("in_groups", 16, 48, 4, true), gated("many_planes", 4, 70, 1, true),
            gated("depthwise", 10, 10, 10, true), gated("by_a_map", 8, 9, 1, false)};
}

INSTANTIATE_TEST_SUITE_P(ScalePyramid, OpTest, everywhere(pyramids()), param_name);
INSTANTIATE_TEST_SUITE_P(GatedConv, OpTest, everywhere(gates()), param_name);

}  // namespace
}  // namespace vkseg::test
