#include "graph/ir/error.hpp"
#include "models/layers.hpp"
#include "models/network.hpp"

// ESPNet: Efficient Spatial Pyramid of Dilated Convolutions for Semantic Segmentation.
// S. Mehta, M. Rastegari, A. Caspi, L. Shapiro, H. Hajishirzi, ECCV 2018. Names follow the published checkpoints.

namespace vkseg {

namespace {

using namespace layers;

constexpr float eps = 1e-3f;

/// What the paper varies (sections 3 and 4.4).
struct EspNetConfig {
    int classes = 20;
    int alpha2 = 2;
    int alpha3 = 8;
    int k = 5;
    bool relu = false;
    bool residual = true;
    bool strided_esp = true;
    /// Feature maps of level 2 and 3 are concatenated with those before them (ESPNet-B and later).
    bool concatenate = true;
    /// The averaged picture joins levels 1 and 2 (ESPNet-C and later).
    bool reinforce = true;
};

class EspNet {
public:
    EspNet(Graph& graph, const EspNetConfig& config) : graph_(graph), config_(config) {}

    struct Encoded {
        ValueId level1, level1_image, level2, scores;
    };

    /// Figure 4: from the picture to scores at 1/8 of its size.
    Encoded encode(const Scope& scope, ValueId image) {
        Encoded out{};
        out.level1 = conv_norm_act(scope["level1"], image, 16, 3, 2);
        out.level1_image = out.level1;
        ValueId half = no_value, quarter = no_value;
        if (config_.reinforce) {
            half = average_halve(graph_, scope["sample1"], image);
            quarter = average_halve(graph_, scope["sample2"], half);
            out.level1_image = norm_act(scope["b1"], concat(graph_, scope["cat1"], {out.level1, half}));
        }

        const ValueId level2_first = down(scope["level2_0"], out.level1_image, 64);
        ValueId level2 = level2_first;
        for (int i = 0; i < config_.alpha2; ++i) level2 = esp(scope["level2"][i], level2, 64, config_.residual);
        out.level2 = level2;
        if (config_.concatenate) {
            std::vector<ValueId> parts{level2, level2_first};
            if (config_.reinforce) parts.push_back(quarter);
            out.level2 = norm_act(scope["b2"], concat(graph_, scope["cat2"], parts));
        }

        const ValueId level3_first = down(scope["level3_0"], out.level2, 128);
        ValueId level3 = level3_first;
        for (int i = 0; i < config_.alpha3; ++i) level3 = esp(scope["level3"][i], level3, 128, config_.residual);
        if (config_.concatenate) level3 = norm_act(scope["b3"], concat(graph_, scope["cat3"], {level3_first, level3}));
        out.scores = conv2d(graph_, scope["classifier"]["conv"], level3, config_.classes, 1);
        return out;
    }

    /// Figure 4(d): the light decoder, from 1/8 to full size.
    ValueId decode(const Scope& scope, const Encoded& in, bool merge_image) {
        const int classes = config_.classes;
        ValueId level3 = batch_norm(graph_, scope["br"], in.scores, eps);
        level3 = conv_transpose2d(graph_, scope["up_l3"][0], level3, classes, {});
        const ValueId level2 = conv2d(graph_, scope["level3_C"]["conv"], in.level2, classes, 1);
        const Scope combine = scope["combine_l2_l3"];
        ValueId x = norm_act(combine[0], concat(graph_, scope["cat4"], {level2, level3}));
        x = esp(combine[1], x, classes, false);
        x = conv_transpose2d(graph_, scope["up_l2"][0], x, classes, {});
        x = norm_act_of(scope["up_l2"][1]["bn"], scope["up_l2"][1]["act"], x);
        x = concat(graph_, scope["cat5"], {x, merge_image ? in.level1_image : in.level1});
        x = conv_norm_act(scope["conv"], x, classes, 3, 1);
        return conv_transpose2d(graph_, scope["classifier"], x, classes, {});
    }

private:
    ValueId activation(const Scope& scope, ValueId x) {
        return config_.relu ? relu(graph_, scope, x) : prelu(graph_, scope, x);
    }

    ValueId norm_act_of(const Scope& norm, const Scope& act, ValueId x) {
        return activation(act, batch_norm(graph_, norm, x, eps));
    }

    ValueId norm_act(const Scope& scope, ValueId x) { return norm_act_of(scope["bn"], scope["act"], x); }

    ValueId conv_norm_act(const Scope& scope, ValueId x, int out_channels, int kernel, int stride) {
        return norm_act(scope, conv2d(graph_, scope["conv"], x, out_channels, kernel, stride));
    }

    /// Reduce, split, transform, merge (Figure 1): K dilated branches of one reduced map, fused hierarchically (HFF).
    ValueId pyramid(const Scope& scope, ValueId reduced, int out_channels) {
        const int branch = out_channels / config_.k;
        const int first = out_channels - (config_.k - 1) * branch;
        std::vector<ValueId> parts{conv2d(graph_, scope["d1"]["conv"], reduced, first, 3)};
        ValueId sum = no_value;
        for (int i = 1; i < config_.k; ++i) {
            const int dilation = 1 << i;
            const Scope at = scope[fmt::format("d{}", dilation)];
            const ValueId transformed = conv2d(graph_, at["conv"], reduced, branch, 3, 1, dilation);
            sum = i == 1 ? transformed : add(graph_, at["sum"], sum, transformed);
            parts.push_back(sum);
        }
        return concat(graph_, scope["cat"], parts);
    }

