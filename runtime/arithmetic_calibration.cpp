#include "runtime/arithmetic_calibration.hpp"

#include "graph/plan/tunable_layers.hpp"
#include "runtime/relative_error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace vkseg {

namespace {

using Classes = std::vector<uint16_t>;
/// Of a pixel with scores that are no numbers: like no other.
constexpr uint16_t no_class = std::numeric_limits<uint16_t>::max();

Classes classes_of(const Tensor& scores) {
    const auto channels = static_cast<size_t>(scores.shape.at(0)), pixels = scores.data.size() / channels;
    Classes classes(pixels, 0);
    for (size_t pixel = 0; pixel < pixels; ++pixel) {
        const auto score = [&](size_t channel) { return scores.data[channel * pixels + pixel]; };
        for (size_t channel = 0; channel < channels && classes[pixel] != no_class; ++channel) {
            if (!std::isfinite(score(channel)))
                classes[pixel] = no_class;
            else if (score(channel) > score(classes[pixel]))
                classes[pixel] = static_cast<uint16_t>(channel);
        }
    }
    return classes;
}

double agreement(const Classes& found, const Classes& wanted) {
    size_t same = 0;
    for (size_t i = 0; i < wanted.size(); ++i) same += found[i] == wanted[i] && found[i] != no_class ? 1 : 0;
    return static_cast<double>(same) / static_cast<double>(wanted.size());
}

/// Names of convolutions (linear layers are such too), by the label of the layer that computes them in fp16.
using LayersInFp16 = std::map<std::string, std::vector<std::string>, std::less<>>;

LayersInFp16 layers_in_fp16(const Graph& graph, const DeviceFacts& facts, const Choices& choices) {
    const Plan plan = compile(graph, facts, choices);
    std::set<std::string, std::less<>> labels, convolutions;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches)
            if (dispatch.fp16_arithmetic) labels.insert(dispatch.label);
    for (const Node& node : graph.nodes)
        if (std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<ConvTranspose2d>(node.op) ||
            std::holds_alternative<Linear>(node.op))
            convolutions.insert(node.name);
    LayersInFp16 layers = nodes_by_label(graph, facts, choices);
    std::erase_if(layers, [&](const auto& layer) { return !labels.contains(layer.first); });
    for (auto& [label, names] : layers)
        std::erase_if(names, [&](const std::string& name) { return !convolutions.contains(name); });
    return layers;
}

/// By convolution, not by label: a plan with other ends, or tuned, groups them otherwise.
void set_fp32_arithmetic(Choices& choices, const std::vector<std::string>& convolutions, bool fp32) {
    for (const std::string& name : convolutions) choices.layers[name].fp32_arithmetic = fp32;
}

/// Each layer in fp16 arithmetic alone, those that lose most first. One picture is enough for an order.
std::vector<ArithmeticLoss> losses(const LayersInFp16& layers, const Choices& choices, const ScoresOf& scores) {
    Choices none = choices;
    none.arithmetic = Arithmetic::FP32;
    const Tensor wanted = scores(none, 0);
    Choices alone = choices;
    for (const auto& [label, convolutions] : layers) set_fp32_arithmetic(alone, convolutions, true);
    std::vector<ArithmeticLoss> result;
    for (const auto& [label, convolutions] : layers) {
        set_fp32_arithmetic(alone, convolutions, false);
        result.push_back({label, relative_error(scores(alone, 0).data, wanted.data)});
        set_fp32_arithmetic(alone, convolutions, true);
    }
    std::ranges::stable_sort(result, std::ranges::greater{}, &ArithmeticLoss::relative_error);
    return result;
}

}  // namespace

ArithmeticCalibration calibrate_arithmetic(const Graph& graph, const DeviceFacts& facts, const Choices& choices,
                                           size_t pictures, const ScoresOf& scores, double wanted_agreement) {
    Choices single = choices;
    single.precision = Precision::FP32;
    single.arithmetic = Arithmetic::FP32;
    std::vector<Classes> wanted;
    for (size_t picture = 0; picture < pictures; ++picture) wanted.push_back(classes_of(scores(single, picture)));
    const auto worst_agreement = [&](const Choices& of) {
        double worst = 1;
        for (size_t picture = 0; picture < pictures; ++picture)
            worst = std::min(worst, agreement(classes_of(scores(of, picture)), wanted[picture]));
        return worst;
    };
    ArithmeticCalibration result;
    result.choices = choices;
    result.agreement = result.agreement_of_all = worst_agreement(choices);
    if (result.agreement >= wanted_agreement) return result;
    const LayersInFp16 layers = layers_in_fp16(graph, facts, choices);
    for (ArithmeticLoss& loss : losses(layers, choices, scores)) {
        set_fp32_arithmetic(result.choices, layers.at(loss.layer), true);
        result.fallen_back.push_back(std::move(loss));
        result.agreement = worst_agreement(result.choices);
        if (result.agreement >= wanted_agreement) break;
    }
    return result;
}

}  // namespace vkseg
