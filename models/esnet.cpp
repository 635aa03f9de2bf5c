#include "models/factorised_layers.hpp"
#include "models/network.hpp"

// ESNet: An Efficient Symmetric Network for Real-Time Semantic Segmentation.
// Y. Wang, Q. Zhou, J. Xiong, X. Wu, X. Jin, PRCV 2019, Table 1 and Figure 2. Names follow the published code.

namespace vkseg {

namespace {

using namespace layers;

/// Parallel factorised unit (Figure 2c): a pair, then three dilated pairs side by side that share one batch norm.
ValueId parallel_unit(Graph& graph, const Scope& scope, ValueId x) {
    ValueId shared = factorised_pair(graph, scope, x, 3, 1, "1");
    shared = relu(graph, scope["bn1"], batch_norm(graph, scope["bn1"], shared, factorised_eps));
    ValueId sum = x;
    for (const auto& [dilation, suffix] : {std::pair{2, "22"}, std::pair{5, "25"}, std::pair{9, "29"}}) {
        const ValueId branch = factorised_pair(graph, scope, shared, 3, dilation, suffix);
        sum = add(graph, scope, sum, batch_norm(graph, scope["bn2"], branch, factorised_eps));
    }
    return relu(graph, scope, sum);
}

ValueId encode(Graph& graph, const Scope& scope, ValueId x) {
    x = factorised_down(graph, scope["initial_block"], x, 16);
    const Scope layers = scope["layers"];
    int layer = 0;
    for (int i = 0; i < 3; ++i) x = factorised_residual(graph, layers[layer++], x, 3, 1);
    x = factorised_down(graph, layers[layer++], x, 64);
    for (int i = 0; i < 2; ++i) x = factorised_residual(graph, layers[layer++], x, 5, 1);
    x = factorised_down(graph, layers[layer++], x, 128);
    for (int i = 0; i < 3; ++i) x = parallel_unit(graph, layers[layer++], x);
    return x;
}

ValueId decode(Graph& graph, const Scope& scope, ValueId x, int classes) {
    const Scope layers = scope["layers"];
    int layer = 0;
    for (const auto& [width, kernel] : {std::pair{64, 5}, std::pair{16, 3}}) {
        x = factorised_up(graph, layers[layer++], x, width);
        for (int i = 0; i < 2; ++i) x = factorised_residual(graph, layers[layer++], x, kernel, 1);
    }
    return conv_transpose2d(graph, scope["output_conv"], x, classes, {.bias = true});
}

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const int classes = config.integer("classes", 20, 1, 256);
    // Trained with the encoder alone; the whole network never reads it.
    scope["encoder_output_conv"].unused_parameter("weight", {classes, 128, 1, 1});
    scope["encoder_output_conv"].unused_parameter("bias", {classes});
    return decode(graph, scope["decoder"], encode(graph, scope["encoder"], image), classes);
}

NetworkInfo describe() {
    NetworkInfo info;
    info.name = "esnet";
    info.paper = "ESNet, Wang et al., PRCV 2019";
    info.summary = "symmetric factorised network with parallel dilated units; scores at full size";
    info.preprocess = espnet_preprocess();
    info.config_keys = {{"classes", "number of classes (20)"}};
    info.paper_figures = "1.66 M parameters, mIoU 70.7 (test), 63 FPS on a GTX 1080 Ti";
    info.build = build;
    return info;
}

const RegisterNetwork entry(describe());

}  // namespace

}  // namespace vkseg
