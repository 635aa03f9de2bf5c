#include "graph/ir/error.hpp"
#include "models/layers.hpp"
#include "models/network.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

// LPS-Net: Lightweight and Progressively-Scalable Networks for Semantic Segmentation.
// Y. Zhang, T. Yao, Z. Qiu, T. Mei, IJCV (arXiv 2022). Names follow the published checkpoints. The exchange modules
// that the paper compares and did not publish (Figure 6, Table 3) are a reading: see `Exchange`.

namespace vkseg {

namespace {

using namespace layers;

constexpr float eps = 1e-5f;
constexpr size_t stages = 5;

/// How paths pass features on after stages 3 and 4. Only bilateral-b, the one the paper settles on, was published. Of
/// the others the names are the paper's and the content is ours: direct and attention go one way, A towards smaller
/// pictures and B towards larger ones. All carry a 1x1 convolution, because Table 3 times even the one-way modules
/// slower than bilateral-b; and attention-b, which works at the larger size, is its slowest.
struct Exchange {
    enum class Form : uint8_t {
        /// own + resized other
        Plain,
        /// own + resized 1x1(other)
        Projected,
        /// own + resized other * sigmoid(1x1(own))
        Gated,
    };
    const char* name;
    bool to_smaller;
    bool to_larger;
    Form form;
};
constexpr Exchange bilateral_b{"bilateral-b", true, true, Exchange::Form::Plain};
constexpr Exchange exchanges[] = {bilateral_b,
                                  {"bilateral-a", true, true, Exchange::Form::Projected},
                                  {"attention-b", false, true, Exchange::Form::Gated},
                                  {"attention-a", true, false, Exchange::Form::Gated},
                                  {"direct-b", false, true, Exchange::Form::Projected},
                                  {"direct-a", true, false, Exchange::Form::Projected},
                                  {"none", false, false, Exchange::Form::Plain}};

/// The three dimensions that the progressive expansion grows (Algorithm 1, Table 4), and the paper's choices.
struct LpsNetConfig {
    int classes = 19;
    std::vector<double> depth{1, 3, 3, 10, 10};
    std::vector<double> width{8, 24, 48, 96, 96};
    /// Size of each path's picture, largest first.
    std::vector<double> resolution{0.75, 0.25};
    bool batch_norm = false;
    Exchange exchange = bilateral_b;
};

const LpsNetConfig small;
const LpsNetConfig medium{.resolution = {1, 0.25}};
const LpsNetConfig large{.width = {8, 24, 64, 160, 160}, .resolution = {1, 0.25}};

class LpsNet {
public:
    LpsNet(Graph& graph, LpsNetConfig config) : graph_(graph), config_(std::move(config)) {}

    /// Scores at 1/16 of the first path's size.
    ValueId forward(const Scope& scope, ValueId image) {
        const std::vector<std::string> names = path_names();
        // Path by path up to the first exchange, so that one path's large early features are live at a time.
        std::vector<ValueId> x;
        for (size_t path = 0; path < names.size(); ++path) {
            const Scope at = scope[names[path]];
            x.push_back(scaled(at["picture"], image, config_.resolution[path]));
            for (size_t i = 0; i < 3; ++i) x[path] = stage(at["stages"], x[path], i);
        }
        for (size_t i = 3; i < stages; ++i) {
            x = exchange(scope["exchange"][static_cast<int>(i) - 1], x);
            for (size_t path = 0; path < names.size(); ++path)
                x[path] = stage(scope[names[path]]["stages"], x[path], i);
        }

        for (size_t path = 1; path < x.size(); ++path)
            x[path] = resized(scope["cat"][names[path]], x[path], x[0], path, 0);
        const ValueId joined = x.size() == 1 ? x[0] : concat(graph_, scope["cat"], x);
        return conv2d(graph_, scope["head"], joined, config_.classes, {.bias = true});
    }

private:
    [[nodiscard]] std::vector<std::string> path_names() const {
        switch (config_.resolution.size()) {
            case 1:
                return {"net"};
            case 2:
                return {"netH", "netL"};
            default:
                return {"net1", "net2", "net3"};
        }
    }

