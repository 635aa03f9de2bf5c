#pragma once

#include "graph/ir/error.hpp"
#include "graph/ir/graph.hpp"
#include "graph/ir/tensor.hpp"
#include "graph/ir/weights.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace vkseg {

/// Weights that are not those of the network as configured.
class WeightsMismatch : public Error {
public:
    using Error::Error;
};

/// Answers a `Scope`: from trained weights, or from a seeded generator when there are none.
class ParameterSource {
public:
    explicit ParameterSource(const Weights& weights) : weights_(&weights) {}
    explicit ParameterSource(uint64_t seed) : seed_(seed) {}

    /// Throws `WeightsMismatch` naming tensor, expected and found.
    [[nodiscard]] Tensor take(const std::string& name, const Shape& shape, bool learnable);
    void mark_unused(const std::string& name, const Shape& shape, bool learnable);
    [[nodiscard]] const Tensor* find(const std::string& name) const;

    /// Multiplies made-up weights, in the graph that they went to as well; trained ones stay as they are.
    void scale_made_up(Graph& graph, const std::map<std::string, float>& factors);

    /// Throws `WeightsMismatch` naming the first tensor in the weights that the network has no place for.
    void refuse_extra() const;
    /// Null for made-up ones.
    [[nodiscard]] const Weights* weights() const { return weights_; }
    [[nodiscard]] uint64_t parameters() const { return parameters_; }
    /// Everything that was taken or marked, for `make_random_weights`.
    [[nodiscard]] const std::map<std::string, Tensor>& made() const { return made_; }

private:
    [[nodiscard]] Tensor invent(const std::string& name, const Shape& shape) const;
    void count(const std::string& name, const Shape& shape, bool learnable);
    void expect_shape(const std::string& name, const Shape& expected, const Shape& found) const;

    const Weights* weights_ = nullptr;
    uint64_t seed_ = 0;
    uint64_t parameters_ = 0;
    std::set<std::string, std::less<>> known_;
    std::map<std::string, Tensor> made_;
};

}  // namespace vkseg
