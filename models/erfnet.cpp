#include "models/factorised_layers.hpp"
#include "models/network.hpp"

// ERFNet: Efficient Residual Factorized ConvNet for Real-Time Semantic Segmentation.
// E. Romera, J. M. Alvarez, L. M. Bergasa, R. Arroyo, IEEE T-ITS 2018, Table I. Names follow the published code.

namespace vkseg {

namespace {

using namespace layers;

ValueId encode(Graph& graph, const Scope& scope, ValueId x) {
    x = factorised_down(graph, scope["initial_block"], x, 16);
    const Scope layers = scope["layers"];
    int layer = 0;
    x = factorised_down(graph, layers[layer++], x, 64);
    for (int i = 0; i < 5; ++i) x = factorised_residual(graph, layers[layer++], x, 3, 1);
    x = factorised_down(graph, layers[layer++], x, 128);
    for (int round = 0; round < 2; ++round)
        for (int dilation : {2, 4, 8, 16}) x = factorised_residual(graph, layers[layer++], x, 3, dilation);
    return x;
}

ValueId decode(Graph& graph, const Scope& scope, ValueId x, int classes) {
    const Scope layers = scope["layers"];
    int layer = 0;
    for (int width : {64, 16}) {
        x = factorised_up(graph, layers[layer++], x, width);
        for (int i = 0; i < 2; ++i) x = factorised_residual(graph, layers[layer++], x, 3, 1);
    }
    return conv_transpose2d(graph, scope["output_conv"], x, classes, {.bias = true});
}

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const int classes = config.integer("classes", 20, 1, 256);
    // Trained with the encoder alone; the whole network never reads it.
    scope["encoder"]["output_conv"].unused_parameter("weight", {classes, 128, 1, 1});
    scope["encoder"]["output_conv"].unused_parameter("bias", {classes});
    return decode(graph, scope["decoder"], encode(graph, scope["encoder"], image), classes);
}

NetworkInfo describe() {
    NetworkInfo info;
    info.name = "erfnet";
    info.paper = "ERFNet, Romera et al., IEEE T-ITS 2018";
    info.summary = "factorised residual encoder and decoder; scores at full size";
    info.preprocess = imagenet_preprocess();
    info.config_keys = {{"classes", "number of classes (20)"}};
    info.paper_figures = "2.06 M parameters, mIoU 68.0 (test), 48 FPS on a Titan X at 1024x512";
    info.build = build;
    return info;
}

const RegisterNetwork entry(describe());

}  // namespace

}  // namespace vkseg
