#include "graph/ir/error.hpp"
#include "models/espnetv2_encoder.hpp"
#include "models/network.hpp"

#include <algorithm>
#include <numeric>

// The segmentation networks of ESPNetv2: S. Mehta, M. Rastegari, L. Shapiro, H. Hajishirzi, CVPR 2019, section 4.2.
// Two decoders stand on one encoder: "psp", the paper's, and "pyramid", the one whose weights were published
// (sacmehta/EdgeNets). All bilinear steps have aligned corners. Names follow the published checkpoints.

namespace vkseg {

namespace {

using namespace layers;
using espnetv2::conv_norm_act;
using espnetv2::Features;
using espnetv2::norm_act;

ValueId resize(Graph& graph, const Scope& scope, ValueId x, const SizeRule& size) {
    return graph.add(scope.path(), Resize{Resize::Mode::BilinearAligned, size}, {x});
}

ValueId resize_like(Graph& graph, const Scope& scope, ValueId x, ValueId like) {
    return graph.add(scope.path(), Resize{Resize::Mode::BilinearAligned, {.kind = SizeRule::Kind::LikeOperand}},
                     {x, like});
}

ValueId twice(Graph& graph, const Scope& scope, ValueId x) {
    return resize(graph, scope["up"], x, {.kind = SizeRule::Kind::Scaled, .scale = 2});
}

ValueId depthwise(Graph& graph, const Scope& scope, ValueId x) {
    return conv2d(graph, scope, x, channels(graph, x), {.kernel = {3, 3}, .groups = channels(graph, x)});
}

/// Pyramid decoder: four efficient pyramid poolings from 1/16 up to 1/2, gated encoder features between them.
class PyramidDecoder {
public:
    PyramidDecoder(Graph& graph, int classes)
        : graph_(graph), classes_(classes), projected_(std::min(classes / 2, 16)) {
        if (projected_ == 0) throw error("config key 'classes' must be at least 2 for decoder 'pyramid', found 1");
    }

    ValueId forward(const Scope& scope, const Features& features, ValueId image) {
        ValueId x = pool(scope["bu_dec_l1"], features.level4, 64);
        x = merge(scope, 2, features.level3, x);
        x = pool(scope["bu_dec_l2"], x, 48);
        x = merge(scope, 3, features.level2, x);
        x = pool(scope["bu_dec_l3"], x, 32);
        x = merge(scope, 4, features.level1, x);
        x = pool(scope["bu_dec_l4"], x, 0);
        return resize_like(graph_, scope["up"], x, image);
    }

private:
    /// Names that this decoder gives to conv + batch norm + PReLU.
    ValueId conv_act(const Scope& scope, ValueId x, int out_channels, const ConvOptions& options) {
        const Scope at = scope["cbr"];
        return norm_act(graph_, at[1], at[2], conv2d(graph_, at[0], x, out_channels, options));
    }

    /// One branch: the map at `scale` of its size, a depthwise convolution there, and back.
    ValueId branch(const Scope& scope, ValueId x, double scale) {
        if (scale == 1) return depthwise(graph_, scope, x);
        const SizeRule there{
            .kind = SizeRule::Kind::Scaled, .scale = scale, .rounding = SizeRule::Rounding::Ceil, .minimum = 5};
        if (scale > 1) {
            const ValueId y = depthwise(graph_, scope, resize(graph_, scope["up"], x, there));
            return graph_.add(scope["down"].path(), AdaptiveAvgPool2d{{.kind = SizeRule::Kind::LikeOperand}}, {y, x});
        }
        const ValueId y = depthwise(graph_, scope, graph_.add(scope["down"].path(), AdaptiveAvgPool2d{there}, {x}));
        return resize_like(graph_, scope["up"], y, x);
    }

    /// Efficient pyramid pooling. `out_channels` 0: the last one, which gives scores.
    ValueId pool(const Scope& scope, ValueId x, int out_channels) {
        x = conv_act(scope["projection_layer"], x, projected_, {});
        std::vector<ValueId> parts;
        int stage = 0;
        for (const double scale : {2.0, 1.5, 1.0, 0.5, 0.1})
            parts.push_back(branch(scope["stages"][stage++], x, scale));
        const auto count = static_cast<int>(parts.size());

        const Scope merged = scope["merge_layer"];
        x = concat(graph_, merged, std::move(parts));
        x = norm_act(graph_, merged[0]["br"][0], merged[0]["br"][1], x);
        x = graph_.add(merged[1].path(), ChannelShuffle{count}, {x});
        x = conv_act(merged[2], x, projected_, {.kernel = {3, 3}, .groups = projected_});
        if (out_channels == 0) return conv2d(graph_, merged[3], x, classes_, {.bias = true});
        x = conv2d(graph_, merged[3], x, out_channels, 1);
        const Scope last = scope["br"]["br"];
        return norm_act(graph_, last[0], last[1], x);
    }

