#include "tests/ops/op_test.hpp"

// Last convolutions and resizes that write the host's floats themselves.

namespace vkseg::test {
namespace {

OpCase stored(const std::string& name, int channels, Axes size, const std::function<ValueId(OpGraph&, ValueId)>& last) {
    const auto build = [=] {
        OpGraph net;
        return net.with_outputs({last(net, net.relu(net.input(channels, size)))});
    };
    return {.name = "host_store_" + name + "_" + to_string(size), .build = build, .disabled_fusions = {}};
}

OpCase transposed(int out_channels, int kernel, Axes size) {
    return stored("transposed" + std::to_string(kernel) + "_to_" + std::to_string(out_channels), 6, size,
                  [=](OpGraph& net, ValueId x) {
                      ConvTranspose2d op{.kernel = {kernel, kernel}, .stride = {2, 2}, .out_channels = out_channels};
                      op.weight = net.weights({6, out_channels, kernel, kernel}, int64_t{6} * kernel * kernel / 4);
                      op.bias = net.vector(out_channels, -0.5f, 0.5f);
                      return net.add(op, {x});
                  });
}

std::vector<OpCase> cases() {
    const auto resized = [](Resize::Mode mode) {
        return [=](OpGraph& net, ValueId x) {
            return net.add(Resize{mode, {.kind = SizeRule::Kind::Fixed, .fixed = {11, 23}}}, {x});
        };
    };
    return {
        stored("conv", 5, {7, 19}, [](OpGraph& net, ValueId x) { return net.conv3x3(x, 6); }),
        stored("conv_of_many_planes", 9, {3, 33}, [](OpGraph& net, ValueId x) { return net.conv1x1(x, 74); }),
        stored("epilogue", 4, {5, 8},
               [](OpGraph& net, ValueId x) {
                   return net.tail(net.conv3x3(x, 11), {false, true, prelu});
               }),
        stored("one_pixel", 4, {1, 1}, [](OpGraph& net, ValueId x) { return net.conv1x1(x, 3); }),
        transposed(20, 2, {6, 17}),
        transposed(3, 3, {5, 9}),
        stored("bilinear", 7, {4, 9}, resized(Resize::Mode::Bilinear)),
        stored("aligned", 20, {4, 9}, resized(Resize::Mode::BilinearAligned)),
        stored("nearest", 1, {24, 9}, resized(Resize::Mode::Nearest)),
        // Also read on the device: then it lies in the arena and is copied.
        stored("read_again", 5, {6, 7}, [](OpGraph& net, ValueId x) { return net.relu(net.conv3x3(x, 6)); }),
    };
}

INSTANTIATE_TEST_SUITE_P(HostStore, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
