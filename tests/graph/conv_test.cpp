#include "tests/graph/support.hpp"

namespace vkseg::test {
namespace {

// Expected digests come from PyTorch 1.13 in float64:
//   def data(shape, salt):
//       i = torch.arange(math.prod(shape)); return (((i * 37 + salt * 29) % 101 - 50).double() / 16).reshape(shape)
//   y = F.conv2d(data((1,c,h,w),1), data((oc,c//g,kh,kw),2), data((oc,),3) or None, stride, padding, dilation, g)
//   y = F.conv_transpose2d(data((1,c,h,w),1), data((c,oc//g,kh,kw),2), data((oc,),3) or None, stride, padding,
//                          output_padding, g, dilation)
//   samples = y.flatten()[::max(1, y.numel() // 5)][:5]
//   sum = (y.flatten() * (torch.arange(y.numel()) % 7 + 1)).sum()
struct ConvCase {
    Shape input;
    int out_channels;
    Axes kernel, stride, padding, dilation, output_padding;
    int groups;
    bool bias;
    Digest expected;
};

// clang-format off
const std::vector<ConvCase> conv2d_cases = {
    {{3, 7, 5}, 4, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 1, false, {{22.09375, -28.386719, -2.8828125, 19.222656, -3.6835938}, 147.8710938}},
    {{3, 7, 5}, 6, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, 3, true, {{10.863281, -0.8828125, -15.363281, -1.0039062, -17.066406}, 482.8476562}},
    {{4, 9, 11}, 4, {3, 3}, {1, 1}, {4, 4}, {4, 4}, {0, 0}, 4, false, {{4.2734375, -3.3007812, 13.140625, -12.070312, -0.03515625}, -622.4960938}},
    {{5, 6, 13}, 7, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 0}, 1, true, {{3.5429688, -2.8671875, -3.59375, 9.1835938, 0.30078125}, 508.0234375}},
    {{2, 8, 9}, 3, {3, 1}, {1, 1}, {2, 0}, {2, 1}, {0, 0}, 1, true, {{-6.484375, -1.4882812, -4.2734375, 10.148438, 8.0742188}, 275.7617188}},
    {{4, 11, 29}, 8, {5, 3}, {3, 2}, {2, 0}, {1, 2}, {0, 0}, 2, true, {{5.6835938, -11.015625, 17.433594, -0.5, -34.878906}, -146.2695312}},
    {{1, 1, 1}, 1, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 0}, 1, false, {{-0.65625}, -0.65625}},
    {{3, 5, 7}, 5, {3, 3}, {1, 1}, {16, 16}, {16, 16}, {0, 0}, 1, false, {{8.6171875, 1.0195312, 1.7070312, 2.3945312, -12.304688}, -45.06640625}},
    {{6, 33, 3}, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, 3, true, {{4.1367188, -32.914062, -13.992188, 15.664062, 26.648438}, 1330.304688}},
    {{2, 5, 89}, 2, {1, 7}, {2, 5}, {0, 3}, {1, 1}, {0, 0}, 1, false, {{-9.2265625, 4.625, 11.976562, 15.0625, 8.9765625}, 146.4765625}},
};

const std::vector<ConvCase> conv_transpose2d_cases = {
    {{2, 3, 4}, 3, {2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, 0}, 1, false, {{2.90625, 3.2734375, -4.7460938, -7.9140625, -5.5039062}, 17.46484375}},
    {{4, 5, 3}, 6, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 2, true, {{11.070312, -5.1132812, 1.1445312, 0.2734375, 2.5820312}, 1338.691406}},
    {{3, 1, 1}, 2, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 1, true, {{12.023438, -1.9492188, 9.953125, -4.0195312, 1.8125}, -102.2148438}},
    {{4, 4, 7}, 4, {3, 2}, {3, 1}, {1, 0}, {2, 3}, {2, 1}, 4, false, {{0, 0, 0.75, -4, -0.0625}, 118.921875}},
    {{2, 5, 5}, 2, {4, 4}, {2, 2}, {1, 1}, {1, 1}, {0, 0}, 1, true, {{3.7734375, 12.488281, -11.703125, -0.94921875, -7.4453125}, 537.65625}},
};
// clang-format on

