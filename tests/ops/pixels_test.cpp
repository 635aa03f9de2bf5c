#include "tests/ops/op_test.hpp"

// The two ends of a network on pictures: ImageToTensor and Colourise.

namespace vkseg::test {
namespace {

const std::vector<std::pair<const char*, PixelFormat>> formats = {
    {"rgb", PixelFormat::RGB8}, {"bgr", PixelFormat::BGR8}, {"rgba", PixelFormat::RGBA8}, {"bgra", PixelFormat::BGRA8}};

/// `to` is the tensor's size.
OpCase tensor_case(const std::string& format_name, PixelFormat format, bool bgr, Axes from, Axes to) {
    const auto build = [=] {
        OpGraph net;
        const ImageToTensor op{.format = format,
                               .bgr = bgr,
                               .subtract = {103.5f, 116.25f, 123.125f},
                               .multiply = {1 / 58.4f, 1 / 57.1f, -1 / 57.4f},
                               .size = {.fixed = to}};
        return net.with_outputs({net.add(op, {net.picture(from, format)})});
    };
    return {.name = format_name + (bgr ? "_to_bgr_" : "_to_rgb_") + to_string(from) + "_to_" + to_string(to),
            .build = build};
}

std::vector<OpCase> tensor_cases() {
    std::vector<OpCase> result;
    for (const auto& [name, format] : formats)
        for (const bool bgr : {false, true}) {
            result.push_back(tensor_case(name, format, bgr, {7, 5}, {7, 5}));
            result.push_back(tensor_case(name, format, bgr, {17, 29}, {11, 13}));
        }
    for (const auto& [from, to] : std::vector<std::pair<Axes, Axes>>{{{1, 1}, {1, 1}},
                                                                     {{1, 1}, {5, 7}},
                                                                     {{5, 7}, {1, 1}},
                                                                     {{3, 5}, {31, 29}},
                                                                     {{31, 1}, {7, 3}},
                                                                     {{1, 31}, {3, 67}},
                                                                     {{29, 31}, {58, 62}},
                                                                     {{48, 64}, {12, 16}}})
        result.push_back(tensor_case("rgb", PixelFormat::RGB8, false, from, to));
    // What follows reads a tensor of three channels in one plane, the fourth lane zero.
    result.push_back({.name = "read_by_conv", .build = [] {
                          OpGraph net;
                          const ValueId picture = net.picture({17, 29}, PixelFormat::RGB8);
                          const ImageToTensor op{.multiply = {0.01f, 0.01f, 0.01f}, .size = {.fixed = {8, 14}}};
                          return net.with_outputs({net.conv1x1(net.add(op, {picture}), 5)});
                      }});
    return result;
}

std::vector<uint32_t> palette() {
    std::vector<uint32_t> colours;
    // The top byte is not a colour's: the kernel must write 255 there.
    for (uint32_t i = 0; i < 256; ++i) colours.push_back(i * 2654435761u);
    return colours;
}

OpCase colour_case(const std::string& format_name, PixelFormat format, Axes size, int opacity) {
    const auto build = [=] {
        OpGraph net;
        const ValueId labels = net.labels(size);
        return net.with_outputs({net.add(Colourise{.palette = palette(), .opacity = opacity, .format = format},
                                         {labels, net.picture(size, format)})});
    };
    return {.name = format_name + "_opacity" + std::to_string(opacity) + "_" + to_string(size), .build = build};
}

std::vector<OpCase> colour_cases() {
    std::vector<OpCase> result;
    for (const auto& [name, format] : formats)
        for (const int opacity : {0, 1, 128, 255, 256}) result.push_back(colour_case(name, format, {7, 17}, opacity));
    result.push_back(colour_case("bgr", PixelFormat::BGR8, {1, 1}, 100));
    result.push_back(colour_case("bgra", PixelFormat::BGRA8, {31, 1}, 100));
    result.push_back(colour_case("rgb", PixelFormat::RGB8, {29, 31}, 100));
    for (const Axes size : {Axes{1, 1}, Axes{1, 3}, Axes{5, 7}, Axes{67, 59}})
        result.push_back({.name = "labels_alone_" + to_string(size), .build = [size] {
                              OpGraph net;
                              return net.with_outputs({net.add(Colourise{.palette = palette()}, {net.labels(size)})});
                          }});
    // Labels that the device makes itself: hidden from the host, or one output more.
    for (const bool shown : {false, true})
        result.push_back(
            {.name = shown ? "of_argmax_shown" : "of_argmax_hidden", .build = [shown] {
                 OpGraph net;
                 const ValueId scores = net.input(19, {5, 7});
                 const ValueId picture = net.picture({13, 17}, PixelFormat::RGB8);
                 const ValueId labels = net.add(Argmax{.size = {.fixed = {13, 17}}}, {scores});
                 const ValueId colours = net.add(Colourise{.palette = palette(), .opacity = 100}, {labels, picture});
                 return net.with_outputs(shown ? std::vector{labels, colours} : std::vector{colours});
             }});
    return result;
}

INSTANTIATE_TEST_SUITE_P(ImageToTensor, OpTest, everywhere(tensor_cases()), param_name);
INSTANTIATE_TEST_SUITE_P(Colourise, OpTest, everywhere(colour_cases()), param_name);

}  // namespace
}  // namespace vkseg::test
