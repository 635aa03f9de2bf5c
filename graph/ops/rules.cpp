#include "graph/ops/rules.hpp"

#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vkseg {

namespace {

struct OpName {
    const char* operator()(const Conv2d&) const { return "conv2d"; }
    const char* operator()(const ConvTranspose2d&) const { return "conv_transpose2d"; }
    const char* operator()(const BatchNorm&) const { return "batch_norm"; }
    const char* operator()(const ScaleShift&) const { return "scale_shift"; }
    const char* operator()(const Relu&) const { return "relu"; }
    const char* operator()(const PRelu&) const { return "prelu"; }
    const char* operator()(const Sigmoid&) const { return "sigmoid"; }
    const char* operator()(const Softmax&) const { return "softmax"; }
    const char* operator()(const Linear&) const { return "linear"; }
    const char* operator()(const Add&) const { return "add"; }
    const char* operator()(const Multiply&) const { return "multiply"; }
    const char* operator()(const Slice&) const { return "slice"; }
    const char* operator()(const ChannelShuffle&) const { return "channel_shuffle"; }
    const char* operator()(const AdaptiveAvgPool2d&) const { return "adaptive_avg_pool2d"; }
    const char* operator()(const Identity&) const { return "identity"; }
    const char* operator()(const Concat&) const { return "concat"; }
    const char* operator()(const Pool2d&) const { return "pool2d"; }
    const char* operator()(const Resize&) const { return "resize"; }
    const char* operator()(const ImageToTensor&) const { return "image_to_tensor"; }
    const char* operator()(const Argmax&) const { return "argmax"; }
    const char* operator()(const Confidence&) const { return "confidence"; }
    const char* operator()(const Colourise&) const { return "colourise"; }
};

/// Operands without the one that the epilogue adds.
template <typename Span>
Span own_operands(const Node& node, Span operands) {
    if (!node.epilogue.add) return operands;
    if (operands.empty()) throw error("the epilogue adds an operand that is not there");
    return operands.first(operands.size() - 1);
}

void check_epilogue(const Node& node, const Graph& graph, Operands operands, const TensorDesc& result) {
    const Epilogue& epilogue = node.epilogue;
    if (epilogue.empty()) return;
    if (!carries_epilogue(node.op)) throw error("this operation cannot carry an epilogue");
    if (epilogue.add && !carries_added_operand(node.op)) throw error("this operation cannot add an operand");
    if (epilogue.add && operands.back() != result && operands.back() != features(result.channels(), 1, 1)) {
        throw error("the added operand must be {}, found {}", describe(result), describe(operands.back()));
    }
    const Shape length{result.channels()};
    if (epilogue.scale != no_constant) {
        expect_constant(graph, epilogue.scale, length, "scale");
        expect_constant(graph, epilogue.shift, length, "shift");
    }
    if (epilogue.activation == Epilogue::Activation::PRelu) expect_constant(graph, epilogue.slope, length, "slope");
}

/// Attributes of any file and sizes of any host come through here: later code may multiply extents without overflow.
void check_extents(const TensorDesc& desc) {
    constexpr int64_t max_elements = int64_t{1} << 48;
    int64_t room = max_elements;
    for (int64_t extent : desc.shape) {
        if (extent < 1 || extent > std::min<int64_t>(room, std::numeric_limits<int>::max()))
            throw error("the result would be {}, which is more than any memory holds", to_string(desc.shape));
        room /= extent;
    }
}

/// In double up to the one rounding at the end, like the operations themselves.
void apply_epilogue(const Epilogue& epilogue, const Graph& graph, const HostValue* added, HostValue& result) {
    if (epilogue.empty()) return;
    const int64_t pixels = int64_t{result.desc.height()} * result.desc.width();
    for (int c = 0; c < result.desc.channels(); ++c) {
        const auto at = [&](ConstId id, double absent) {
            return id == no_constant ? absent : double{graph.constant(id).data[static_cast<size_t>(c)]};
        };
        const double scale = at(epilogue.scale, 1.0), shift = at(epilogue.shift, 0.0);
        const double slope = at(epilogue.slope, 0.0);
        const float* other = added ? channel(*added, c) : nullptr;
        float* target = channel(result, c);
        const int64_t step = added && added->desc != result.desc ? 0 : 1;
        for (int64_t i = 0; i < pixels; ++i) {
            double value = target[i];
            if (other) value += other[i * step];
            if (epilogue.scale != no_constant) value = value * scale + shift;
            if (value < 0 && epilogue.activation == Epilogue::Activation::Relu) value = 0;
            if (value < 0 && epilogue.activation == Epilogue::Activation::PRelu) value *= slope;
            if (epilogue.activation == Epilogue::Activation::Sigmoid) value = 1.0 / (1.0 + std::exp(-value));
            target[i] = static_cast<float>(value);
        }
    }
}

void allocate(HostValue& value) {
    const auto elements = static_cast<size_t>(element_count(value.desc.shape));
    if (value.desc.kind == ValueKind::Features) {
        value.floats.resize(elements);
    } else {
        value.bytes.resize(elements);
    }
}

void check_inputs(const Graph& graph, std::span<const HostValue> inputs) {
    if (inputs.size() != graph.inputs.size()) {
        throw error("the graph has {} inputs, found {}", graph.inputs.size(), inputs.size());
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
        const Value& value = graph.values[static_cast<size_t>(graph.inputs[i])];
        const HostValue& found = inputs[i];
        if (found.desc != value.desc) {
            throw error("input '{}' must be {}, found {}", value.name, describe(value.desc), describe(found.desc));
        }
        const auto elements = static_cast<size_t>(element_count(value.desc.shape));
        const size_t held = value.desc.kind == ValueKind::Features ? found.floats.size() : found.bytes.size();
        if (held != elements) throw error("input '{}' must hold {} elements, found {}", value.name, elements, held);
    }
}

/// Multiply-adds of one output element (convolution) or one input element (transposed convolution).
uint64_t window_macs(int channels, Axes kernel) {
    return static_cast<uint64_t>(channels) * static_cast<uint64_t>(kernel.h) * static_cast<uint64_t>(kernel.w);
}

}  // namespace

