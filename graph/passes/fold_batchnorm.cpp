#include "graph/passes/batchnorm.hpp"
#include "graph/passes/passes.hpp"

#include <cmath>

namespace vkseg {

namespace {

/// A batch norm as x * scale + shift, in double until it is stored.
struct Affine {
    std::vector<double> scale;
    std::vector<double> shift;
};

Affine affine_of(const BatchNorm& norm, const Graph& graph) {
    const std::vector<float>&gamma = graph.constant(norm.gamma).data, &beta = graph.constant(norm.beta).data;
    const std::vector<float>&mean = graph.constant(norm.mean).data, &variance = graph.constant(norm.variance).data;
    Affine affine;
    for (size_t c = 0; c < gamma.size(); ++c) {
        affine.scale.push_back(double{gamma[c]} / std::sqrt(double{variance[c]} + double{norm.eps}));
        affine.shift.push_back(double{beta[c]} - double{mean[c]} * affine.scale[c]);
    }
    return affine;
}

Tensor vector_of(const std::vector<double>& values) {
    return Tensor({static_cast<int64_t>(values.size())}, std::vector<float>(values.begin(), values.end()));
}

/// Output channel that each kernel of the weight belongs to; kernels lie one after another.
size_t output_channel(const Conv2d&, const Shape& weight, size_t kernel) {
    return kernel / static_cast<size_t>(weight[1]);
}
size_t output_channel(const ConvTranspose2d& conv, const Shape& weight, size_t kernel) {
    const auto group_out = static_cast<size_t>(weight[1]);
    const auto group_in = static_cast<size_t>(weight[0] / conv.groups);
    return kernel / group_out / group_in * group_out + kernel % group_out;
}

/// New constants and not changed ones: other nodes and other copies of the graph may read the old.
template <typename Conv>
void scale_outputs(Conv& conv, const std::string& name, const Affine& affine, Graph& graph) {
    Tensor weight = graph.constant(conv.weight);
    const auto taps = static_cast<size_t>(weight.shape[2] * weight.shape[3]);
    for (size_t i = 0; i < weight.data.size(); ++i) {
        const double scale = affine.scale[output_channel(conv, weight.shape, i / taps)];
        weight.data[i] = static_cast<float>(weight.data[i] * scale);
    }
    std::vector<double> bias = affine.shift;
    std::string bias_name = name + ".bias";
    if (conv.bias != no_constant) {
        const std::vector<float>& old = graph.constant(conv.bias).data;
        for (size_t c = 0; c < bias.size(); ++c) bias[c] += old[c] * affine.scale[c];
        bias_name = graph.constants[static_cast<size_t>(conv.bias)].name;
    }
    const std::string weight_name = graph.constants[static_cast<size_t>(conv.weight)].name;
    conv.weight = graph.add_constant(weight_name + ".folded", std::move(weight));
    conv.bias = graph.add_constant(bias_name + ".folded", vector_of(bias));
}

/// False when the node is no convolution, or one whose bare result does not go straight into the batch norm.
bool fold_into(Node& node, const Affine& affine, Graph& graph) {
    if (!node.epilogue.empty()) return false;
    if (auto* conv = std::get_if<Conv2d>(&node.op)) {
        scale_outputs(*conv, node.name, affine, graph);
        return true;
    }
    if (auto* conv = std::get_if<ConvTranspose2d>(&node.op)) {
        scale_outputs(*conv, node.name, affine, graph);
        return true;
    }
    return false;
}

bool replace_batchnorms(Graph& graph, bool may_fold) {
    constexpr size_t none = static_cast<size_t>(-1);
    const std::vector<int> uses = graph.use_counts();
    // Where each value's node stands in `kept`.
    std::vector<size_t> makers(graph.values.size(), none);
    std::vector<Node> kept;
    kept.reserve(graph.nodes.size());
    bool changed = false;
    for (Node& node : graph.nodes) {
        if (const auto* norm = std::get_if<BatchNorm>(&node.op)) {
            changed = true;
            const Affine affine = affine_of(*norm, graph);
            const auto operand = static_cast<size_t>(node.inputs[0]);
            const size_t maker = makers[operand];
            if (may_fold && maker != none && uses[operand] == 1 && fold_into(kept[maker], affine, graph)) {
                kept[maker].output = node.output;
                makers[static_cast<size_t>(node.output)] = maker;
                continue;
            }
            const ConstId scale = graph.add_constant(node.name + ".scale", vector_of(affine.scale));
            const ConstId shift = graph.add_constant(node.name + ".shift", vector_of(affine.shift));
            node.op = ScaleShift{scale, shift};
        }
        makers[static_cast<size_t>(node.output)] = kept.size();
        kept.push_back(std::move(node));
    }
    graph.nodes = std::move(kept);
    return changed;
}

}  // namespace

bool fold_batchnorm(Graph& graph) {
    return replace_batchnorms(graph, true);
}

bool lower_batchnorm(Graph& graph) {
    return replace_batchnorms(graph, false);
}

}  // namespace vkseg
