#include "graph/ir/graph.hpp"

#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"

#include <cassert>
#include <limits>

namespace vkseg {

namespace {

int extent(const TensorDesc& desc, size_t axis) {
    return static_cast<int>(desc.shape.at(axis));
}

/// Operand descriptions of a node, read from `descs` because the graph's own may be out of date.
std::vector<TensorDesc> operands_of(const Node& node, const std::vector<TensorDesc>& descs) {
    std::vector<TensorDesc> operands;
    operands.reserve(node.inputs.size());
    for (ValueId id : node.inputs) operands.push_back(descs.at(static_cast<size_t>(id)));
    return operands;
}

TensorDesc infer_named(const Node& node, const Graph& graph, Operands operands) {
    try {
        return infer(node, graph, operands);
    } catch (const Error& reason) {
        throw error("'{}' ({}): {}", node.name, op_name(node.op), reason.what());
    }
}

/// Shapes of all values as the rules give them from the inputs in `descs`. Touches the graph only when all is well.
void derive_shapes(Graph& graph, std::vector<TensorDesc> descs) {
    for (const Node& node : graph.nodes) {
        const std::vector<TensorDesc> operands = operands_of(node, descs);
        descs.at(static_cast<size_t>(node.output)) = infer_named(node, graph, operands);
    }
    for (size_t i = 0; i < descs.size(); ++i) graph.values[i].desc = std::move(descs[i]);
}

std::vector<TensorDesc> descs_of(const Graph& graph) {
    std::vector<TensorDesc> descs;
    descs.reserve(graph.values.size());
    for (const Value& value : graph.values) descs.push_back(value.desc);
    return descs;
}

void check_input(const std::string& name, const TensorDesc& desc) {
    if (desc.shape.size() != 3) {
        throw error("input '{}' must have three extents, found {}", name, to_string(desc.shape));
    }
    for (int64_t extent : desc.shape) {
        if (extent < 1 || extent > std::numeric_limits<int>::max()) {
            throw error("input '{}' must have positive extents, found {}", name, to_string(desc.shape));
        }
    }
}

}  // namespace

int TensorDesc::channels() const {
    return extent(*this, kind == ValueKind::Pixels ? 2 : 0);
}
int TensorDesc::height() const {
    return extent(*this, kind == ValueKind::Pixels ? 0 : 1);
}
int TensorDesc::width() const {
    return extent(*this, kind == ValueKind::Pixels ? 1 : 2);
}

uint64_t TensorDesc::host_size_bytes() const {
    const auto elements = static_cast<uint64_t>(element_count(shape));
    return kind == ValueKind::Features ? elements * sizeof(float) : elements;
}

ValueId Graph::add_input(std::string name, TensorDesc desc) {
    check_input(name, desc);
    const auto id = static_cast<ValueId>(values.size());
    values.push_back({std::move(desc), std::move(name)});
    inputs.push_back(id);
    return id;
}

ValueId Graph::add(std::string name, Op op, std::vector<ValueId> operands) {
    Node node{std::move(op), std::move(operands), static_cast<ValueId>(values.size()), {}, std::move(name)};
    std::vector<TensorDesc> descs;
    descs.reserve(node.inputs.size());
    for (ValueId id : node.inputs) descs.push_back(desc(id));
    TensorDesc result = infer_named(node, *this, descs);
    values.push_back({std::move(result), node.name});
    nodes.push_back(std::move(node));
    return nodes.back().output;
}

ConstId Graph::add_constant(std::string name, Tensor tensor) {
    assert(static_cast<int64_t>(tensor.data.size()) == element_count(tensor.shape));
    constants.push_back({std::move(name), std::make_shared<const Tensor>(std::move(tensor))});
    return static_cast<ConstId>(constants.size()) - 1;
}

std::vector<int> Graph::producers() const {
    std::vector<int> producer(values.size(), -1);
    for (size_t i = 0; i < nodes.size(); ++i) {
        producer.at(static_cast<size_t>(nodes[i].output)) = static_cast<int>(i);
    }
    return producer;
}

std::vector<int> Graph::use_counts() const {
    std::vector<int> uses(values.size(), 0);
    for (const Node& node : nodes) {
        for (ValueId id : node.inputs) ++uses.at(static_cast<size_t>(id));
    }
    for (ValueId id : outputs) ++uses.at(static_cast<size_t>(id));
    return uses;
}

void Graph::set_input_size(int width, int height, size_t index) {
    const auto id = static_cast<size_t>(inputs.at(index));
    std::vector<TensorDesc> descs = descs_of(*this);
    TensorDesc& input = descs.at(id);
    const size_t height_axis = input.kind == ValueKind::Pixels ? 0 : 1;
    input.shape.at(height_axis) = height;
    input.shape.at(height_axis + 1) = width;
    check_input(values[id].name, input);
    derive_shapes(*this, std::move(descs));
}

void Graph::infer_shapes() {
    derive_shapes(*this, descs_of(*this));
}

uint64_t count_macs(const Graph& graph) {
    uint64_t macs = 0;
    for (const Node& node : graph.nodes) macs += count_macs(node, graph);
    return macs;
}

}  // namespace vkseg
