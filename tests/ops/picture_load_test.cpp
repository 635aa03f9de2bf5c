#include "tests/ops/op_test.hpp"

// What a network begins with, on the bytes of a picture or the host's floats: one dispatch on a GPU, without the map in
// memory.

namespace vkseg::test {
namespace {

enum class Begins { Conv, MaxPool, MeanPool, Mean, Down };

struct Case {
    const char* name = "";
    Axes picture{};
    /// The network's size.
    Axes size{};
    Begins begins = Begins::Conv;
    int out_channels = 8;
    int kernel = 3, stride = 2;
    PixelFormat format = PixelFormat::RGB8;
    bool bgr = false;
    Tail tail{};
    /// A second scaling of the map, 0 for none.
    double scale = 0;
    Resize::Mode mode = Resize::Mode::Bilinear;
    /// The host gives the network's floats.
    bool floats = false;
};

OpCase make(const Case& test) {
    const auto build = [=] {
        OpGraph net;
        const ImageToTensor load{.format = test.format,
                                 .bgr = test.bgr,
                                 .subtract = {103.5f, 116.25f, 123.125f},
                                 .multiply = {1 / 58.4f, 1 / 57.1f, -1 / 57.4f},
                                 .size = {.fixed = test.size == Axes{} ? test.picture : test.size}};
        ValueId x = test.floats ? net.input(3, test.picture) : net.add(load, {net.picture(test.picture, test.format)});
        if (test.scale > 0) x = net.add(Resize{test.mode, {.kind = SizeRule::Kind::Scaled, .scale = test.scale}}, {x});
        const auto conv = [&] {
            Conv2d op{.kernel = {test.kernel, test.kernel},
                      .stride = {test.stride, test.stride},
                      .padding = pad_all(test.kernel / 2, test.kernel / 2),
                      .out_channels = test.out_channels};
            op.weight = net.weights({test.out_channels, 3, test.kernel, test.kernel}, 3 * test.kernel * test.kernel);
            op.bias = net.vector(test.out_channels, -0.5f, 0.5f);
            return net.add(op, {x});
        };
        const auto pool = [&](bool max, bool padded) {
            return net.add(Pool2d{.kind = max ? Pool2d::Kind::Max : Pool2d::Kind::Average,
                                  .kernel = {test.kernel, test.kernel},
                                  .stride = {test.stride, test.stride},
                                  .padding = {test.kernel / 2, test.kernel / 2},
                                  .count_include_pad = padded},
                           {x});
        };
        ValueId y = no_value;
        switch (test.begins) {
            case Begins::Conv:
                y = conv();
                break;
            case Begins::MaxPool:
                y = pool(true, true);
                break;
            case Begins::MeanPool:
                y = pool(false, true);
                break;
            case Begins::Mean:
                y = pool(false, false);
                break;
            case Begins::Down:
                y = net.concat({conv(), pool(false, true)});
                break;
        }
        return net.with_outputs({net.tail(y, test.tail)});
    };
    return {.name = std::string("picture_") + test.name + "_" + to_string(test.picture) + to_string(test.tail),
            .build = build,
            .disabled_fusions = {"host_store"}};
}

std::vector<OpCase> cases() {
    constexpr auto aligned = Resize::Mode::BilinearAligned;
    std::vector<OpCase> result;
    for (const Tail& tail : some_tails()) result.push_back(make({.name = "tails", .picture = {19, 43}, .tail = tail}));
    const std::vector<Case> more = {
        {.name = "scaled", .picture = {23, 31}, .size = {40, 57}, .out_channels = 5},
        {.name = "bgra_to_bgr", .picture = {9, 35}, .format = PixelFormat::BGRA8, .bgr = true},
        {.name = "many_planes", .picture = {12, 18}, .out_channels = 70},
        {.name = "large_window", .picture = {33, 34}, .kernel = 5},
        {.name = "each_pixel", .picture = {7, 50}, .stride = 1, .tail = {false, true, prelu}},
        {.name = "one_pixel", .picture = {1, 1}},
        {.name = "max", .picture = {17, 39}, .begins = Begins::MaxPool, .tail = {false, true, relu}},
        {.name = "mean_padded", .picture = {18, 37}, .begins = Begins::MeanPool},
        {.name = "mean", .picture = {21, 36}, .size = {11, 19}, .begins = Begins::Mean},
        {.name = "down", .picture = {22, 41}, .begins = Begins::Down, .out_channels = 13, .tail = {false, true, prelu}},
        {.name = "wide_down", .picture = {22, 41}, .begins = Begins::Down, .out_channels = 45},
        {.name = "resized", .picture = {24, 40}, .scale = 0.75},
        {.name = "resized_aligned", .picture = {25, 41}, .format = PixelFormat::BGR8, .scale = 0.25, .mode = aligned},
        {.name = "floats", .picture = {21, 50}, .tail = {false, true, prelu}, .floats = true},
        {.name = "floats_down", .picture = {22, 41}, .begins = Begins::Down, .out_channels = 13, .floats = true},
        {.name = "floats_max", .picture = {17, 39}, .begins = Begins::MaxPool, .floats = true},
        {.name = "floats_resized", .picture = {24, 40}, .scale = 0.75, .mode = aligned, .floats = true},
        // The kernel does not do these.
        {.name = "resized_twice", .picture = {24, 40}, .size = {30, 30}, .scale = 0.5, .mode = aligned},
        {.name = "huge_window", .picture = {33, 34}, .kernel = 9},
    };
    for (const Case& test : more) result.push_back(make(test));
    return result;
}

INSTANTIATE_TEST_SUITE_P(PictureLoad, OpTest, everywhere(cases()), param_name);

}  // namespace
}  // namespace vkseg::test
