#include "models/layers.hpp"
#include "models/network.hpp"

#include "graph/ir/error.hpp"

// VNet, Lin et al. 2020: a reversible real-time segmentation network. Neither code nor weights are public and the table
// of layers is an image, so this is a reading of the text that meets its 0.16 M parameters: widths, dilations and the
// pyramid of poolings are ours. Conv means convolution, batch norm, PReLU.

namespace vkseg {

namespace {

using namespace layers;

constexpr float eps = 1e-5f;

ValueId conv(Graph& graph, const Scope& scope, ValueId x, int out_channels, const ConvOptions& options) {
    x = conv2d(graph, scope["conv"], x, out_channels, options);
    return prelu(graph, scope["act"], batch_norm(graph, scope["bn"], x, eps));
}

/// Average pooling of an odd window, or maximum of 2x2 (window 2): halves the size, rounded up.
ValueId halve(Graph& graph, const Scope& scope, ValueId x, int window) {
    Pool2d pool;
    pool.kind = window == 2 ? Pool2d::Kind::Max : Pool2d::Kind::Average;
    pool.kernel = {window, window};
    pool.stride = {2, 2};
    pool.padding = {(window - 1) / 2, (window - 1) / 2};
    pool.ceil_mode = window == 2;
    return graph.add(scope.path(), pool, {x});
}

/// Convolution beside a pyramid of poolings: concat[1x1 stride 2, sum of poolings].
ValueId cpp(Graph& graph, const Scope& scope, ValueId x, int out_channels) {
    const ValueId convolved = conv(graph, scope["project"], x, out_channels - channels(graph, x), {.stride = {2, 2}});
    ValueId sum = halve(graph, scope["max"], x, 2);
    for (int window : {3, 5, 7})
        sum = add(graph, scope["sum"], sum, halve(graph, scope[fmt::format("average{}", window)], x, window));
    return concat(graph, scope["cat"], {convolved, sum});
}

/// Reversible module: Z = X1 + F(X2), Y1 = Z, Y2 = X2 + Z. Y1 may overwrite X1 and Y2 may overwrite X2.
ValueId v_module(Graph& graph, const Scope& scope, ValueId x, int dilation) {
    const int half = channels(graph, x) / 2;
    const ValueId x1 = graph.add(scope["x1"].path(), Slice{0, half}, {x});
    const ValueId x2 = graph.add(scope["x2"].path(), Slice{half, half}, {x});
    ValueId f = conv(graph, scope["vertical"], x2, half, {.kernel = {3, 1}, .dilation = {dilation, 1}});
    // The activation stands before the sum, so that X1 and X2 can be computed back from Y1 and Y2.
    f = conv(graph, scope["horizontal"], f, half, {.kernel = {1, 3}, .dilation = {1, dilation}});
    const ValueId z = add(graph, scope["z"], x1, f);
    const ValueId y2 = add(graph, scope["y2"], x2, z);
    return concat(graph, scope["cat"], {z, y2});
}

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope) {
    const int classes = config.integer("classes", 19, 1, 256);
    const int alpha = config.integer("alpha", 1, 0, 100), beta = config.integer("beta", 2, 0, 100);
    const std::vector<double> widths = config.numbers("width", {8, 64, 128}, 3, 1, 1024);
    const std::vector<double> dilations = config.numbers("dilation", {2, 4, 8}, 0, 1, 64);
    const auto width = [&](size_t stage) { return static_cast<int>(widths[stage]); };
    for (size_t stage = 1; stage < 3; ++stage)
        if (width(stage) % 2 != 0 || width(stage) <= width(stage - 1))
            throw error("config key 'width': stages 2 and 3 are even and wider than the stage before, found {}",
                        fmt::join(widths, ", "));

    ValueId x = image;
    for (int i = 0; i < 3; ++i) {
        const int stride = i == 0 ? 2 : 1;
        x = conv(graph, scope["stage1"][i], x, width(0), {.kernel = {3, 3}, .stride = {stride, stride}});
    }
    x = cpp(graph, scope["stage2"]["cpp"], x, width(1));
    for (int i = 0; i < alpha; ++i) x = v_module(graph, scope["stage2"][i], x, 1);
    x = cpp(graph, scope["stage3"]["cpp"], x, width(2));
    int module = 0;
    for (int i = 0; i < beta; ++i)
        for (double dilation : dilations) x = v_module(graph, scope["stage3"][module++], x, static_cast<int>(dilation));
    x = conv2d(graph, scope["classifier"], x, classes, {.bias = true});
    if (!config.boolean("upsample", true)) return x;
    return graph.add("upsample", Resize{Resize::Mode::Bilinear, {.kind = SizeRule::Kind::LikeOperand}}, {x, image});
}

NetworkInfo describe() {
    NetworkInfo info;
    info.name = "vnet";
    info.paper = "VNet, Lin et al. 2020 (a reading: no code or weights are public)";
    info.summary = "reversible modules that run in place; scores at full size";
    info.default_width = 2048;
    info.default_height = 1024;
    info.preprocess = imagenet_preprocess();
    info.config_keys = {{"classes", "number of classes (19)"},
                        {"alpha", "groups of one undilated V module at 1/4 (1)"},
                        {"beta", "groups of dilated V modules at 1/8 (2)"},
                        {"upsample", "bilinear to the picture's size; false leaves the scores at 1/8 (true)"},
                        {"width", "channels of the three stages ([8, 64, 128])"},
                        {"dilation", "dilations of the V modules of a group at 1/8 ([2, 4, 8])"}};
    info.paper_figures = "0.16 M parameters, mIoU 63.9, 37.4 FPS on a Titan Xp and 15.5 FPS on a Jetson TX2";
    info.build = build;
    return info;
}

const RegisterNetwork entry(describe());

}  // namespace

}  // namespace vkseg
