#include "models/parameter_source.hpp"

#include "graph/ir/error.hpp"
#include "models/scope.hpp"

#include <cmath>
#include <memory>
#include <random>
#include <string_view>

namespace vkseg {

namespace {

std::string label(const Weights& weights) {
    return weights.source.empty() ? "the weights" : "'" + weights.source + "'";
}

/// Steps of batch norm's training, saved by PyTorch beside every running mean; means nothing here.
bool is_step_counter(std::string_view name) {
    return name.ends_with("num_batches_tracked");
}

/// FNV-1a: the same numbers with every standard library.
uint32_t hash(std::string_view text) {
    uint32_t value = 2166136261u;
    for (char c : text) value = (value ^ static_cast<uint8_t>(c)) * 16777619u;
    return value;
}

template <typename... Args>
WeightsMismatch mismatch(fmt::format_string<Args...> text, Args&&... args) {
    return WeightsMismatch(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace

const Tensor* ParameterSource::find(const std::string& name) const {
    if (weights_ == nullptr) return nullptr;
    const auto found = weights_->tensors.find(name);
    return found == weights_->tensors.end() ? nullptr : &found->second.tensor;
}

void ParameterSource::count(const std::string& name, const Shape& shape, bool learnable) {
    // A module that runs on several branches is asked for again; its parameters exist once.
    if (known_.insert(name).second && learnable) parameters_ += static_cast<uint64_t>(element_count(shape));
}

void ParameterSource::expect_shape(const std::string& name, const Shape& expected, const Shape& found) const {
    if (expected != found)
        throw mismatch("{}: tensor '{}' is {}, but the network needs {}", label(*weights_), name, to_string(found),
                       to_string(expected));
}

Tensor ParameterSource::take(const std::string& name, const Shape& shape, bool learnable) {
    count(name, shape, learnable);
    if (weights_ == nullptr) {
        auto [found, is_new] = made_.try_emplace(name);
        if (is_new) found->second = invent(name, shape);
        return found->second;
    }
    const Tensor* tensor = find(name);
    if (tensor == nullptr) throw mismatch("{}: tensor '{}' ({}) is missing", label(*weights_), name, to_string(shape));
    expect_shape(name, shape, tensor->shape);
    return *tensor;
}

void ParameterSource::mark_unused(const std::string& name, const Shape& shape, bool learnable) {
    count(name, shape, learnable);
    if (weights_ == nullptr) {
        made_.try_emplace(name, invent(name, shape));
        return;
    }
    if (const Tensor* tensor = find(name)) expect_shape(name, shape, tensor->shape);
}

void ParameterSource::refuse_extra() const {
    if (weights_ == nullptr) return;
    for (const auto& [name, tensor] : weights_->tensors)
        if (!known_.contains(name) && !is_step_counter(name))
            throw mismatch(
                "{}: the network has no place for tensor '{}' ({}); are these weights of another network or "
                "configuration?",
                label(*weights_), name, to_string(tensor.tensor.shape));
}

void ParameterSource::scale_made_up(Graph& graph, const std::map<std::string, float>& factors) {
    if (weights_ != nullptr) return;
    for (const auto& [name, factor] : factors)
        for (float& value : made_.at(name).data) value *= factor;
    for (Constant& constant : graph.constants)
        if (factors.contains(constant.name)) constant.tensor = std::make_shared<const Tensor>(made_.at(constant.name));
}

Tensor ParameterSource::invent(const std::string& name, const Shape& shape) const {
    // Each tensor from its own name, so that a tensor does not depend on the order of asking.
    std::seed_seq seeds{static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32), hash(name)};
    std::mt19937 random(seeds);
    const auto uniform = [&](double low, double high) {
        return static_cast<float>(low + (high - low) * (static_cast<double>(random()) / 4294967296.0));
    };
    Tensor tensor(shape);
    // Variance 1 / inputs of an output: see `made_up_weight_factors`.
    int64_t fan_in = 1;
    for (size_t axis = 1; axis < shape.size(); ++axis) fan_in *= shape[axis];
    const double range = std::sqrt(3.0 / static_cast<double>(fan_in));
    for (float& value : tensor.data) {
        if (name.ends_with("running_var"))
            value = uniform(0.5, 1.5);
        else if (name.ends_with("running_mean") || name.ends_with("bias"))
            value = uniform(-0.1, 0.1);
        else if (shape.size() == 1)  // batch norm's gamma, PReLU's slope
            value = name.find("act") != std::string::npos ? uniform(0.1, 0.4) : uniform(0.8, 1.2);
        else
            value = uniform(-range, range);
    }
    return tensor;
}

Scope Scope::operator[](std::string_view name) const {
    return {*source_, prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name)};
}

Scope Scope::operator[](int index) const {
    return (*this)[std::to_string(index)];
}

ConstId Scope::parameter(Graph& graph, std::string_view name, const Shape& shape) const {
    const std::string path = (*this)[name].path();
    return graph.add_constant(path, source_->take(path, shape, true));
}

ConstId Scope::buffer(Graph& graph, std::string_view name, const Shape& shape) const {
    const std::string path = (*this)[name].path();
    return graph.add_constant(path, source_->take(path, shape, false));
}

void Scope::unused_parameter(std::string_view name, const Shape& shape) const {
    source_->mark_unused((*this)[name].path(), shape, true);
}

void Scope::unused_buffer(std::string_view name, const Shape& shape) const {
    source_->mark_unused((*this)[name].path(), shape, false);
}

std::optional<Shape> Scope::shape_of(std::string_view name) const {
    const Tensor* tensor = source_->find((*this)[name].path());
    if (tensor == nullptr) return std::nullopt;
    return tensor->shape;
}

}  // namespace vkseg
