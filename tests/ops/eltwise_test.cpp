#include "tests/ops/op_test.hpp"

// Batch norm, scale and shift, ReLU, PReLU, Add and Identity: one kernel, often in place.

namespace vkseg::test {
namespace {

OpCase make(std::string name, size_t simplified_nodes, std::function<Graph()> build) {
    return {.name = std::move(name), .build = std::move(build), .simplified_nodes = simplified_nodes};
}

/// A tail on a graph input, which has no operation that could carry it: an Identity does.
OpCase tail_case(int channels, Axes size, const Tail& tail) {
    return make("c" + std::to_string(channels) + "_" + to_string(size) + to_string(tail), 1, [=] {
        OpGraph net;
        return net.with_outputs({net.tail(net.input(channels, size), tail)});
    });
}

/// The same without the pass that makes epilogues: each operation is lowered by itself.
OpCase unfused_case(int channels, Axes size) {
    OpCase test = make("unfused_c" + std::to_string(channels), 4, [=] {
        OpGraph net;
        const ValueId x = net.tail(net.input(channels, size), {.add = true, .scale_shift = true, .activation = relu});
        return net.with_outputs({net.prelu(x)});
    });
    test.disabled_passes = {"fuse_epilogue"};
    return test;
}

/// Batch norms become scale and shift even where they may not fold.
OpCase unfolded_case(Axes size) {
    OpCase test = make("unfolded_batch_norm", 1, [=] {
        OpGraph net;
        return net.with_outputs({net.batch_norm(net.conv1x1(net.input(3, size), 5))});
    });
    test.disabled_passes = {"fold_batchnorm"};
    return test;
}

std::vector<OpCase> tail_cases() {
    std::vector<OpCase> cases;
    for (const Tail& tail : all_tails()) cases.push_back(tail_case(7, {7, 17}, tail));
    for (const Tail& tail : some_tails()) cases.push_back(tail_case(131, {3, 5}, tail));
    constexpr Tail all{.add = true, .scale_shift = true, .activation = prelu};
    for (const auto& [channels, size] : std::vector<std::pair<int, Axes>>{
             {1, {1, 1}}, {2, {1, 31}}, {3, {31, 1}}, {4, {29, 31}}, {5, {17, 67}}, {28, {5, 7}}, {36, {3, 5}}})
        cases.push_back(tail_case(channels, size, all));
    cases.push_back(unfused_case(5, {7, 17}));
    cases.push_back(unfused_case(40, {5, 3}));
    cases.push_back(unfolded_case({7, 17}));
    return cases;
}

std::vector<OpCase> graph_cases() {
    constexpr Axes size{7, 17};
    return {
        make("identity", 1,
             [=] {
                 OpGraph net;
                 return net.with_outputs({net.add(Identity{}, {net.input(5, size)})});
             }),
        make("input_is_output", 0,
             [=] {
                 OpGraph net;
                 return net.with_outputs({net.input(5, size)});
             }),
        make("batch_norm_alone", 1,
             [=] {
                 OpGraph net;
                 return net.with_outputs({net.batch_norm(net.input(5, size))});
             }),
        make("batch_norm_prelu", 1,
             [=] {
                 OpGraph net;
                 return net.with_outputs({net.prelu(net.batch_norm(net.input(19, size)))});
             }),
        make("batch_norm_folds_into_conv", 1,
             [=] {
                 OpGraph net;
                 return net.with_outputs({net.relu(net.batch_norm(net.conv1x1(net.input(3, size), 5)))});
             }),
        // Its convolution has a second reader, so the batch norm stays by itself.
        make("batch_norm_beside_reader", 2,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 return net.with_outputs({x, net.relu(net.batch_norm(x))});
             }),
        make("twice_itself", 1,
             [=] {
                 OpGraph net;
                 const ValueId x = net.input(5, size);
                 return net.with_outputs({net.plus(x, x)});
             }),
        make("sum_of_three", 2,
             [=] {
                 OpGraph net;
                 const ValueId x = net.input(5, size), y = net.input(5, size), z = net.input(5, size);
                 return net.with_outputs({net.plus(net.plus(x, y), z)});
             }),
        // In place, again and again: each is the last reader of the one before.
        make("chain_in_place", 3,
             [=] {
                 OpGraph net;
                 ValueId x = net.input(5, size);
                 for (int i = 0; i < 3; ++i) x = net.prelu(net.scale_shift(x));
                 return net.with_outputs({x});
             }),
        // Not in place: the operand is read afterwards, or is an output itself.
        make("operand_lives_on", 4,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5), y = net.relu(x);
                 return net.with_outputs({net.plus(net.prelu(x), y)});
             }),
        make("operand_is_output", 2,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 return net.with_outputs({x, net.relu(x)});
             }),
        // The added operand dies here, the first one does not.
        make("added_operand_dies", 0,
             [=] {
                 OpGraph net;
                 const ValueId x = net.input(5, size), y = net.relu(net.input(5, size));
                 const ValueId sum = net.plus(x, y);
                 return net.with_outputs({net.plus(net.scale_shift(sum), x)});
             }),
        make("residual_of_input", 1,
             [=] {
                 OpGraph net;
                 const ValueId x = net.input(5, size);
                 return net.with_outputs({net.relu(net.plus(x, net.conv1x1(x, 5)))});
             }),
        // The sum would like the memory of an operand whose neighbours the convolution still reads.
        make("residual_of_neighbours", 2,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 return net.with_outputs({net.relu(net.plus(x, net.conv3x3(x, 5)))});
             }),
        make("residual_of_pool", 0,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 const Pool2d pool{.kernel = {3, 3}, .padding = {1, 1}};
                 return net.with_outputs({net.plus(x, net.add(pool, {x}))});
             }),
        make("residual_of_resize", 0,
             [=] {
                 OpGraph net;
                 const ValueId x = net.conv1x1(net.input(3, size), 5);
                 const Resize resize{.mode = Resize::Mode::Nearest, .size = {.fixed = size}};
                 return net.with_outputs({net.plus(net.add(resize, {x}), x)});
             }),
        make("one_input_three_branches", 0,
             [=] {
                 OpGraph net;
                 const ValueId x = net.input(12, size);
                 return net.with_outputs({net.relu(x), net.prelu(x), net.batch_norm(x)});
             }),
    };
}

INSTANTIATE_TEST_SUITE_P(EltwiseEpilogue, OpTest, everywhere(tail_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Eltwise, OpTest, everywhere(graph_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
