#pragma once

#include "graph/plan/plan.hpp"

#include <functional>
#include <string>
#include <vector>

// Which layers lose too much when their products are in 16 bits, found by running plans.

namespace vkseg {

struct ArithmeticLoss {
    /// As its dispatches are labelled in the plan.
    std::string layer;
    /// Of the scores, when this layer alone has fp16 arithmetic, against the plan in which none has.
    double relative_error = 0;
};

struct ArithmeticCalibration {
    /// Share of the pixels that have the class of the plan in fp32, of the worst picture: every layer in fp16
    /// arithmetic; and as chosen.
    double agreement_of_all = 1;
    double agreement = 1;
    /// Layers that stay in fp32 arithmetic, those that lose most first.
    std::vector<ArithmeticLoss> fallen_back;
    /// The choices that were given, with the convolutions of these layers by their names.
    Choices choices;
};

/// Scores {classes, h, w} of a calibration picture, by a plan with these choices.
using ScoresOf = std::function<Tensor(const Choices& choices, size_t picture)>;

/// `choices` ask for fp16 arithmetic. Layers fall back to fp32, the one that loses most first, until classes agree with
/// those of the plan in fp32 on `wanted_agreement` of the pixels of every picture.
[[nodiscard]] ArithmeticCalibration calibrate_arithmetic(const Graph& graph, const DeviceFacts& facts,
                                                         const Choices& choices, size_t pictures,
                                                         const ScoresOf& scores, double wanted_agreement);

}  // namespace vkseg
