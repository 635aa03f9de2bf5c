#include "tests/graph/support.hpp"

#include <limits>

namespace vkseg::test {
namespace {

// Expected digests come from PyTorch 1.13; `data` and the digest as in conv_test.cpp:
//   F.max_pool2d(data((1,c,h,w),1), kernel, stride, padding, ceil_mode=ceil)
//   F.avg_pool2d(data((1,c,h,w),1), kernel, stride, padding, ceil_mode=ceil, count_include_pad=count)
//   F.interpolate(data((1,c,h,w),1).float(), size, mode="nearest")
//   F.interpolate(data((1,c,h,w),1).float(), size, mode="bilinear", align_corners=aligned)
struct PoolCase {
    Shape input;
    Pool2d op;
    Axes output;
    Digest expected;
};

struct ResizeCase {
    Shape input;
    Resize::Mode mode;
    Axes output;
    Digest expected;
};

using Kind = Pool2d::Kind;
using Mode = Resize::Mode;

// clang-format off
const std::vector<PoolCase> pool_cases = {
    {{2, 7, 5}, {Kind::Max, {2, 2}, {2, 2}, {0, 0}, true, false}, {3, 2}, {{1, 2.875, 3.0625, 2.8125, 3}, 91.4375}},
    {{2, 7, 5}, {Kind::Max, {2, 2}, {2, 2}, {0, 0}, true, true}, {4, 3}, {{1, 2.4375, 2.625, 2.8125, 2.375}, 140.5625}},
    {{3, 8, 9}, {Kind::Max, {3, 3}, {2, 2}, {1, 1}, true, false}, {4, 5}, {{2.875, 2.8125, 2.5, 2.4375, 2.5625}, 575.375}},
    {{1, 5, 5}, {Kind::Max, {3, 2}, {2, 3}, {1, 1}, true, true}, {3, 2}, {{-1.3125, 2.25, 2.875, 2.4375, 1.8125}, 45.25}},
    {{3, 8, 9}, {Kind::Average, {3, 3}, {2, 2}, {1, 1}, true, false}, {4, 5}, {{0.34722222, 0.0069444444, 0.18055556, 0.10416667, 0.020833333}, -4.027777778}},
    {{3, 8, 9}, {Kind::Average, {3, 3}, {2, 2}, {1, 1}, false, false}, {4, 5}, {{0.78125, 0.0069444444, 0.40625, 0.10416667, 0.020833333}, -7.927083333}},
    {{3, 8, 8}, {Kind::Average, {3, 3}, {2, 2}, {1, 1}, true, true}, {5, 5}, {{-0.16666667, 0.25, 0.48611111, -0.13541667, 0.375}, -17.57291667}},
    {{3, 8, 8}, {Kind::Average, {3, 3}, {2, 2}, {1, 1}, false, true}, {5, 5}, {{-0.375, 0.375, 0.72916667, -0.40625, 0.5625}, -32.42708333}},
    {{2, 7, 6}, {Kind::Average, {5, 4}, {3, 3}, {2, 2}, true, true}, {3, 3}, {{0.0125, -0.096875, -0.065625, -0.203125, -0.140625}, -2.21875}},
    {{2, 2, 2}, {Kind::Average, {3, 3}, {2, 2}, {0, 0}, true, true}, {1, 1}, {{-1, 0.359375}, -0.28125}},
    {{1, 29, 7}, {Kind::Average, {7, 7}, {2, 2}, {3, 3}, true, false}, {15, 4}, {{0.0012755102, 0.048469388, 0.024234694, 0, -0.024234694}, 1.954081633}},
    {{2, 6, 5}, {Kind::Average, {2, 2}, {3, 3}, {1, 1}, true, true}, {3, 2}, {{-0.328125, 1.171875, -0.078125, -0.34375, 1.140625}, -3.84375}},
};

const std::vector<ResizeCase> resize_cases = {
    {{2, 4, 6}, Mode::Bilinear, {8, 12}, {{-1.3125, 0.80078125, -0.140625, -1.0820312, 1.921875}, -87.26171875}},
    {{2, 5, 7}, Mode::Bilinear, {3, 4}, {{-0.046875022, 0.3671875, 1.3072916, -1.171875, -0.75781244}, 1.153644569}},
    {{2, 5, 7}, Mode::Bilinear, {13, 5}, {{-0.85000002, -0.50096142, -0.70673043, 0.15576896, -1.4096154}, -17.46153715}},
    {{1, 1, 3}, Mode::Bilinear, {4, 7}, {{-1.3125, -2.4285715, 0.99999994, -0.98214287, -3}, -153.5714323}},
    {{2, 4, 6}, Mode::BilinearAligned, {8, 12}, {{-1.3125, 0.7573052, -0.2061687, -1.1112014, 1.6144483}, -74.53247576}},
    {{2, 5, 7}, Mode::BilinearAligned, {3, 13}, {{-1.3125, 1.8125, -1.375, -1.8125, 1.3125}, -95.40625}},
    {{2, 5, 7}, Mode::BilinearAligned, {1, 1}, {{-1.3125, -2.4375}, -6.1875}},
    {{1, 1, 1}, Mode::BilinearAligned, {5, 3}, {{-1.3125, -1.3125, -1.3125, -1.3125, -1.3125}, -74.8125}},
    {{2, 29, 31}, Mode::BilinearAligned, {89, 61}, {{-1.3125, 1.3835235, 0.40198898, -0.24573854, 1.0681812}, -211.8067137}},
    {{2, 4, 6}, Mode::Nearest, {8, 12}, {{-1.3125, 2.25, 0.75, -2, 2.8125}, -82.4375}},
    {{2, 5, 7}, Mode::Nearest, {3, 16}, {{-1.3125, -1.75, 1.375, -1.8125, 0.0625}, -43}},
    {{2, 7, 3}, Mode::Nearest, {7, 3}, {{-1.3125, -1.75, -2.1875, -2.625, -3.0625}, -23.5}},
    {{1, 2, 2}, Mode::Nearest, {98, 6}, {{-1.3125, 1, -1.3125, -0.6875, -3}, -2352}},
};
// clang-format on

TEST(Pool2dTest, AgreesWithPyTorch) {
    for (const PoolCase& test : pool_cases) {
        SCOPED_TRACE(testing::Message() << "case " << &test - pool_cases.data());
        const HostValue input = pattern(test.input[0], test.input[1], test.input[2]);
        const HostValue result = run_op(test.op, {input});
        EXPECT_EQ(result.desc, features(test.input[0], test.output.h, test.output.w));
        expect_digest(result.floats, test.expected, 1e-6);
    }
}

TEST(Pool2dTest, MaximumIgnoresPaddingAndPassesNan) {
    Pool2d pool{.kind = Kind::Max, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
    EXPECT_EQ(run_op(pool, {feature_value(1, 1, 2, {-5.0f, -7.0f})}).floats, std::vector<float>{-5.0f});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(run_op(pool, {feature_value(1, 1, 2, {nan, 1.0f})}).floats[0]));
}

TEST(ResizeTest, AgreesWithPyTorch) {
    for (const ResizeCase& test : resize_cases) {
        SCOPED_TRACE(testing::Message() << "case " << &test - resize_cases.data());
        const HostValue input = pattern(test.input[0], test.input[1], test.input[2]);
        Resize resize{test.mode, {.fixed = test.output}};
        const HostValue result = run_op(resize, {input});
        EXPECT_EQ(result.desc, features(test.input[0], test.output.h, test.output.w));
        // PyTorch interpolates in float32, we in double.
        expect_digest(result.floats, test.expected, 2e-6);
    }
}

TEST(ResizeTest, TakesItsSizeFromTheLastOperand) {
    Resize resize{Mode::Nearest, {.kind = SizeRule::Kind::LikeOperand}};
    const HostValue result = run_op(resize, {feature_value(1, 1, 2, {1, 2}), pattern(7, 2, 4)});
    EXPECT_EQ(result.desc, features(1, 2, 4));
    EXPECT_EQ(result.floats, (std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2}));
}

TEST(SizeRuleTest, ScalesRoundsAndKeepsTheMinimum) {
    using Rounding = SizeRule::Rounding;
    const auto scaled = [](double scale, Rounding rounding, int minimum, Axes input) {
        return resolve({.kind = SizeRule::Kind::Scaled, .scale = scale, .rounding = rounding, .minimum = minimum},
                       input, {});
    };
    EXPECT_EQ(scaled(0.5, Rounding::Floor, 1, {7, 8}), (Axes{3, 4}));
    EXPECT_EQ(scaled(0.5, Rounding::Ceil, 1, {7, 8}), (Axes{4, 4}));
    EXPECT_EQ(scaled(0.1, Rounding::Ceil, 5, {64, 32}), (Axes{7, 5}));
    EXPECT_EQ(scaled(0.1, Rounding::Floor, 1, {5, 30}), (Axes{1, 3}));
    EXPECT_EQ(scaled(0.75, Rounding::Floor, 1, {1023, 2047}), (Axes{767, 1535}));
    EXPECT_EQ(resolve({.fixed = {3, 9}}, {1, 1}, {5, 5}), (Axes{3, 9}));
    EXPECT_EQ(resolve({.kind = SizeRule::Kind::LikeOperand}, {1, 1}, {5, 6}), (Axes{5, 6}));
}

}  // namespace
}  // namespace vkseg::test
