#pragma once

#include "graph/ir/graph.hpp"

#include <functional>
#include <span>

// What every operation must have: a shape rule and a CPU reference. `rules.cpp` visits the variant and calls these
// overloads, so an operation without them does not compile.

namespace vkseg {

/// A value in host memory: features as float32 {C, H, W}; labels and pixels as bytes.
struct HostValue {
    TensorDesc desc;
    std::vector<float> floats;
    std::vector<uint8_t> bytes;
};

using Operands = std::span<const TensorDesc>;
using HostOperands = std::span<const HostValue* const>;

// Shape rules: operand descriptions (without the epilogue's operand) to the result's. Throw `Error` with the reason;
// the caller adds the node's name.
TensorDesc infer(const Conv2d&, const Graph&, Operands);
TensorDesc infer(const ConvTranspose2d&, const Graph&, Operands);
TensorDesc infer(const BatchNorm&, const Graph&, Operands);
TensorDesc infer(const ScaleShift&, const Graph&, Operands);
TensorDesc infer(const Relu&, const Graph&, Operands);
TensorDesc infer(const PRelu&, const Graph&, Operands);
TensorDesc infer(const Add&, const Graph&, Operands);
TensorDesc infer(const Identity&, const Graph&, Operands);
TensorDesc infer(const Concat&, const Graph&, Operands);
TensorDesc infer(const Pool2d&, const Graph&, Operands);
TensorDesc infer(const Resize&, const Graph&, Operands);
TensorDesc infer(const ImageToTensor&, const Graph&, Operands);
TensorDesc infer(const Argmax&, const Graph&, Operands);
TensorDesc infer(const Confidence&, const Graph&, Operands);
TensorDesc infer(const Colourise&, const Graph&, Operands);
TensorDesc infer(const Sigmoid&, const Graph&, Operands);
TensorDesc infer(const Multiply&, const Graph&, Operands);
TensorDesc infer(const Slice&, const Graph&, Operands);
TensorDesc infer(const ChannelShuffle&, const Graph&, Operands);
TensorDesc infer(const Linear&, const Graph&, Operands);
TensorDesc infer(const Softmax&, const Graph&, Operands);
TensorDesc infer(const AdaptiveAvgPool2d&, const Graph&, Operands);

// CPU references: plain loops, sums in double. `result.desc` is set and its storage allocated by the caller.
void reference(const Conv2d&, const Graph&, HostOperands, HostValue& result);
void reference(const ConvTranspose2d&, const Graph&, HostOperands, HostValue& result);
void reference(const BatchNorm&, const Graph&, HostOperands, HostValue& result);
void reference(const ScaleShift&, const Graph&, HostOperands, HostValue& result);
void reference(const Relu&, const Graph&, HostOperands, HostValue& result);
void reference(const PRelu&, const Graph&, HostOperands, HostValue& result);
void reference(const Add&, const Graph&, HostOperands, HostValue& result);
void reference(const Identity&, const Graph&, HostOperands, HostValue& result);
void reference(const Concat&, const Graph&, HostOperands, HostValue& result);
void reference(const Pool2d&, const Graph&, HostOperands, HostValue& result);
void reference(const Resize&, const Graph&, HostOperands, HostValue& result);
void reference(const ImageToTensor&, const Graph&, HostOperands, HostValue& result);
void reference(const Argmax&, const Graph&, HostOperands, HostValue& result);
void reference(const Confidence&, const Graph&, HostOperands, HostValue& result);
void reference(const Colourise&, const Graph&, HostOperands, HostValue& result);
void reference(const Sigmoid&, const Graph&, HostOperands, HostValue& result);
void reference(const Multiply&, const Graph&, HostOperands, HostValue& result);
void reference(const Slice&, const Graph&, HostOperands, HostValue& result);
void reference(const ChannelShuffle&, const Graph&, HostOperands, HostValue& result);
void reference(const Linear&, const Graph&, HostOperands, HostValue& result);
void reference(const Softmax&, const Graph&, HostOperands, HostValue& result);
void reference(const AdaptiveAvgPool2d&, const Graph&, HostOperands, HostValue& result);

/// Shape rule of a whole node (operation and epilogue).
[[nodiscard]] TensorDesc infer(const Node& node, const Graph& graph, Operands operands);
/// Reference of a whole node (operation, then epilogue).
[[nodiscard]] HostValue reference(const Node& node, const Graph& graph, HostOperands operands);

/// Whether the operation may have an epilogue.
[[nodiscard]] bool carries_epilogue(const Op& op);
/// Whether that epilogue may add an operand: a product already reads its second operand where a sum would.
[[nodiscard]] bool carries_added_operand(const Op& op);

/// Multiply-adds of one node at its current shapes.
[[nodiscard]] uint64_t count_macs(const Node& node, const Graph& graph);

/// Runs the whole graph on the CPU: what `--device reference` does. Values are freed after their last use.
/// `inputs` in the order of `graph.inputs`; the results in the order of `graph.outputs`. `observer`, when given, sees
/// every node's result.
[[nodiscard]] std::vector<HostValue> run_reference(
    const Graph& graph, std::span<const HostValue> inputs,
    const std::function<void(const Node&, const HostValue&)>& observer = {});

}  // namespace vkseg
