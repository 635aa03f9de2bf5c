#pragma once

#include "graph/ir/graph.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace vkseg {

class ParameterSource;

/// Where a network's file takes its tensors from. Chains the checkpoint's name prefix, so that names come out equal
/// to the state dict's keys and nodes are named by the same path: `scope["level2"][0]["d4"]`.
class Scope {
public:
    Scope(ParameterSource& source, std::string prefix) : source_(&source), prefix_(std::move(prefix)) {}

    [[nodiscard]] Scope operator[](std::string_view name) const;
    [[nodiscard]] Scope operator[](int index) const;
    /// "encoder.level2.0"
    [[nodiscard]] const std::string& path() const { return prefix_; }

    /// A learnable tensor of exactly that shape, entered into the graph. Throws `Error` when it is missing or another.
    ConstId parameter(Graph& graph, std::string_view name, const Shape& shape) const;
    /// The same for a tensor that is not learned (running mean and variance).
    ConstId buffer(Graph& graph, std::string_view name, const Shape& shape) const;
    /// A tensor that the checkpoint holds and the forward never reads: counted, checked when present, not required.
    void unused_parameter(std::string_view name, const Shape& shape) const;
    void unused_buffer(std::string_view name, const Shape& shape) const;

    /// Shape of a tensor in the checkpoint, for configurations that the weights tell; nothing when there is no such
    /// tensor or the weights are made up.
    [[nodiscard]] std::optional<Shape> shape_of(std::string_view name) const;

private:
    ParameterSource* source_;
    std::string prefix_;
};

}  // namespace vkseg
