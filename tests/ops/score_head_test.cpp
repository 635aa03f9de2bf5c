#include "tests/ops/op_test.hpp"

// The last layer and Argmax at the size of its scores: one dispatch, but for convolutions on CPU drivers.

namespace vkseg::test {
namespace {

const SizeRule own_size{.kind = SizeRule::Kind::Scaled};

OpCase classes_of(std::string name, std::function<ValueId(OpGraph&)> scores, Sampling sampling = Sampling::Nearest) {
    const auto build = [=] {
        OpGraph net;
        return net.with_outputs({net.add(Argmax{sampling, own_size}, {scores(net)})});
    };
    return {.name = "head_" + std::move(name), .build = build, .simplified_nodes = 2};
}

OpCase conv(int in, int classes, Axes size, Conv2d op, bool bias = true, Sampling sampling = Sampling::Nearest) {
    const std::string name = "conv_" + std::to_string(in) + "_to_" + std::to_string(classes) + "_k" +
                             to_string(op.kernel) + "_s" + to_string(op.stride) + "_" + to_string(size);
    return classes_of(
        name,
        [=](OpGraph& net) {
            Conv2d full = op;
            full.out_channels = classes;
            full.weight = net.weights({classes, in, op.kernel.h, op.kernel.w}, int64_t{in} * op.kernel.h * op.kernel.w);
            if (bias) full.bias = net.vector(classes, -0.5f, 0.5f);
            return net.add(full, {net.input(in, size)});
        },
        sampling);
}

OpCase transposed(int in, int classes, Axes size, ConvTranspose2d op, bool bias = true) {
    const std::string name = "transposed_" + std::to_string(in) + "_to_" + std::to_string(classes) + "_k" +
                             to_string(op.kernel) + "_s" + to_string(op.stride) + "_" + to_string(size);
    return classes_of(name, [=](OpGraph& net) {
        ConvTranspose2d full = op;
        full.out_channels = classes;
        full.weight = net.weights({in, classes, op.kernel.h, op.kernel.w}, in);
        if (bias) full.bias = net.vector(classes, -0.5f, 0.5f);
        return net.add(full, {net.input(in, size)});
    });
}

OpCase resized(int classes, Axes from, Axes to, Resize::Mode mode, const char* mode_name,
               Sampling sampling = Sampling::Nearest) {
    const std::string name = std::string("resize_") + mode_name + "_c" + std::to_string(classes) + "_" +
                             to_string(from) + "_to_" + to_string(to) +
                             (sampling == Sampling::Bilinear          ? "_twice"
                              : sampling == Sampling::BilinearAligned ? "_twice_aligned"
                                                                      : "");
    return classes_of(
        name,
        [=](OpGraph& net) {
            return net.add(Resize{mode, {.fixed = to}}, {net.input(classes, from)});
        },
        sampling);
}

std::vector<OpCase> cases() {
    std::vector<OpCase> result{
        // ESPNet's and ESNet's, over rows that four divides and rows that it does not.
        transposed(20, 20, {8, 16}, {.kernel = {2, 2}, .stride = {2, 2}}, false),
        transposed(20, 20, {7, 13}, {.kernel = {2, 2}, .stride = {2, 2}}),
        transposed(16, 19, {5, 9},
                   {.kernel = {3, 3}, .stride = {2, 2}, .padding = pad_all(1, 1), .output_padding = {1, 1}}),
        transposed(5, 3, {6, 5}, {.kernel = {4, 4}, .stride = {2, 2}, .padding = pad_all(1, 1)}),
        transposed(3, 70, {4, 5}, {.kernel = {3, 2}, .stride = {3, 1}, .dilation = {1, 2}}),
        transposed(4, 6, {1, 1}, {.kernel = {1, 1}, .stride = {2, 3}, .output_padding = {1, 2}}),
        conv(4, 2, {1, 1}, {}),
        conv(25, 20, {9, 14}, {}),
        conv(9, 12, {6, 11}, {}, true, Sampling::BilinearAligned),
        conv(7, 19, {11, 13}, {.kernel = {3, 3}, .padding = pad_all(1, 1)}, false),
        conv(6, 131, {5, 7}, {.kernel = {3, 1}, .stride = {2, 1}, .padding = pad_all(1, 0)}),
        conv(3, 256, {4, 3}, {.kernel = {3, 3}, .dilation = {2, 2}, .padding = pad_all(2, 2)}),
    };
    for (const auto& [mode, name] :
         {std::pair{Resize::Mode::Bilinear, "bilinear"}, std::pair{Resize::Mode::BilinearAligned, "aligned"},
          std::pair{Resize::Mode::Nearest, "nearest"}}) {
        result.push_back(resized(20, {8, 16}, {64, 128}, mode, name));
        result.push_back(resized(19, {7, 5}, {23, 31}, mode, name));
        result.push_back(resized(5, {13, 17}, {7, 1}, mode, name));
        result.push_back(resized(3, {1, 1}, {3, 5}, mode, name, Sampling::Bilinear));
        result.push_back(resized(6, {4, 9}, {11, 21}, mode, name, Sampling::BilinearAligned));
    }
    result.push_back({.name = "head_of_a_concatenation_with_pad_lanes", .build = [] {
                          OpGraph net;
                          const ValueId x = net.concat(
                              {net.conv1x1(net.input(3, {6, 10}), 5), net.conv1x1(net.input(4, {6, 10}), 3)});
                          const ValueId full = net.add(Resize{.size = {.fixed = {12, 11}}}, {x});
                          return net.with_outputs({net.add(Argmax{.size = own_size}, {full}),
                                                   net.add(Argmax{.size = own_size}, {net.conv1x1(x, 6)})});
                      }});
    return result;
}

INSTANTIATE_TEST_SUITE_P(ScoreHead, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