    /// The map at twice its size plus the encoder's features, these weighted by what they are on average.
    ValueId merge(const Scope& scope, int level, ValueId features, ValueId x) {
        const Scope at = scope[fmt::format("merge_enc_dec_l{}", level)];
        const int width = channels(graph_, x), groups = std::gcd(channels(graph_, features), width);
        const Scope gate = at["wt_layer"];
        ValueId weights =
            graph_.add(gate[0].path(), AdaptiveAvgPool2d{{.kind = SizeRule::Kind::Fixed, .fixed = {1, 1}}}, {features});
        weights = graph_.add(gate[2].path(), Sigmoid{}, {conv2d(graph_, gate[1], weights, width, 1)});
        const ValueId expanded = conv_act(at["expansion_layer"], features, width, {.kernel = {3, 3}, .groups = groups});
        const ValueId gated = graph_.add(at["product"].path(), Multiply{}, {expanded, weights});

        const ValueId sum = add(graph_, at["add"], twice(graph_, at, x), gated);
        const Scope norm = scope[fmt::format("bu_br_l{}", level)];
        return norm_act(graph_, norm[0], norm[1], sum);
    }

    Graph& graph_;
    const int classes_, projected_;
};

/// Pyramid pooling: four times averaged to half, each through its own depthwise convolution and back to size.
ValueId psp_module(Graph& graph, const Scope& scope, ValueId x) {
    std::vector<ValueId> parts{x};
    ValueId pooled = x;
    for (int i = 0; i < 4; ++i) {
        const Scope at = scope["stages"][i];
        pooled = average_halve(graph, at["average"], pooled);
        parts.push_back(resize_like(graph, at["up"], depthwise(graph, at["conv"], pooled), x));
    }
    return conv_norm_act(graph, scope["project"], concat(graph, scope["cat"], std::move(parts)), channels(graph, x));
}

ValueId psp_decoder(Graph& graph, const Scope& scope, const Features& features, int classes) {
    const int width = channels(graph, features.level3);
    ValueId x = conv_norm_act(graph, scope["proj_L4_C"], features.level4, width);
    x = concat(graph, scope["cat_l3"], {features.level3, twice(graph, scope["proj_L4_C"], x)});
    x = espnetv2::eesp(graph, scope["pspMod"][0], x, width, 7);
    x = psp_module(graph, scope["pspMod"][1], x);

    x = conv2d(graph, scope["project_l3"][1]["conv"], x, classes, 1);
    x = norm_act(graph, scope["act_l3"]["bn"], scope["act_l3"]["act"], x);
    x = concat(graph, scope["cat_l2"], {features.level2, twice(graph, scope["act_l3"], x)});
    x = conv_norm_act(graph, scope["project_l2"], x, classes);
    x = concat(graph, scope["cat_l1"], {features.level1, twice(graph, scope["project_l2"], x)});
    x = conv2d(graph, scope["project_l1"][1]["conv"], x, classes, 1);
    return twice(graph, scope["project_l1"], x);
}

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const int classes = config.integer("classes", 20, 1, 256);
    const espnetv2::Widths& widths = espnetv2::read_widths(config);
    // The published training code picks its decoder's planes by data set, and picks the same for both.
    (void)config.choice("dataset", "city", {"city", "pascal"});
    if (config.choice("decoder", "pyramid", {"pyramid", "psp"}) == "psp")
        return psp_decoder(graph, scope, espnetv2::encode(graph, scope["net"], image, widths), classes);
    const Features features = espnetv2::encode(graph, scope["base_net"], image, widths);
    return PyramidDecoder(graph, classes).forward(scope, features, image);
}

NetworkInfo describe() {
    NetworkInfo info;
    info.name = "espnetv2";
    info.paper = "ESPNetv2, Mehta et al., CVPR 2019, section 4.2";
    info.summary = "depthwise dilated pyramids, with the published or the paper's decoder; scores at full size";
    info.preprocess = imagenet_preprocess();
    info.config_keys = {{"classes", "number of classes (20)"},
                        espnetv2::widths_key(),
                        {"decoder", "pyramid (weights are published) or psp (the paper's) (pyramid)"},
                        {"dataset", "city or pascal; changes nothing (city)"}};
    info.published_weights = "sacmehta/EdgeNets model zoo, espnetv2_s_*_city and _pascal (MIT licence)";
    info.paper_figures = "psp: 99 K parameters, mIoU 54.7, 142 FPS (s=0.5); 725 K, 62.1, 83 FPS (s=1.5), Titan X";
    info.build = build;
    return info;
}

const RegisterNetwork entry(describe());

}  // namespace

}  // namespace vkseg
