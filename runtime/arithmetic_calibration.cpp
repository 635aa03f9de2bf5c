#include "runtime/arithmetic_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
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

double relative_error(const Tensor& found, const Tensor& wanted) {
    double errors = 0, squares = 0;
    for (size_t i = 0; i < wanted.data.size(); ++i) {
        const double difference = double{found.data[i]} - wanted.data[i];
        if (!std::isfinite(difference)) return INFINITY;
        errors += difference * difference;
        squares += double{wanted.data[i]} * wanted.data[i];
    }
    return squares > 0 ? std::sqrt(errors / squares) : 0;
}

std::set<std::string> layers_in_fp16(const Plan& plan) {
    std::set<std::string> layers;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches)
            if (dispatch.fp16_arithmetic) layers.insert(dispatch.label);
    return layers;
}

/// Each layer in fp16 arithmetic alone, those that lose most first. One picture is enough for an order.
std::vector<ArithmeticLoss> losses(const std::set<std::string>& layers, const Choices& choices,
                                   const ScoresOf& scores) {
    Choices none = choices;
    none.arithmetic = Arithmetic::FP32;
    const Tensor wanted = scores(none, 0);
    Choices alone = choices;
    for (const std::string& layer : layers) alone.layers[layer].fp32_arithmetic = true;
    std::vector<ArithmeticLoss> result;
    for (const std::string& layer : layers) {
        alone.layers[layer].fp32_arithmetic = false;
        result.push_back({layer, relative_error(scores(alone, 0), wanted)});
        alone.layers[layer].fp32_arithmetic = true;
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
    for (ArithmeticLoss& loss : losses(layers_in_fp16(compile(graph, facts, choices)), choices, scores)) {
        result.choices.layers[loss.layer].fp32_arithmetic = true;
        result.fallen_back.push_back(std::move(loss));
        result.agreement = worst_agreement(result.choices);
        if (result.agreement >= wanted_agreement) break;
    }
    return result;
}

}  // namespace vkseg