    ValueId esp(const Scope& scope, ValueId x, int out_channels, bool residual) {
        const ValueId reduced = conv2d(graph_, scope["c1"]["conv"], x, out_channels / config_.k, 1);
        ValueId merged = pyramid(scope, reduced, out_channels);
        if (residual) merged = add(graph_, scope["add"], merged, x);
        return norm_act(scope["bn"], merged);
    }

    /// Strided ESP, or the paper's baseline for it: a strided convolution.
    ValueId down(const Scope& scope, ValueId x, int out_channels) {
        if (!config_.strided_esp) return conv_norm_act(scope, x, out_channels, 3, 2);
        const ValueId reduced = conv2d(graph_, scope["c1"]["conv"], x, out_channels / config_.k, 3, 2);
        return norm_act(scope, pyramid(scope, reduced, out_channels));
    }

    Graph& graph_;
    const EspNetConfig config_;
};

EspNetConfig read(const Config& config) {
    EspNetConfig result;
    result.classes = config.integer("classes", result.classes, 1, 256);
    result.alpha2 = config.integer("alpha2", result.alpha2, 0, 100);
    result.alpha3 = config.integer("alpha3", result.alpha3, 0, 100);
    result.k = config.integer("k", result.k, 2, 8);
    result.relu = config.choice("activation", "prelu", {"prelu", "relu"}) == "relu";
    result.residual = config.boolean("residual", true);
    result.strided_esp = config.choice("downsampling", "esp", {"esp", "conv"}) == "esp";
    return result;
}

ValueId build_a(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    EspNetConfig settings = read(config);
    settings.concatenate = settings.reinforce = false;
    return EspNet(graph, settings).encode(scope, image).scores;
}

ValueId build_b(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    EspNetConfig settings = read(config);
    settings.reinforce = false;
    return EspNet(graph, settings).encode(scope, image).scores;
}

ValueId build_c(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    return EspNet(graph, read(config)).encode(scope, image).scores;
}

ValueId build_full(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const EspNetConfig settings = read(config);
    // The decoder has an ESP module as wide as there are classes.
    if (settings.classes < settings.k)
        throw error(
            "the decoder needs at least as many classes as an ESP module has branches, but classes is {} and k {}",
            settings.classes, settings.k);
    // Two variants were published: the last merge takes the 16 channels of the first convolution, or the 19 after the
    // first concatenation. The weights tell which.
    int merge = config.integer("merge_channels", 0, 0, 19);
    if (merge == 0) {
        const auto shape = scope["conv"]["conv"].shape_of("weight");
        merge = shape && shape->size() == 4 ? static_cast<int>((*shape)[1]) - settings.classes : 16;
    }
    EspNet network(graph, settings);
    return network.decode(scope, network.encode(scope["encoder"], image), merge == 19);
}

using Keys = std::vector<std::pair<std::string, std::string>>;

Keys encoder_keys(int alpha3) {
    return {{"classes", "number of classes (20)"},
            {"alpha2", "ESP modules at 1/4 of the size (2)"},
            {"alpha3", "ESP modules at 1/8 of the size (" + std::to_string(alpha3) + ")"},
            {"k", "branches of an ESP module, 2 to 8 (5)"},
            {"activation", "prelu, or relu as in the paper's ablation (prelu)"},
            {"residual", "residual connections in ESP modules (true)"},
            {"downsampling", "esp for strided ESP modules, conv for strided convolutions (esp)"}};
}

Keys full_keys() {
    Keys keys = encoder_keys(8);
    keys.emplace_back("merge_channels", "16 or 19: level-1 channels in the last merge (told by the weights, else 16)");
    return keys;
}

NetworkInfo describe(const std::string& name, const std::string& summary, Keys keys, const std::string& weights,
                     const std::string& figures, decltype(NetworkInfo::build) build) {
    NetworkInfo info;
    info.name = name;
    info.paper = "ESPNet, Mehta et al., ECCV 2018";
    info.summary = summary;
    info.preprocess = espnet_preprocess();
    info.config_keys = std::move(keys);
    info.published_weights = weights;
    info.paper_figures = figures;
    info.build = build;
    return info;
}

NetworkInfo describe_full() {
    NetworkInfo info =
        describe("espnet", "ESP encoder with the light decoder; scores at full size", full_keys(),
                 "sacmehta/ESPNet pretrained/decoder (Cityscapes, MIT licence)",
                 "0.364 M parameters, mIoU 61.4 (val), 112 FPS on a Titan X Pascal at 1024x512", build_full);
    info.shipped_weights = "espnet-simulator.safetensors";
    return info;
}

const RegisterNetwork full(describe_full());
const RegisterNetwork c(describe("espnet-c", "ESP encoder with image reinforcement; scores at 1/8 of the size",
                                 encoder_keys(8), "sacmehta/ESPNet pretrained/encoder (Cityscapes, MIT licence)",
                                 "0.349 M parameters, mIoU 53.3 (val)", build_c));
const RegisterNetwork b(describe("espnet-b", "ESP encoder with concatenations; scores at 1/8 of the size",
                                 encoder_keys(8), "", "0.186 M parameters at alpha3=3", build_b));
const RegisterNetwork a(describe("espnet-a", "plain chain of ESP modules; scores at 1/8 of the size", encoder_keys(8),
                                 "", "0.183 M parameters at alpha3=3", build_a));

}  // namespace

}  // namespace vkseg
