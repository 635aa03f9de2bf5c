#include "models/espnetv2_encoder.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>

namespace vkseg::espnetv2 {

namespace {

constexpr float eps = 1e-5f;
constexpr int branches = 4;
constexpr int picture_channels = 3;
constexpr int level3_repeats = 3, level4_repeats = 7;

constexpr Widths all_widths[] = {{0.5, {16, 32, 64, 128, 256, 1024}},    {1, {32, 64, 128, 256, 512, 1024}},
                                 {1.25, {32, 80, 160, 320, 640, 1024}},  {1.5, {32, 96, 192, 384, 768, 1024}},
                                 {1.75, {32, 112, 224, 448, 896, 1280}}, {2, {32, 128, 256, 512, 1024, 1280}}};

std::string list_widths() {
    std::vector<double> scales;
    for (const Widths& widths : all_widths) scales.push_back(widths.s);
    return fmt::format("{}", fmt::join(scales, ", "));
}

/// Dilations of the branches: a receptive field beyond the limit falls back to 3 pixels, and the smallest come first.
std::array<int, branches> dilations(int limit) {
    std::array<int, branches> result{};
    for (int i = 0; i < branches; ++i) result[static_cast<size_t>(i)] = 3 + 2 * i <= limit ? 1 + i : 1;
    std::ranges::sort(result);
    return result;
}

/// K depthwise dilated convolutions of one map, each summed with the one before it (hierarchical feature fusion).
std::vector<ValueId> pyramid(Graph& graph, const Scope& scope, ValueId x, int limit, int stride) {
    const int width = layers::channels(graph, x);
    std::vector<ValueId> sums;
    int branch = 0;
    for (const int dilation : dilations(limit)) {
        const Scope at = scope[branch++];
        const ValueId y = layers::conv2d(
            graph, at["conv"], x, width,
            {.kernel = {3, 3}, .stride = {stride, stride}, .dilation = {dilation, dilation}, .groups = width});
        sums.push_back(sums.empty() ? y : layers::add(graph, at["add"], y, sums.back()));
    }
    return sums;
}

/// The picture's shortcut: 3x3, then 1x1 to the features' channels.
ValueId reinforce(Graph& graph, const Scope& scope, ValueId picture, int out_channels) {
    const ValueId x = conv_norm_act(graph, scope[0], picture, picture_channels, {{.kernel = {3, 3}}});
    return conv_norm_act(graph, scope[1], x, out_channels, {{}, false});
}

void unused_norm(const Scope& scope, int width) {
    for (const char* name : {"weight", "bias"}) scope.unused_parameter(name, {width});
    for (const char* name : {"running_mean", "running_var"}) scope.unused_buffer(name, {width});
}

void unused_reinforcement(const Scope& scope, int out_channels) {
    scope[0]["conv"].unused_parameter("weight", {picture_channels, picture_channels, 3, 3});
    unused_norm(scope[0]["bn"], picture_channels);
    scope[0]["act"].unused_parameter("weight", {picture_channels});
    scope[1]["conv"].unused_parameter("weight", {out_channels, picture_channels, 1, 1});
    unused_norm(scope[1]["bn"], out_channels);
}

}  // namespace

const Widths& read_widths(const Config& config) {
    const double s = config.number("s", 1, 0, 1000);
    const auto* found = std::ranges::find(all_widths, s, &Widths::s);
    if (found == std::end(all_widths)) throw error("config key 's' must be one of {}, found {}", list_widths(), s);
    return *found;
}

std::pair<std::string, std::string> widths_key() {
    return {"s", fmt::format("width: {} (1)", list_widths())};
}

ValueId norm_act(Graph& graph, const Scope& norm, const Scope& act, ValueId x) {
    return layers::prelu(graph, act, layers::batch_norm(graph, norm, x, eps));
}

ValueId conv_norm_act(Graph& graph, const Scope& scope, ValueId x, int out_channels, const ConvOptions& options) {
    x = layers::conv2d(graph, scope["conv"], x, out_channels, options);
    if (options.activate) return norm_act(graph, scope["bn"], scope["act"], x);
    return layers::batch_norm(graph, scope["bn"], x, eps);
}

ValueId eesp(Graph& graph, const Scope& scope, ValueId x, int out_channels, int limit, int stride) {
    const ValueId reduced = conv_norm_act(graph, scope["proj_1x1"], x, out_channels / branches, {{.groups = branches}});
    const Scope merged = scope["br_after_cat"];
    ValueId y = layers::concat(graph, merged, pyramid(graph, scope["spp_dw"], reduced, limit, stride));
    y = norm_act(graph, merged["bn"], merged["act"], y);
    y = conv_norm_act(graph, scope["conv_1x1_exp"], y, out_channels, {{.groups = branches}, false});
    if (stride == 2) {
        scope["module_act"].unused_parameter("weight", {out_channels});
        return y;
    }
    if (layers::channels(graph, x) == out_channels) y = layers::add(graph, scope["add"], y, x);
    return layers::prelu(graph, scope["module_act"], y);
}

ValueId strided_eesp(Graph& graph, const Scope& scope, ValueId x, int out_channels, int limit,
                     std::optional<ValueId> picture) {
    const ValueId averaged = layers::average_halve(graph, scope["avg"], x);
    const ValueId features = eesp(graph, scope["eesp"], x, out_channels - layers::channels(graph, x), limit, 2);
    ValueId y = layers::concat(graph, scope["cat"], {averaged, features});
    if (picture)
        y = layers::add(graph, scope["add"], y, reinforce(graph, scope["inp_reinf"], *picture, out_channels));
    else
        unused_reinforcement(scope["inp_reinf"], out_channels);
    return layers::prelu(graph, scope["act"], y);
}

Features encode(Graph& graph, const Scope& scope, ValueId image, const Widths& widths) {
    const auto& width = widths.channels;
    Features out{};
    out.level1 = conv_norm_act(graph, scope["level1"], image, width[0], {{.kernel = {3, 3}, .stride = {2, 2}}});
    const ValueId half = layers::average_halve(graph, scope["picture_2"], image);
    const ValueId quarter = layers::average_halve(graph, scope["picture_4"], half);
    out.level2 = strided_eesp(graph, scope["level2_0"], out.level1, width[1], 13, quarter);

    const ValueId eighth = layers::average_halve(graph, scope["picture_8"], quarter);
    out.level3 = strided_eesp(graph, scope["level3_0"], out.level2, width[2], 11, eighth);
    for (int i = 0; i < level3_repeats; ++i) out.level3 = eesp(graph, scope["level3"][i], out.level3, width[2], 9);

    const ValueId sixteenth = layers::average_halve(graph, scope["picture_16"], eighth);
    out.level4 = strided_eesp(graph, scope["level4_0"], out.level3, width[3], 9, sixteenth);
    for (int i = 0; i < level4_repeats; ++i) out.level4 = eesp(graph, scope["level4"][i], out.level4, width[3], 7);
    return out;
}

}  // namespace vkseg::espnetv2
