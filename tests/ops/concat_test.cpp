#include "tests/ops/op_test.hpp"

// Operands of a concatenation lie inside its result; what cannot (strays) is copied. The result's channels are not
// dense when an operand does not fill its planes, and every reader must know.

namespace vkseg::test {
namespace {

constexpr Axes size{7, 17};

OpCase make(std::string name, std::function<ValueId(OpGraph&)> build) {
    return {.name = std::move(name), .build = [build = std::move(build)] {
                OpGraph net;
                const ValueId result = build(net);
                return net.with_outputs({result});
            }};
}

/// With several outputs.
OpCase make_many(std::string name, std::function<std::vector<ValueId>(OpGraph&)> build) {
    return {.name = std::move(name), .build = [build = std::move(build)] {
                OpGraph net;
                std::vector<ValueId> results = build(net);
                return net.with_outputs(std::move(results));
            }};
}

/// Values of 5 and 3 channels in 3 planes, that no graph input shares memory with.
ValueId five_and_three(OpGraph& net, Axes at = size) {
    const ValueId x = net.input(3, at);
    return net.concat({net.conv1x1(x, 5), net.conv1x1(x, 3)});
}

std::vector<OpCase> placement_cases() {
    return {
        make("of_inputs_dense",
             [](OpGraph& net) {
                 return net.concat({net.input(4, size), net.input(8, size)});
             }),
        make("of_inputs_padded",
             [](OpGraph& net) {
                 return net.concat({net.input(5, size), net.input(3, size)});
             }),
        make("of_single_channels",
             [](OpGraph& net) {
                 return net.concat({net.input(1, size), net.input(1, size), net.input(1, size), net.input(1, size),
                                    net.input(1, size)});
             }),
        make("of_convolutions", [](OpGraph& net) { return five_and_three(net); }),
        make("one_pixel",
             [](OpGraph& net) {
                 return five_and_three(net, {1, 1});
             }),
        make("of_relu_and_its_operand",
             [](OpGraph& net) {
                 const ValueId x = net.input(5, size);
                 return net.concat({net.relu(x), x});
             }),
        make("esp_module",
             [](OpGraph& net) {
                 // Four sums of branches behind a fifth: 28 + 4 x 25 channels in 35 planes.
                 const ValueId x = net.conv1x1(net.input(3, {5, 7}), 25);
                 std::vector<ValueId> parts = {net.conv1x1(x, 28)};
                 ValueId sum = net.conv1x1(x, 25);
                 parts.push_back(sum);
                 for (int i = 0; i < 3; ++i) parts.push_back(sum = net.plus(sum, net.conv1x1(x, 25)));
                 return net.prelu(net.batch_norm(net.concat(parts)));
             }),
        make("nested_first",
             [](OpGraph& net) {
                 return net.concat({five_and_three(net), net.relu(net.input(2, size))});
             }),
        make("nested_last",
             [](OpGraph& net) {
                 return net.concat({net.relu(net.input(2, size)), five_and_three(net)});
             }),
        make("nested_twice",
             [](OpGraph& net) {
                 const ValueId inner = net.concat({net.input(1, size), five_and_three(net)});
                 return net.conv1x1(net.concat({net.relu(net.input(2, size)), inner, net.input(3, size)}), 4);
             }),
    };
}

std::vector<OpCase> stray_cases() {
    return {
        make("twice_in_one",
             [](OpGraph& net) {
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 return net.concat({x, net.input(2, size), x});
             }),
        make_many("in_two",
                  [](OpGraph& net) {
                      const ValueId x = net.conv1x1(net.input(3, size), 5);
                      return std::vector{net.concat({x, net.input(2, size)}), net.concat({net.input(3, size), x})};
                  }),
        make("input_in_two",
             [](OpGraph& net) {
                 const ValueId x = net.input(5, size), y = net.input(3, size);
                 return net.conv1x1(net.concat({net.relu(net.concat({x, y})), net.concat({y, x})}), 4);
             }),
        // The operand is placed in the inner one; the outer one wants it a second time.
        make("inner_operand_again",
             [](OpGraph& net) {
                 const ValueId x = net.conv1x1(net.input(3, size), 5), y = net.conv1x1(net.input(2, size), 6);
                 return net.concat({x, net.concat({x, y})});
             }),
        make("inner_operand_again_behind",
             [](OpGraph& net) {
                 const ValueId x = net.conv1x1(net.input(3, size), 5), y = net.conv1x1(net.input(2, size), 6);
                 return net.concat({net.concat({x, y}), y, x});
             }),
        make("whole_twice",
             [](OpGraph& net) {
                 const ValueId x = five_and_three(net);
                 return net.concat({x, x});
             }),
        // The memory of the first may not be reused in place before the second has read it.
        make_many("kept_for_second",
                  [](OpGraph& net) {
                      const ValueId x = net.conv1x1(net.input(3, size), 5);
                      const ValueId first = net.relu(net.concat({x, net.input(2, size)}));
                      return std::vector{first, net.concat({x, net.conv1x1(first, 3)})};
                  }),
    };
}

std::vector<OpCase> output_cases() {
    return {
        make_many("operand_is_output",
                  [](OpGraph& net) {
                      const ValueId x = net.conv1x1(net.input(3, size), 5);
                      return std::vector{x, net.concat({x, net.input(2, size)})};
                  }),
        make_many("inner_and_outer_are_outputs",
                  [](OpGraph& net) {
                      const ValueId inner = five_and_three(net), outer = net.concat({net.input(1, size), inner});
                      return std::vector{inner, outer};
                  }),
        make_many("input_is_operand_and_output",
                  [](OpGraph& net) {
                      const ValueId x = net.input(5, size);
                      return std::vector{net.relu(net.concat({x, net.input(2, size)})), x};
                  }),
        make_many("operand_read_afterwards",
                  [](OpGraph& net) {
                      const ValueId x = net.conv1x1(net.input(3, size), 5);
                      const ValueId all = net.concat({x, net.input(2, size)});
                      return std::vector{net.prelu(all), net.relu(x)};
                  }),
    };
}

/// What reads channels that are not dense.
std::vector<OpCase> reader_cases() {
    const auto transposed = [](OpGraph& net, ValueId x, int out, int groups) {
        ConvTranspose2d op{.kernel = {2, 2}, .stride = {2, 2}, .groups = groups, .out_channels = out};
        op.weight = net.weights({net.channels(x), out / groups, 2, 2}, net.channels(x) / groups);
        return net.add(op, {x});
    };
    const auto pool = [](OpGraph& net, ValueId x) { return net.add(Pool2d{.kernel = {2, 2}, .stride = {2, 2}}, {x}); };
    return {
        make("read_by_conv", [=](OpGraph& net) { return net.conv3x3(five_and_three(net), 7); }),
        make("read_by_groups", [=](OpGraph& net) { return net.conv3x3(five_and_three(net), 6, 2); }),
        make("read_by_depthwise", [=](OpGraph& net) { return net.conv3x3(five_and_three(net), 8, 8); }),
        // Three groups of 20 channels in 8, 5 and 5 planes: no even step leads from one to the next.
        make("read_by_uneven_groups",
             [](OpGraph& net) {
                 constexpr Axes small{5, 7};
                 const ValueId x = net.concat({net.input(5, small), net.input(5, small), net.input(5, small),
                                               net.input(5, small), net.input(40, small)});
                 return net.conv1x1(x, 60, 3);
             }),
        make("read_by_multiplier", [=](OpGraph& net) { return net.conv3x3(five_and_three(net), 16, 8); }),
        make("read_by_transposed", [=](OpGraph& net) { return transposed(net, five_and_three(net), 5, 1); }),
        make("read_by_transposed_groups", [=](OpGraph& net) { return transposed(net, five_and_three(net), 6, 2); }),
        make("read_by_pool", [=](OpGraph& net) { return net.prelu(pool(net, five_and_three(net))); }),
        make("read_by_resize",
             [](OpGraph& net) {
                 const ValueId x = five_and_three(net);
                 return net.scale_shift(net.add(Resize{.size = {.fixed = {11, 13}}}, {x}));
             }),
        make("read_by_identity", [](OpGraph& net) { return net.add(Identity{}, {five_and_three(net)}); }),
        make("read_by_argmax",
             [](OpGraph& net) {
                 const ValueId x = net.concat({net.input(5, size), net.input(3, size)});
                 return net.add(Argmax{.size = {.fixed = {11, 13}}}, {x});
             }),
        make("read_by_confidence",
             [](OpGraph& net) {
                 const ValueId x = net.concat({net.input(5, size), net.input(3, size)});
                 return net.add(Confidence{.size = {.fixed = size}}, {x});
             }),
        // A map goes through pooling, depthwise convolutions and elementwise operations.
        make("map_travels",
             [=](OpGraph& net) {
                 const ValueId x = net.conv3x3(pool(net, five_and_three(net)), 8, 8);
                 return net.relu(net.batch_norm(x));
             }),
        make("pooled_into_another",
             [=](OpGraph& net) {
                 const ValueId x = pool(net, five_and_three(net));
                 return net.conv3x3(net.concat({x, net.input(3, {3, 8})}), 5);
             }),
        // Sums of values in different maps.
        make("plus_dense", [](OpGraph& net) { return net.plus(five_and_three(net), net.input(8, size)); }),
        make("dense_plus", [](OpGraph& net) { return net.plus(net.input(8, size), five_and_three(net)); }),
        make("plus_other_map",
             [](OpGraph& net) {
                 const ValueId x = five_and_three(net);
                 return net.relu(net.plus(x, net.concat({net.input(3, size), net.input(5, size)})));
             }),
        make("conv_plus",
             [=](OpGraph& net) {
                 const ValueId x = five_and_three(net);
                 return net.prelu(net.plus(x, net.conv3x3(x, 8)));
             }),
        make("depthwise_plus_other_map",
             [=](OpGraph& net) {
                 const ValueId x = five_and_three(net), y = net.concat({net.input(3, size), net.input(5, size)});
                 return net.plus(y, net.conv3x3(x, 8, 8));
             }),
        make("pool_plus_dense",
             [=](OpGraph& net) {
                 return net.plus(net.input(8, {3, 8}), pool(net, five_and_three(net)));
             }),
        make("transposed_plus",
             [=](OpGraph& net) {
                 const ValueId x = five_and_three(net);
                 const ValueId y = net.concat({net.input(3, {14, 34}), net.input(5, {14, 34})});
                 return net.plus(y, transposed(net, x, 8, 1));
             }),
    };
}

INSTANTIATE_TEST_SUITE_P(ConcatPlacement, OpTest, everywhere(placement_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(ConcatStray, OpTest, everywhere(stray_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(ConcatOutput, OpTest, everywhere(output_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(ConcatReader, OpTest, everywhere(reader_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