    /// Size truncated, like the published code's int(size * ratio).
    ValueId scaled(const Scope& scope, ValueId image, double ratio) {
        if (ratio == 1) return image;
        return graph_.add(scope.path(),
                          Resize{Resize::Mode::BilinearAligned, {.kind = SizeRule::Kind::Scaled, .scale = ratio}},
                          {image});
    }

    /// Features of path `from` at the size of path `to`, whose features are `like`.
    ValueId resized(const Scope& scope, ValueId features, ValueId like, size_t from, size_t to) {
        if (config_.resolution[from] == config_.resolution[to]) return features;
        return graph_.add(scope["resize"].path(),
                          Resize{Resize::Mode::BilinearAligned, {.kind = SizeRule::Kind::LikeOperand}},
                          {features, like});
    }

    /// 3x3 convolution, batch norm (or the bias it folds into), ReLU, `depth` times; the first one halves the size,
    /// but for the last stage.
    ValueId stage(const Scope& scope, ValueId x, size_t index) {
        for (int i = 0; i < static_cast<int>(config_.depth[index]); ++i) {
            const Scope block = scope[static_cast<int>(index)][i];
            const int stride = i == 0 && index + 1 < stages ? 2 : 1;
            x = convolve(block, x, static_cast<int>(config_.width[index]), 3, stride);
            x = relu(graph_, block[config_.batch_norm ? 2 : 1], x);
        }
        return x;
    }

    ValueId convolve(const Scope& scope, ValueId x, int out_channels, int kernel, int stride) {
        x = conv2d(graph_, scope[0], x, out_channels,
                   {.kernel = {kernel, kernel}, .stride = {stride, stride}, .bias = !config_.batch_norm});
        return config_.batch_norm ? batch_norm(graph_, scope[1], x, eps) : x;
    }

    /// Every path adds what the others send it.
    std::vector<ValueId> exchange(const Scope& scope, const std::vector<ValueId>& x) {
        const std::vector<std::string> names = path_names();
        const int width = channels(graph_, x[0]);
        std::vector<ValueId> result = x;
        for (size_t to = 0; to < x.size(); ++to)
            for (size_t from = 0; from < x.size(); ++from) {
                const bool sends = from < to ? config_.exchange.to_smaller : config_.exchange.to_larger;
                if (from == to || !sends) continue;
                const Scope at = scope[names[to]][names[from]];
                ValueId sent = x[from];
                if (config_.exchange.form == Exchange::Form::Projected) sent = convolve(at, sent, width, 1, 1);
                sent = resized(at, sent, x[to], from, to);
                if (config_.exchange.form == Exchange::Form::Gated) sent = gated(at, sent, x[to]);
                result[to] = add(graph_, at["add"], result[to], sent);
            }
        return result;
    }

    ValueId gated(const Scope& scope, ValueId sent, ValueId own) {
        const ValueId weights = conv2d(graph_, scope["gate"], own, channels(graph_, own), {.bias = true});
        const ValueId gate = graph_.add(scope["sigmoid"].path(), Sigmoid{}, {weights});
        return graph_.add(scope["gated"].path(), Multiply{}, {sent, gate});
    }

