#include "tests/ops/op_test.hpp"

// Slices and shuffles have no kernel: they change which channel lies where, and every reader must know. What lies
// beside a slice in its planes belongs to somebody else.

namespace vkseg::test {
namespace {

constexpr Axes size{7, 17};

OpCase make(std::string name, std::function<std::vector<ValueId>(OpGraph&)> build) {
    return {.name = std::move(name), .build = [build = std::move(build)] {
                OpGraph net;
                std::vector<ValueId> results = build(net);
                return net.with_outputs(std::move(results));
            }};
}

/// A value that is no graph input.
ValueId made(OpGraph& net, int channels) {
    return net.conv1x1(net.input(3, size), channels);
}

using Values = std::vector<ValueId>;

std::vector<OpCase> slice_cases() {
    std::vector<OpCase> result;
    struct Part {
        int channels, begin, count;
    };
    // Whole planes, from the middle of a plane, one channel, across planes, all.
    for (const auto& [channels, begin, count] : std::vector<Part>{
             {12, 4, 8}, {12, 0, 4}, {5, 1, 3}, {5, 4, 1}, {19, 2, 11}, {28, 14, 14}, {131, 65, 66}, {5, 0, 5}}) {
        const std::string name =
            std::to_string(begin) + "_to_" + std::to_string(begin + count) + "_of_" + std::to_string(channels);
        const auto add = [&, channels = channels, begin = begin, count = count](
                             const std::string& reader, std::function<ValueId(OpGraph&, ValueId)> read) {
            result.push_back(make(name + reader, [=](OpGraph& net) {
                return Values{read(net, net.slice(made(net, channels), begin, count))};
            }));
        };
        add("_output", [](OpGraph&, ValueId x) { return x; });
        add("_prelu", [](OpGraph& net, ValueId x) { return net.prelu(net.scale_shift(x)); });
        add("_conv", [](OpGraph& net, ValueId x) { return net.conv1x1(x, 5); });
        if (count > 1)
            add("_depthwise",
                [](OpGraph& net, ValueId x) { return net.relu(net.conv3x3(x, net.channels(x), net.channels(x))); });
    }
    const std::vector<OpCase> others = {
        make("of_input", [](OpGraph& net) { return Values{net.relu(net.slice(net.input(9, size), 3, 5))}; }),
        make("of_slice", [](OpGraph& net) { return Values{net.slice(net.slice(made(net, 19), 3, 13), 5, 6)}; }),
        make("of_concat",
             [](OpGraph& net) {
                 const ValueId x = net.concat({made(net, 5), made(net, 3), made(net, 6)});
                 return Values{net.prelu(net.slice(x, 4, 7)), net.conv1x1(x, 4)};
             }),
        make("read_by_pool",
             [](OpGraph& net) {
                 const ValueId x = net.slice(made(net, 11), 3, 6);
                 return Values{net.add(Pool2d{.kernel = {2, 2}, .stride = {2, 2}}, {x}), net.global_pool(x)};
             }),
        make("read_by_resize",
             [](OpGraph& net) {
                 return Values{net.add(Resize{.size = {.fixed = {5, 9}}}, {net.slice(made(net, 11), 3, 6)})};
             }),
        make("read_by_argmax",
             [](OpGraph& net) {
                 const ValueId x = net.slice(net.input(11, size), 3, 6);
                 return Values{net.add(Argmax{.size = {.fixed = size}}, {x}), net.add(Softmax{}, {x})};
             }),
        make("read_by_groups",
             [](OpGraph& net) { return Values{net.conv3x3(net.slice(made(net, 23), 3, 18), 12, 3)}; }),
        make("halves_swapped",
             [](OpGraph& net) {
                 const ValueId x = made(net, 10);
                 return Values{net.concat({net.slice(x, 5, 5), net.slice(x, 0, 5)})};
             }),
        make("plus_dense",
             [](OpGraph& net) { return Values{net.plus(net.slice(made(net, 11), 3, 6), net.input(6, size))}; }),
        make("dense_plus", [](OpGraph& net) { return Values{net.plus(made(net, 6), net.slice(made(net, 11), 3, 6))}; }),
        make("conv_plus",
             [](OpGraph& net) {
                 const ValueId x = net.slice(made(net, 11), 3, 6);
                 return Values{net.relu(net.plus(x, net.conv3x3(x, 6)))};
             }),
        // The rest of the planes must survive what happens to the slice.
        make("whole_read_afterwards",
             [](OpGraph& net) {
                 const ValueId x = made(net, 8);
                 const ValueId y = net.relu(net.slice(x, 4, 4));
                 return Values{net.plus(x, net.conv1x1(y, 8))};
             }),
        // A reversible module: y1 = x1 + f(x2), y2 = x2 + g(y1), in place where nothing forbids it.
        make("reversible",
             [](OpGraph& net) {
                 ValueId x = net.concat({made(net, 8), made(net, 8)});
                 for (int i = 0; i < 2; ++i) {
                     const ValueId x1 = net.slice(x, 0, 8), x2 = net.slice(x, 8, 8);
                     const ValueId y1 = net.plus(x1, net.conv3x3(x2, 8));
                     x = net.concat({y1, net.plus(x2, net.conv3x3(y1, 8))});
                 }
                 return Values{x};
             }),
        make("reversible_of_input",
             [](OpGraph& net) {
                 const ValueId x = net.input(10, size);
                 const ValueId x1 = net.slice(x, 0, 5), x2 = net.slice(x, 5, 5);
                 const ValueId y1 = net.relu(net.plus(x1, net.conv3x3(x2, 5)));
                 return Values{net.concat({y1, net.plus(x2, net.conv1x1(y1, 5))})};
             }),
    };
    result.insert(result.end(), others.begin(), others.end());
    return result;
}

std::vector<OpCase> shuffle_cases() {
    return {
        make("output", [](OpGraph& net) { return Values{net.shuffle(made(net, 12), 3)}; }),
        make("of_input", [](OpGraph& net) { return Values{net.shuffle(net.input(10, size), 2)}; }),
        make("back_and_forth", [](OpGraph& net) { return Values{net.shuffle(net.shuffle(made(net, 12), 3), 4)}; }),
        make("of_one_group", [](OpGraph& net) { return Values{net.shuffle(made(net, 7), 1)}; }),
        make("read_by_conv", [](OpGraph& net) { return Values{net.conv3x3(net.shuffle(made(net, 10), 5), 5)}; }),
        make("read_by_depthwise",
             [](OpGraph& net) { return Values{net.prelu(net.conv3x3(net.shuffle(made(net, 10), 2), 10, 10))}; }),
        // Groups of a shuffled value read every n-th plane.
        make("read_by_groups", [](OpGraph& net) { return Values{net.conv1x1(net.shuffle(made(net, 32), 2), 32, 2)}; }),
        make("read_by_narrow_groups",
             [](OpGraph& net) { return Values{net.conv3x3(net.shuffle(made(net, 24), 4), 24, 4)}; }),
        make("read_by_many_groups",
             [](OpGraph& net) { return Values{net.conv1x1(net.shuffle(made(net, 120), 3), 120, 3)}; }),
        // Five branches, shuffled: each group reads one channel of every branch.
        make("pyramid_merge",
             [](OpGraph& net) {
                 std::vector<ValueId> branches;
                 for (int i = 0; i < 5; ++i) branches.push_back(made(net, 16));
                 return Values{net.conv3x3(net.shuffle(net.concat(branches), 5), 16, 16)};
             }),
        make("plus_dense",
             [](OpGraph& net) { return Values{net.plus(net.shuffle(made(net, 10), 2), net.input(10, size))}; }),
        make("read_by_argmax",
             [](OpGraph& net) {
                 return Values{net.add(Argmax{.size = {.fixed = size}}, {net.shuffle(net.input(12, size), 3)})};
             }),
        // ShuffleNet's unit, twice: split, one half through convolutions, concatenation, shuffle.
        make("shuffle_net",
             [](OpGraph& net) {
                 ValueId x = made(net, 20);
                 for (int i = 0; i < 2; ++i) {
                     const ValueId left = net.slice(x, 0, 10), right = net.slice(x, 10, 10);
                     ValueId y = net.relu(net.conv1x1(right, 10));
                     y = net.relu(net.conv1x1(net.conv3x3(y, 10, 10), 10));
                     x = net.shuffle(net.concat({left, y}), 2);
                 }
                 return Values{net.conv1x1(x, 5)};
             }),
    };
}

INSTANTIATE_TEST_SUITE_P(Slice, OpTest, everywhere(slice_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(ChannelShuffle, OpTest, everywhere(shuffle_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