const char* op_name(const Op& op) {
    return std::visit(OpName{}, op);
}

int bytes_per_pixel(PixelFormat format) {
    return format == PixelFormat::RGB8 || format == PixelFormat::BGR8 ? 3 : 4;
}

bool carries_epilogue(const Op& op) {
    return std::holds_alternative<Conv2d>(op) || std::holds_alternative<ConvTranspose2d>(op) ||
           std::holds_alternative<Identity>(op) || std::holds_alternative<Pool2d>(op) ||
           std::holds_alternative<Resize>(op) || std::holds_alternative<AdaptiveAvgPool2d>(op) ||
           std::holds_alternative<Multiply>(op) || std::holds_alternative<Linear>(op);
}

bool carries_added_operand(const Op& op) {
    return carries_epilogue(op) && !std::holds_alternative<Multiply>(op);
}

Axes resolve(const SizeRule& rule, Axes input, Axes like) {
    const auto scaled = [&rule](int extent) {
        const double size = extent * rule.scale;
        const double rounded = rule.rounding == SizeRule::Rounding::Floor ? std::floor(size) : std::ceil(size);
        // An absurd scale must not overflow; the size it gives is refused where memory is.
        return std::max(static_cast<int>(std::clamp(rounded, 0.0, 1e9)), rule.minimum);
    };
    switch (rule.kind) {
        case SizeRule::Kind::Fixed:
            return rule.fixed;
        case SizeRule::Kind::Scaled:
            return {scaled(input.h), scaled(input.w)};
        case SizeRule::Kind::LikeOperand:
            return like;
    }
    return rule.fixed;
}

TensorDesc infer(const Node& node, const Graph& graph, Operands operands) {
    const Operands own = own_operands(node, operands);
    TensorDesc result = std::visit([&](const auto& op) { return infer(op, graph, own); }, node.op);
    check_extents(result);
    check_epilogue(node, graph, operands, result);
    return result;
}

HostValue reference(const Node& node, const Graph& graph, HostOperands operands) {
    std::vector<TensorDesc> descs;
    for (const HostValue* operand : operands) descs.push_back(operand->desc);
    HostValue result;
    result.desc = infer(node, graph, descs);
    allocate(result);
    const HostOperands own = own_operands(node, operands);
    std::visit([&](const auto& op) { reference(op, graph, own, result); }, node.op);
    apply_epilogue(node.epilogue, graph, node.epilogue.add ? operands.back() : nullptr, result);
    return result;
}

uint64_t count_macs(const Node& node, const Graph& graph) {
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
        const int group_in = graph.desc(node.inputs[0]).channels() / conv->groups;
        return static_cast<uint64_t>(element_count(graph.desc(node.output).shape)) *
               window_macs(group_in, conv->kernel);
    }
    if (const auto* conv = std::get_if<ConvTranspose2d>(&node.op)) {
        return static_cast<uint64_t>(element_count(graph.desc(node.inputs[0]).shape)) *
               window_macs(conv->out_channels / conv->groups, conv->kernel);
    }
    if (const auto* linear = std::get_if<Linear>(&node.op))
        return static_cast<uint64_t>(linear->out_features) *
               static_cast<uint64_t>(graph.desc(node.inputs[0]).channels());
    return 0;
}

std::vector<HostValue> run_reference(const Graph& graph, std::span<const HostValue> inputs,
                                     const std::function<void(const Node&, const HostValue&)>& observer) {
    check_inputs(graph, inputs);
    std::vector<const HostValue*> current(graph.values.size(), nullptr);
    std::vector<HostValue> made(graph.values.size());
    for (size_t i = 0; i < inputs.size(); ++i) current[static_cast<size_t>(graph.inputs[i])] = &inputs[i];

    // Outputs count as a use, so what the host receives outlives the loop.
    std::vector<int> uses_left = graph.use_counts();
    for (const Node& node : graph.nodes) {
        std::vector<const HostValue*> operands;
        for (ValueId id : node.inputs) operands.push_back(current.at(static_cast<size_t>(id)));
        const auto output = static_cast<size_t>(node.output);
        made[output] = reference(node, graph, operands);
        current[output] = &made[output];
        if (observer) observer(node, made[output]);
        for (ValueId id : node.inputs) {
            if (--uses_left[static_cast<size_t>(id)] == 0) made[static_cast<size_t>(id)] = {};
        }
        if (uses_left[output] == 0) made[output] = {};
    }
    std::vector<HostValue> results;
    for (ValueId id : graph.outputs) results.push_back(*current.at(static_cast<size_t>(id)));
    return results;
}

}  // namespace vkseg
