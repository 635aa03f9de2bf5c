#include "models/made_up_weights.hpp"

#include <cmath>
#include <vector>

namespace vkseg {

namespace {

/// Mean square of a value, that of its positive and of its negative elements.
struct Power {
    double positive = 0.5;
    double negative = 0.5;
    [[nodiscard]] double sum() const { return positive + negative; }
};

/// Mean square of PReLU's slopes, which are made up between 0.1 and 0.4.
constexpr double prelu_keeps = 0.07;

class Estimate {
public:
    explicit Estimate(const Graph& graph) : graph_(graph), powers_(graph.values.size()) {}

    std::map<std::string, float> factors() {
        for (const Node& node : graph_.nodes) {
            at_ = &node;
            powers_[static_cast<size_t>(node.output)] =
                std::visit([this](const auto& op) { return result(op); }, node.op);
        }
        return std::move(factors_);
    }

private:
    [[nodiscard]] const Power& operand(size_t index = 0) const {
        return powers_[static_cast<size_t>(at_->inputs[index])];
    }

    /// Weights that make 1 of what comes in. Those of a module that runs twice follow its first run.
    Power weighted(ConstId weight, double shared = 1) {
        const auto factor = static_cast<float>(std::sqrt(shared / operand().sum()));
        factors_.try_emplace(graph_.constants[static_cast<size_t>(weight)].name, factor);
        return {};
    }

    Power result(const Conv2d& op) { return weighted(op.weight); }
    Power result(const Linear& op) { return weighted(op.weight); }
    Power result(const ConvTranspose2d& op) {
        // The weight's second axis is the outputs, and a stride shares the kernel among its steps.
        const double inputs = graph_.desc(at_->inputs[0]).channels();
        return weighted(op.weight, static_cast<double>(op.out_channels) * op.stride.h * op.stride.w / inputs);
    }
    Power result(const Relu&) { return {operand().positive, 0}; }
    Power result(const PRelu&) { return {operand().positive, operand().negative * prelu_keeps}; }
    Power result(const Sigmoid&) { return {0.3, 0}; }
    Power result(const Add&) {
        return {operand(0).positive + operand(1).positive, operand(0).negative + operand(1).negative};
    }
    Power result(const Multiply&) {
        return {operand(0).positive * operand(1).sum(), operand(0).negative * operand(1).sum()};
    }
    Power result(const Concat&) {
        Power mean{0, 0};
        const double all = graph_.desc(at_->output).channels();
        for (size_t i = 0; i < at_->inputs.size(); ++i) {
            const double share = graph_.desc(at_->inputs[i]).channels() / all;
            mean.positive += share * operand(i).positive;
            mean.negative += share * operand(i).negative;
        }
        return mean;
    }
    /// Normalisation, poolings, resizing, views: what comes in.
    template <typename Op>
    Power result(const Op&) {
        return operand();
    }

    const Graph& graph_;
    const Node* at_ = nullptr;
    std::vector<Power> powers_;
    std::map<std::string, float> factors_;
};

}  // namespace

std::map<std::string, float> made_up_weight_factors(const Graph& graph) {
    return Estimate(graph).factors();
}

}  // namespace vkseg