    Graph& graph_;
    const LpsNetConfig config_;
};

/// One whole number from 1 per stage.
std::vector<double> per_stage(const Config& config, const char* key, const std::vector<double>& fallback, int high) {
    std::vector<double> result = config.numbers(key, fallback, stages, 1, high);
    if (!std::ranges::all_of(result, [](double n) { return std::trunc(n) == n; }))
        throw error("config key '{}' must be whole numbers, found [{}]", key, fmt::join(result, ", "));
    return result;
}

/// Ratios of one to three paths; zeros at the end stand for absent paths.
std::vector<double> read_resolution(const Config& config, const std::vector<double>& fallback) {
    std::vector<double> result = config.numbers("resolution", fallback, 0, 0, 4);
    if (result.empty() || result.size() > 3 || result[0] == 0 || !std::ranges::is_sorted(result, std::greater<>()))
        throw error(
            "config key 'resolution' must be one to three ratios, the largest first and 0 for an absent path, "
            "found [{}]",
            fmt::join(result, ", "));
    std::erase(result, 0.0);
    return result;
}

std::vector<std::string> exchange_names() {
    std::vector<std::string> names;
    for (const Exchange& exchange : exchanges) names.emplace_back(exchange.name);
    return names;
}

ValueId build(const Config& config, Graph& graph, ValueId image, Scope& scope, LpsNetConfig settings) {
    settings.classes = config.integer("classes", settings.classes, 1, 256);
    settings.depth = per_stage(config, "depth", settings.depth, 100);
    settings.width = per_stage(config, "width", settings.width, 1024);
    settings.resolution = read_resolution(config, settings.resolution);
    settings.batch_norm = config.boolean("batch_norm", settings.batch_norm);
    const std::string chosen = config.choice("exchange", settings.exchange.name, exchange_names());
    settings.exchange = *std::ranges::find(exchanges, chosen, &Exchange::name);
    return LpsNet(graph, std::move(settings)).forward(scope, image);
}

/// The same network under another name, with the choices of `variant` as defaults.
template <const LpsNetConfig& variant>
NetworkInfo describe(const char* name, const char* letter, const char* weights, const char* figures) {
    const auto list = [](const auto& numbers) { return fmt::format("([{}])", fmt::join(numbers, ", ")); };
    NetworkInfo info;
    info.name = name;
    info.paper = "LPS-Net, Zhang et al., IJCV (arXiv 2022)";
    info.summary =
        fmt::format("LPS-Net-{}: paths at several sizes that exchange features; scores at 1/16 of the first", letter);
    info.default_width = 2048;
    info.default_height = 1024;
    info.preprocess = imagenet_preprocess();
    info.mask_sampling = Sampling::BilinearAligned;
    info.config_keys = {
        {"classes", "number of classes (19)"},
        {"depth", "convolutions of the five stages " + list(variant.depth)},
        {"width", "channels of the five stages " + list(variant.width)},
        {"resolution",
         "size of each path's picture, one to three ratios, the largest first, 0 for none " + list(variant.resolution)},
        {"batch_norm", "true for weights with batch norm, false for those where it is folded (false)"},
        {"exchange",
         fmt::format("{}; all but the first and none are a reading (bilateral-b)", fmt::join(exchange_names(), ", "))}};
    info.published_weights = weights;
    info.paper_figures = figures;
    info.build = [](const Config& config, Graph& graph, ValueId image, Scope& scope) {
        return build(config, graph, image, scope, variant);
    };
    return info;
}

constexpr const char* weights_s = "YihengZhang-CV/LPS-Net LPS-Net-S.pth (Cityscapes, Apache licence 2.0)";
constexpr const char* figures_s = "mIoU 73.9 / 73.4 (val / test), 413.5 FPS on a GTX 1080 Ti at 2048x1024";
const RegisterNetwork any(describe<small>("lpsnet", "S", weights_s, figures_s));
const RegisterNetwork s(describe<small>("lpsnet-s", "S", weights_s, figures_s));
const RegisterNetwork m(describe<medium>("lpsnet-m", "M", "",
                                         "mIoU 76.5 / 74.9 (val / test), 269.7 FPS on a GTX 1080 Ti at 2048x1024"));
const RegisterNetwork l(describe<large>("lpsnet-l", "L", "",
                                        "mIoU 78.2 / 77.3 (val / test), 151.8 FPS on a GTX 1080 Ti at 2048x1024"));

}  // namespace

}  // namespace vkseg
