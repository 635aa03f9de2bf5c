#include "apps/common/atomic_file.hpp"
#include "apps/common/files.hpp"
#include "apps/common/image.hpp"
#include "apps/vkseg/tuned.hpp"
#include "graph/ir/error.hpp"
#include "graph/ir/half.hpp"
#include "runtime/arithmetic_calibration.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vkseg::app {

namespace {

/// Share of pixels that fp16 and fp32 have to agree on, in storage and in arithmetic.
constexpr double wanted_agreement = 0.999;
/// fp16 rounds to 2.8e-4 on average; more than this comes of numbers beyond its range.
constexpr double layer_error_limit = 1e-3;

struct LayerLoss {
    std::string layer;
    double relative_error = 0;
    float largest = 0;
};

struct Calibration {
    double agreement = 1;
    /// Layers that 16 bits hold badly, the worst first.
    std::vector<LayerLoss> layers;
    /// As asked for; without effect where activations are in fp32.
    Arithmetic asked_arithmetic = Arithmetic::FP32;
    /// Of fp16 arithmetic, where it was asked for and activations are in fp16.
    std::optional<ArithmeticCalibration> arithmetic;
    [[nodiscard]] bool wants_fp32() const { return agreement < wanted_agreement || !layers.empty(); }
    [[nodiscard]] bool drops_arithmetic() const { return wants_fp32() && asked_arithmetic == Arithmetic::FP16; }
};

/// What storing each layer in 16 bits costs, on the CPU reference at a size that it can manage.
std::vector<LayerLoss> layer_losses(const Model& model, const Image& picture) {
    const auto [width, height] = nearest_valid_size(model.graph, 256, 128);
    SegmentationOptions options;
    options.picture_width = picture.width;
    options.picture_height = picture.height;
    options.network_width = width;
    options.network_height = height;
    const Graph graph = segmentation_graph(model.simplified, model.preprocess, options);
    const HostValue input{graph.desc(graph.inputs[0]), {}, {picture.pixels.begin(), picture.pixels.end()}};
    std::vector<LayerLoss> losses;
    (void)run_reference(graph, std::span(&input, 1), [&](const Node& node, const HostValue& value) {
        LayerLoss loss{node.name, 0, 0};
        double errors = 0, squares = 0;
        for (const float x : value.floats) {
            const double difference = double{rounded_to_half(x)} - x;
            errors += difference * difference;
            squares += double{x} * x;
            loss.largest = std::max(loss.largest, std::abs(x));
        }
        loss.relative_error = squares > 0 ? std::sqrt(errors / squares) : 0;
        if (loss.relative_error > layer_error_limit) losses.push_back(std::move(loss));
    });
    std::ranges::stable_sort(losses, std::ranges::greater{}, &LayerLoss::relative_error);
    return losses;
}

double agreement_on(const Image& picture, const Model& model, Runner& fp32, Runner& fp16) {
    const TensorDesc& scores = model.graph.desc(model.graph.outputs[0]);
    if (scores.width() == 1 && scores.height() == 1) {
        const auto winner = [&](Runner& runner) {
            const auto found = runner.classify(picture.pixels, picture.width, picture.height);
            return std::ranges::max_element(found) - found.begin();
        };
        return winner(fp32) == winner(fp16) ? 1 : 0;
    }
    SegmentationOptions options;
    options.picture_width = picture.width;
    options.picture_height = picture.height;
    options.network_width = model.width;
    options.network_height = model.height;
    const auto wanted = fp32.segment(picture.pixels, options)[0], found = fp16.segment(picture.pixels, options)[0];
    size_t same = 0;
    for (size_t i = 0; i < wanted.size(); ++i) same += wanted[i] == found[i] ? 1 : 0;
    return static_cast<double>(same) / static_cast<double>(wanted.size());
}

Calibration calibrate(const std::vector<std::string>& pictures, const std::shared_ptr<const Model>& model,
                      Context& context, const Choices& choices) {
    Calibration result;
    result.asked_arithmetic = choices.arithmetic;
    Runner fp32(model, &context, {PrecisionChoice::FP32, choices.denied_families, choices.disabled_fusions});
    Runner fp16(model, &context, {PrecisionChoice::FP16, choices.denied_families, choices.disabled_fusions});
    const auto files = expand_inputs(pictures);
    for (const auto& file : files) {
        const Image picture = read_image(file);
        result.agreement = std::min(result.agreement, agreement_on(picture, *model, fp32, fp16));
        if (file == files.front()) result.layers = layer_losses(*model, picture);
    }
    return result;
}

/// A picture as the network gets it, in the network's size.
std::vector<float> network_input(const Image& picture, const Model& model) {
    const ImageToTensor load = picture_reading(model.preprocess, {model.height, model.width});
    Graph graph;
    const ValueId pixels = graph.add_input("picture", {ValueKind::Pixels, {picture.height, picture.width, 3}});
    graph.outputs = {graph.add("image", load, {pixels})};
    const HostValue value{graph.desc(pixels), {}, {picture.pixels.begin(), picture.pixels.end()}};
    return run_reference(graph, std::span(&value, 1))[0].floats;
}

ArithmeticCalibration calibrate_arithmetic_on(const std::vector<std::string>& pictures, const Model& model,
                                              Context& context, const Choices& choices) {
    const auto files = expand_inputs(pictures);
    Session session(context);
    std::optional<Choices> current;
    // One at a time: those of a whole folder may be more than memory holds.
    std::optional<size_t> current_picture;
    std::vector<float> input;
    const auto scores = [&](const Choices& wanted, size_t picture) {
        if (wanted != current) {
            const auto plan = std::make_shared<const Plan>(compile(model.simplified, context.facts(), wanted));
            session.set_plan(plan, [&] { return pack_weights(*plan, model.simplified); });
            current = wanted;
        }
        if (picture != current_picture) {
            input = network_input(read_image(files[picture]), model);
            current_picture = picture;
        }
        std::memcpy(session.input(0).data(), input.data(), input.size() * sizeof(float));
        session.run();
        Tensor result(model.simplified.desc(model.simplified.outputs[0]).shape);
        std::memcpy(result.data.data(), session.output(0).data(), result.data.size() * sizeof(float));
        return result;
    };
    return calibrate_arithmetic(model.simplified, context.facts(), choices, files.size(), scores, wanted_agreement);
}

void print_arithmetic(const ArithmeticCalibration& calibration) {
    fmt::print("fp16 arithmetic agrees with fp32 on {:.3f} % of the pixels of the worst picture (wanted: {:.1f} %)\n",
               calibration.agreement_of_all * 100, wanted_agreement * 100);
    for (const ArithmeticLoss& loss : calibration.fallen_back)
        fmt::print("  '{}' stays in fp32 arithmetic (fp16 there alone: relative error {:.1e})\n", loss.layer,
                   loss.relative_error);
    if (!calibration.fallen_back.empty()) fmt::print("so it agrees on {:.3f} %\n", calibration.agreement * 100);
}

void print_calibration(const Calibration& calibration) {
    fmt::print("fp16 agrees with fp32 on {:.3f} % of the pixels of the worst picture (wanted: {:.1f} %)\n",
               calibration.agreement * 100, wanted_agreement * 100);
    for (const LayerLoss& loss : calibration.layers)
        fmt::print("  16 bits hold '{}' to {:.1e} only (largest {:.3g})\n", loss.layer, loss.relative_error,
                   loss.largest);
    fmt::print("{}{}\n", calibration.wants_fp32() ? "so activations are stored in fp32" : "fp16 is accurate enough",
               calibration.drops_arithmetic() ? ", and arithmetic is fp32 too" : "");
    if (calibration.arithmetic) print_arithmetic(*calibration.arithmetic);
}

nlohmann::json to_json(const ArithmeticCalibration& calibration) {
    nlohmann::json layers = nlohmann::json::array();
    for (const ArithmeticLoss& loss : calibration.fallen_back)
        layers.push_back({{"layer", loss.layer}, {"relative_error", loss.relative_error}});
    return {{"agreement_of_all", calibration.agreement_of_all},
            {"agreement", calibration.agreement},
            {"fp32_arithmetic", layers}};
}

nlohmann::json to_json(const Calibration& calibration) {
    nlohmann::json layers = nlohmann::json::array();
    for (const LayerLoss& loss : calibration.layers)
        layers.push_back({{"layer", loss.layer}, {"relative_error", loss.relative_error}, {"largest", loss.largest}});
    return {{"agreement", calibration.agreement},
            {"layers", layers},
            {"fp16_is_enough", !calibration.wants_fp32()},
            {"fp16_arithmetic_dropped", calibration.drops_arithmetic()},
            {"arithmetic", calibration.arithmetic ? to_json(*calibration.arithmetic) : nlohmann::json()}};
}

}  // namespace