template <typename Conv>
Conv conv_of(const ConvCase& test, const Shape& weight, Graph& graph) {
    Conv conv;
    conv.weight = graph.add_constant("weight", tensor(weight, 2));
    if (test.bias) conv.bias = graph.add_constant("bias", tensor({test.out_channels}, 3));
    conv.kernel = test.kernel;
    conv.stride = test.stride;
    conv.dilation = test.dilation;
    conv.padding = pad_all(test.padding.h, test.padding.w);
    conv.groups = test.groups;
    conv.out_channels = test.out_channels;
    return conv;
}

TEST(Conv2dTest, AgreesWithPyTorch) {
    for (const ConvCase& test : conv2d_cases) {
        SCOPED_TRACE(testing::Message() << "case " << &test - conv2d_cases.data());
        Graph graph;
        const Shape weight{test.out_channels, test.input[0] / test.groups, test.kernel.h, test.kernel.w};
        const auto conv = conv_of<Conv2d>(test, weight, graph);
        const HostValue input = pattern(test.input[0], test.input[1], test.input[2]);
        expect_digest(run_op(conv, {input}, graph).floats, test.expected, 1e-6);
    }
}

TEST(ConvTranspose2dTest, AgreesWithPyTorch) {
    for (const ConvCase& test : conv_transpose2d_cases) {
        SCOPED_TRACE(testing::Message() << "case " << &test - conv_transpose2d_cases.data());
        Graph graph;
        const Shape weight{test.input[0], test.out_channels / test.groups, test.kernel.h, test.kernel.w};
        auto conv = conv_of<ConvTranspose2d>(test, weight, graph);
        conv.output_padding = test.output_padding;
        const HostValue input = pattern(test.input[0], test.input[1], test.input[2]);
        expect_digest(run_op(conv, {input}, graph).floats, test.expected, 1e-6);
    }
}

/// Straight from the definition, one output element at a time.
double conv2d_at(const Conv2d& conv, const Graph& graph, const HostValue& input, int oc, int oh, int ow) {
    const int group_in = input.desc.channels() / conv.groups;
    const int group = oc / (conv.out_channels / conv.groups);
    const std::vector<float>& weight = graph.constant(conv.weight).data;
    double sum = 0.0;
    size_t tap = static_cast<size_t>(oc * group_in * conv.kernel.h * conv.kernel.w);
    for (int ic = 0; ic < group_in; ++ic) {
        for (int kh = 0; kh < conv.kernel.h; ++kh) {
            for (int kw = 0; kw < conv.kernel.w; ++kw, ++tap) {
                const int y = oh * conv.stride.h - conv.padding.top + kh * conv.dilation.h;
                const int x = ow * conv.stride.w - conv.padding.left + kw * conv.dilation.w;
                if (y < 0 || x < 0 || y >= input.desc.height() || x >= input.desc.width()) continue;
                const int plane = group * group_in + ic;
                sum += double{weight[tap]} *
                       input.floats[static_cast<size_t>((plane * input.desc.height() + y) * input.desc.width() + x)];
            }
        }
    }
    return sum;
}

