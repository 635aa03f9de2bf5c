#include "models/espnetv2_encoder.hpp"
#include "models/network.hpp"

// The ImageNet classifier of ESPNetv2 (section 4.1, Table 1).

namespace vkseg {

namespace {

constexpr int level5_repeats = 3;

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const int classes = config.integer("classes", 1000, 1, 100000);
    const espnetv2::Widths& widths = espnetv2::read_widths(config);
    const int width = widths.channels[4], last = widths.channels[5];

    ValueId x = espnetv2::encode(graph, scope, image, widths).level4;
    x = espnetv2::strided_eesp(graph, scope["level5_0"], x, width, 7, std::nullopt);
    const Scope level5 = scope["level5"];
    for (int i = 0; i < level5_repeats; ++i) x = espnetv2::eesp(graph, level5[i], x, width, 5);
    x = espnetv2::conv_norm_act(graph, level5[level5_repeats], x, width, {{.kernel = {3, 3}, .groups = width}});
    x = espnetv2::conv_norm_act(graph, level5[level5_repeats + 1], x, last, {{.groups = 4}});

    x = graph.add(scope["average"].path(), AdaptiveAvgPool2d{{.kind = SizeRule::Kind::Fixed, .fixed = {1, 1}}}, {x});
    const Scope head = scope["classifier"];
    Linear linear;
    linear.weight = head.parameter(graph, "weight", {classes, last});
    linear.bias = head.parameter(graph, "bias", {classes});
    linear.out_features = classes;
    return graph.add(head.path(), linear, {x});
}

NetworkInfo describe() {
    NetworkInfo info;
    info.name = "espnetv2-cls";
    info.paper = "ESPNetv2, Mehta et al., CVPR 2019, section 4.1";
    info.summary = "classifier of depthwise dilated pyramids; one score per class";
    info.default_width = 224;
    info.default_height = 224;
    info.preprocess = imagenet_preprocess();
    info.config_keys = {{"classes", "number of classes (1000)"}, espnetv2::widths_key()};
    info.published_weights = "sacmehta/EdgeNets model zoo, espnetv2_s_*_imagenet_224x224.pth (MIT licence)";
    info.paper_figures = "multiply-adds and ImageNet top-1: 28 M, 57.7 (s=0.5); 86 M, 66.1 (s=1); 284 M, 72.1 (s=2)";
    info.build = build;
    return info;
}

const RegisterNetwork entry(describe());

}  // namespace

}  // namespace vkseg
