#include "graph/ir/graph.hpp"

#include <fmt/format.h>

namespace vkseg {

namespace {

std::string text_of(Axes axes) {
    return fmt::format("{}x{}", axes.h, axes.w);
}

std::string text_of(const std::array<float, 3>& colour) {
    return fmt::format("{},{},{}", colour[0], colour[1], colour[2]);
}

std::string text_of(const TensorDesc& desc) {
    const std::string shape = to_string(desc.shape);
    if (desc.kind == ValueKind::Labels) return "labels " + shape;
    if (desc.kind == ValueKind::Pixels) return "pixels " + shape;
    return shape;
}

/// As short as it is exact: "1", "1x2" (rows and columns), "0,1,0,1" (top, bottom, left, right).
std::string text_of(const Padding& pad) {
    if (pad == pad_all(pad.top, pad.top)) return fmt::format("{}", pad.top);
    if (pad == pad_all(pad.top, pad.left)) return fmt::format("{}x{}", pad.top, pad.left);
    return fmt::format("{},{},{},{}", pad.top, pad.bottom, pad.left, pad.right);
}

const char* text_of(PixelFormat format) {
    switch (format) {
        case PixelFormat::RGB8:
            return "rgb8";
        case PixelFormat::BGR8:
            return "bgr8";
        case PixelFormat::RGBA8:
            return "rgba8";
        case PixelFormat::BGRA8:
            return "bgra8";
        case PixelFormat::Image:
            return "image";
    }
    return "?";
}

std::string text_of(const TexelReading& texels) {
    return fmt::format("{}{}", texels.linear ? "linear" : "encoded", texels.rounded ? "" : " unrounded");
}

/// Attributes of one node in the order of the struct, those at their default left out.
class Attributes {
public:
    explicit Attributes(const Graph& graph) : graph_(graph) {}

    [[nodiscard]] const std::string& text() const { return text_; }

    void operator()(const Conv2d& op) {
        weight(op.weight);
        constant("bias", op.bias);
        window(op.stride, op.dilation, op.padding);
        put_unless(op.groups == 1, "groups", op.groups);
    }
    void operator()(const ConvTranspose2d& op) {
        weight(op.weight);
        constant("bias", op.bias);
        window(op.stride, op.dilation, op.padding);
        put_unless(op.output_padding == Axes{0, 0}, "output_padding", text_of(op.output_padding));
        put_unless(op.groups == 1, "groups", op.groups);
    }
    void operator()(const BatchNorm& op) {
        constant("gamma", op.gamma);
        constant("beta", op.beta);
        constant("mean", op.mean);
        constant("variance", op.variance);
        put_unless(op.eps == 1e-5f, "eps", op.eps);
    }
    void operator()(const ScaleShift& op) {
        constant("scale", op.scale);
        constant("shift", op.shift);
    }
    void operator()(const Relu&) {}
    void operator()(const PRelu& op) { constant("slope", op.slope); }
    void operator()(const Sigmoid&) {}
    void operator()(const Softmax&) {}
    void operator()(const Linear& op) {
        weight(op.weight);
        constant("bias", op.bias);
    }
    void operator()(const Add&) {}
    void operator()(const Multiply&) {}
    void operator()(const Slice& op) {
        put("begin", op.begin);
        put("count", op.count);
    }
    void operator()(const ChannelShuffle& op) { put("groups", op.groups); }
    void operator()(const AdaptiveAvgPool2d& op) { size(op.size); }
    void operator()(const Identity&) {}
    void operator()(const Concat&) {}
    void operator()(const Pool2d& op) {
        word(op.kind == Pool2d::Kind::Max ? "max" : "average");
        put("kernel", text_of(op.kernel));
        put_unless(op.stride == Axes{}, "stride", text_of(op.stride));
        const Padding pad = pad_all(op.padding.h, op.padding.w);
        put_unless(pad == Padding{}, "pad", text_of(pad));
        put_unless(op.count_include_pad, "count_include_pad", "false");
        put_unless(!op.ceil_mode, "ceil_mode", "true");
    }
    void operator()(const Resize& op) {
        if (op.mode == Resize::Mode::Bilinear) word("bilinear");
        if (op.mode == Resize::Mode::BilinearAligned) word("bilinear_aligned");
        if (op.mode == Resize::Mode::Nearest) word("nearest");
        size(op.size);
    }
    void operator()(const ImageToTensor& op) {
        put_unless(op.format == PixelFormat::RGB8, "format", text_of(op.format));
        put_unless(op.texels == TexelReading{}, "texels", text_of(op.texels));
        put_unless(!op.bgr, "bgr", "true");
        put_unless(op.subtract == std::array<float, 3>{0, 0, 0}, "subtract", text_of(op.subtract));
        put_unless(op.multiply == std::array<float, 3>{1, 1, 1}, "multiply", text_of(op.multiply));
        size(op.size);
    }
    void operator()(const Argmax& op) { scores(op.sampling, op.size); }
    void operator()(const Confidence& op) { scores(op.sampling, op.size); }
    void operator()(const Colourise& op) {
        put_unless(op.opacity == 256, "opacity", op.opacity);
        put_unless(op.format == PixelFormat::RGB8, "format", text_of(op.format));
        put_unless(op.texels == TexelReading{}, "texels", text_of(op.texels));
        put_unless(!op.blue_first, "blue_first", "true");
    }