TEST(Conv2dTest, PadsEachSideByItsOwnAmount) {
    for (const Padding pad : {Padding{0, 1, 0, 1}, Padding{2, 0, 3, 1}, Padding{0, 0, 5, 0}, Padding{4, 4, 0, 0}}) {
        for (const Axes stride : {Axes{1, 1}, Axes{2, 3}}) {
            Graph graph;
            Conv2d conv{.weight = graph.add_constant("weight", tensor({5, 2, 3, 2}, 4)),
                        .kernel = {3, 2},
                        .stride = stride,
                        .dilation = {1, 2},
                        .padding = pad,
                        .groups = 1,
                        .out_channels = 5};
            const HostValue input = pattern(2, 7, 6);
            const HostValue result = run_op(conv, {input}, graph);
            const int out_h = (7 + pad.top + pad.bottom - 3) / stride.h + 1;
            const int out_w = (6 + pad.left + pad.right - 3) / stride.w + 1;
            ASSERT_EQ(result.desc, features(5, out_h, out_w));
            for (int i = 0; i < 5 * out_h * out_w; ++i) {
                const double expected = conv2d_at(conv, graph, input, i / out_w / out_h, i / out_w % out_h, i % out_w);
                EXPECT_NEAR(result.floats[static_cast<size_t>(i)], expected, 1e-5) << "element " << i;
            }
        }
    }
}

TEST(Conv2dTest, CarriesWideRowsAndManyThreadsAlike) {
    // More rows than one band and a block of channels that is not full.
    Graph graph;
    Conv2d conv{.weight = graph.add_constant("weight", tensor({6, 3, 3, 3}, 4)),
                .kernel = {3, 3},
                .padding = pad_all(1, 1),
                .out_channels = 6};
    const HostValue input = pattern(3, 53, 37);
    const HostValue result = run_op(conv, {input}, graph);
    for (int i = 0; i < 6 * 53 * 37; i += 5) {
        const double expected = conv2d_at(conv, graph, input, i / 37 / 53, i / 37 % 53, i % 37);
        ASSERT_NEAR(result.floats[static_cast<size_t>(i)], expected, 1e-4) << "element " << i;
    }
}

TEST(ConvTranspose2dTest, CropsEachSideByItsOwnAmount) {
    // The uncropped result with rows and columns taken away.
    Graph graph;
    ConvTranspose2d whole{.weight = graph.add_constant("weight", tensor({2, 3, 3, 3}, 4)),
                          .kernel = {3, 3},
                          .stride = {2, 2},
                          .out_channels = 3};
    ConvTranspose2d cropped = whole;
    cropped.padding = {1, 0, 2, 1};
    const HostValue input = pattern(2, 4, 3);
    const HostValue all = run_op(whole, {input}, graph);
    const HostValue part = run_op(cropped, {input}, graph);
    ASSERT_EQ(all.desc, features(3, 9, 7));
    ASSERT_EQ(part.desc, features(3, 8, 4));
    for (size_t c = 0; c < 3; ++c) {
        for (size_t y = 0; y < 8; ++y) {
            for (size_t x = 0; x < 4; ++x) {
                EXPECT_EQ(part.floats[(c * 8 + y) * 4 + x], all.floats[(c * 9 + y + 1) * 7 + x + 2]);
            }
        }
    }
}

TEST(CountMacsTest, CountsConvolutionsOnly) {
    Graph graph;
    const ValueId image = graph.add_input("image", features(4, 8, 6));
    Conv2d conv{.weight = graph.add_constant("weight", tensor({6, 2, 3, 3}, 1)),
                .kernel = {3, 3},
                .stride = {2, 2},
                .padding = pad_all(1, 1),
                .groups = 2,
                .out_channels = 6};
    const ValueId half = graph.add("conv", conv, {image});
    ConvTranspose2d up{.weight = graph.add_constant("weight", tensor({6, 5, 2, 2}, 1)),
                       .kernel = {2, 2},
                       .stride = {2, 2},
                       .out_channels = 5};
    graph.outputs = {graph.add("relu", Relu{}, {graph.add("up", up, {half})})};
    EXPECT_EQ(count_macs(graph.nodes[0], graph), 6u * 4 * 3 * 2 * 9);
    EXPECT_EQ(count_macs(graph.nodes[1], graph), 6u * 4 * 3 * 5 * 4);
    EXPECT_EQ(count_macs(graph), 6u * 4 * 3 * (2 * 9 + 5 * 4));
}

}  // namespace
}  // namespace vkseg::test