int run_tune(const TuneOptions& options) {
    if (options.rounds < 3) throw error("--rounds {}: expected 3 or more, for a median", options.rounds);
    if (options.common.device == "reference") throw error("the reference has no plan to tune; name a --device");
    if (!options.calibration.empty()) {
        expect_trained(options.common, options.network, "tune --calibrate");
        if (options.common.precision != "auto")
            throw error("--calibrate chooses the precision; leave --precision {} out", options.common.precision);
    }
    OpenedNetwork opened = open_network(options.common, options.network, parse_config(options.common.config),
                                        parse_size(options.common.size));
    const Model& model = *opened.model;
    const std::unique_ptr<Context> context = open_context(options.common);
    const std::string file = options.output.empty() ? tuned_path(model, context->facts()).string() : options.output;
    if (file.empty())
        throw error("there is no cache folder (neither XDG_CACHE_HOME nor HOME is set): name a file with --output");
    Choices choices = opened.choices;
    choices.precision = precision_on(context->facts(), opened.precision);
    choices.arithmetic = wanted_arithmetic(options.common);
    expect_arithmetic(context->facts(), choices);
    std::optional<Calibration> calibration;
    if (!options.calibration.empty()) {
        calibration = calibrate(options.calibration, opened.model, *context, choices);
        // Where fp16 would do, the device decides whether it pays.
        if (calibration->wants_fp32()) {
            choices.precision = Precision::FP32;
            choices.arithmetic = Arithmetic::FP32;
        }
        if (choices.arithmetic == Arithmetic::FP16) {
            calibration->arithmetic = calibrate_arithmetic_on(options.calibration, model, *context, choices);
            choices = calibration->arithmetic->choices;
        }
    }
    auto [tuned, report] = tune_model(model, *context, choices, options.rounds);
    if (options.output.empty()) {
        std::error_code status;
        std::filesystem::create_directories(std::filesystem::path(file).parent_path(), status);
    }
    write_file(file, to_string(tuned));

    const char* precision = name_of(choices.precision);
    if (!options.common.json.empty()) {
        nlohmann::json layers = nlohmann::json::object();
        for (const auto& [label, choice] : tuned.choices.layers) layers[label] = to_string(choice);
        write_json({{"network", model.network},
                    {"size", {model.width, model.height}},
                    {"device", context->facts().name},
                    {"driver", context->facts().driver},
                    {"precision", precision},
                    {"arithmetic", name_of(choices.arithmetic)},
                    {"layers", report.layers},
                    {"candidates", report.candidates},
                    {"changed", report.changed},
                    {"refused", report.refused},
                    {"untuned_us", report.untuned_us},
                    {"tuned_us", report.tuned_us},
                    {"untuned_dispatches", report.untuned_dispatches},
                    {"tuned_dispatches", report.tuned_dispatches},
                    {"choices", layers},
                    {"calibration", calibration ? to_json(*calibration) : nlohmann::json()},
                    {"output", file}},
                   options.common.json);
        return 0;
    }
    if (calibration) print_calibration(*calibration);
    fmt::print("{} {}x{} {}{} on {}: {} layers, {} candidates\n", model.network, model.width, model.height, precision,
               choices.arithmetic == Arithmetic::FP16 ? ", fp16 arithmetic," : "", context->facts().name, report.layers,
               report.candidates);
    for (const std::string& sentence : report.refused) fmt::print("  refused: {}\n", sentence);
    if (report.changed == 0) {
        fmt::print("nothing is faster than the rules: {:.2f} ms a run\n", report.untuned_us / 1e3);
    } else {
        fmt::print("{} choices: {:.2f} ms a run, {:.2f} ms untuned ({:+.1f} %)\n", report.changed,
                   report.tuned_us / 1e3, report.untuned_us / 1e3, (report.tuned_us / report.untuned_us - 1) * 100);
        if (report.tuned_dispatches > report.untuned_dispatches)
            fmt::print("the tuned plan is longer, {} dispatches instead of {}, and was faster\n",
                       report.tuned_dispatches, report.untuned_dispatches);
    }
    fmt::print("-> {}\n", file);
    return 0;
}

}  // namespace vkseg::app