    void epilogue(const Epilogue& epilogue, const std::vector<ValueId>& inputs) {
        if (epilogue.empty()) return;
        word("+");
        if (epilogue.add) word(fmt::format("add(%{})", inputs.empty() ? no_value : inputs.back()));
        if (epilogue.scale != no_constant) {
            word(fmt::format("scale_shift({}, {})", name(epilogue.scale), name(epilogue.shift)));
        }
        if (epilogue.activation == Epilogue::Activation::Relu) word("relu");
        if (epilogue.activation == Epilogue::Activation::Sigmoid) word("sigmoid");
        if (epilogue.activation == Epilogue::Activation::PRelu) word(fmt::format("prelu({})", name(epilogue.slope)));
    }

private:
    void word(std::string_view text) { text_ += fmt::format(" {}", text); }
    template <typename T>
    void put(const char* key, const T& value) {
        text_ += fmt::format(" {}={}", key, value);
    }
    template <typename T>
    void put_unless(bool is_default, const char* key, const T& value) {
        if (!is_default) put(key, value);
    }

    /// Broken graphs must print too: that is when people look.
    [[nodiscard]] const Constant* find(ConstId id) const {
        return id >= 0 && static_cast<size_t>(id) < graph_.constants.size() ? &graph_.constants[static_cast<size_t>(id)]
                                                                            : nullptr;
    }
    [[nodiscard]] std::string name(ConstId id) const {
        const Constant* constant = find(id);
        return constant ? constant->name : "missing";
    }
    void constant(const char* key, ConstId id) {
        if (id != no_constant) put(key, name(id));
    }
    /// With its shape, which tells the kernel too.
    void weight(ConstId id) {
        const Constant* constant = find(id);
        put("weight", constant ? constant->name + ":" + to_string(constant->tensor->shape) : "missing");
    }
    void window(Axes stride, Axes dilation, const Padding& padding) {
        put_unless(stride == Axes{}, "stride", text_of(stride));
        put_unless(dilation == Axes{}, "dilation", text_of(dilation));
        put_unless(padding == Padding{}, "pad", text_of(padding));
    }
    void scores(Sampling sampling, const SizeRule& rule) {
        word(sampling == Sampling::Nearest    ? "nearest"
             : sampling == Sampling::Bilinear ? "bilinear"
                                              : "bilinear_aligned");
        size(rule);
    }
    void size(const SizeRule& rule) {
        switch (rule.kind) {
            case SizeRule::Kind::Fixed:
                return put("size", text_of(rule.fixed));
            case SizeRule::Kind::LikeOperand:
                return put("size", "like_operand");
            case SizeRule::Kind::Scaled:
                put("scale", rule.scale);
                put_unless(rule.rounding == SizeRule::Rounding::Floor, "rounding", "ceil");
                put_unless(rule.minimum == 1, "minimum", rule.minimum);
        }
    }

    const Graph& graph_;
    std::string text_;
};

std::string node_line(const Graph& graph, const Node& node) {
    std::string operands;
    const size_t own = node.inputs.size() - (node.epilogue.add && !node.inputs.empty() ? 1 : 0);
    for (size_t i = 0; i < own; ++i) operands += fmt::format("{}%{}", i ? ", " : "", node.inputs[i]);
    Attributes attributes(graph);
    std::visit(attributes, node.op);
    attributes.epilogue(node.epilogue, node.inputs);
    return fmt::format("%{} = {}({}){} : {}  \"{}\"\n", node.output, op_name(node.op), operands, attributes.text(),
                       text_of(graph.desc(node.output)), node.name);
}

}  // namespace

std::string to_string(const Graph& graph) {
    std::string text;
    for (ValueId id : graph.inputs) {
        const Value& value = graph.values.at(static_cast<size_t>(id));
        text += fmt::format("%{} = input : {}  \"{}\"\n", id, text_of(value.desc), value.name);
    }
    for (const Node& node : graph.nodes) text += node_line(graph, node);
    if (graph.outputs.empty()) return text;
    text += "output";
    for (size_t i = 0; i < graph.outputs.size(); ++i) text += fmt::format("{} %{}", i ? "," : "", graph.outputs[i]);
    return text + "\n";
}

}  // namespace vkseg
