#pragma once

#include "graph/ir/tensor.hpp"
#include "graph/ops/ops.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkseg {

using ValueId = int32_t;
constexpr ValueId no_value = -1;

/// What a value is: its logical shape and type only. Memory layout belongs to the plan.
enum class ValueKind : uint8_t {
    /// float, {C, H, W}
    Features,
    /// 8-bit class indices or 8-bit probabilities, {1, H, W}
    Labels,
    /// 8-bit interleaved pixels, {H, W, bytes per pixel}
    Pixels,
};

struct TensorDesc {
    ValueKind kind = ValueKind::Features;
    Shape shape;

    [[nodiscard]] int channels() const;
    [[nodiscard]] int height() const;
    [[nodiscard]] int width() const;
    /// Size of the host's form of the value: float32 for features, one byte per element else.
    [[nodiscard]] uint64_t host_size_bytes() const;
    bool operator==(const TensorDesc&) const = default;
};

struct Value {
    TensorDesc desc;
    std::string name;
};

/// One operation. Its meaning is `op`, then `epilogue`, applied to the operands; an epilogue with `add` takes its
/// second term from the last operand.
struct Node {
    Op op;
    std::vector<ValueId> inputs;
    ValueId output = no_value;
    Epilogue epilogue;
    /// Layer path as in the checkpoint, e.g. "encoder.level2.0.d4".
    std::string name;
};

/// A trained tensor that nodes refer to by index.
struct Constant {
    std::string name;
    std::shared_ptr<const Tensor> tensor;
};

/// A network as data: nodes in execution order, each making one value. Copies share the constants.
/// Shapes are those of the current input size; `set_input_size` derives them anew.
class Graph {
public:
    std::vector<Value> values;
    std::vector<Node> nodes;
    std::vector<Constant> constants;
    /// Values that the host provides, in order.
    std::vector<ValueId> inputs;
    /// Values that the host receives, in order.
    std::vector<ValueId> outputs;

    ValueId add_input(std::string name, TensorDesc desc);
    /// Appends a node and derives the shape of its value. Throws `Error` naming the node when shapes do not fit.
    ValueId add(std::string name, Op op, std::vector<ValueId> operands);
    ConstId add_constant(std::string name, Tensor tensor);

    [[nodiscard]] const Tensor& constant(ConstId id) const { return *constants.at(static_cast<size_t>(id)).tensor; }
    [[nodiscard]] const TensorDesc& desc(ValueId id) const { return values.at(static_cast<size_t>(id)).desc; }
    /// Index of the node that makes each value, -1 for inputs.
    [[nodiscard]] std::vector<int> producers() const;
    /// Number of uses of each value: operands and outputs.
    [[nodiscard]] std::vector<int> use_counts() const;

    /// Gives input `index` a new height and width and derives every shape anew. Throws `Error` naming the node that
    /// cannot take the size; the graph is then as before.
    void set_input_size(int width, int height, size_t index = 0);
    void infer_shapes();
};

/// One line per node; the form that tests compare.
[[nodiscard]] std::string to_string(const Graph& graph);

/// Throws `std::logic_error` when the graph breaks an invariant: operands defined before use, one producer per
/// value, constants in range with shapes that fit, shapes equal to what the shape rules give. `after` names the pass.
void verify(const Graph& graph, std::string_view after);

/// Multiply-adds of every convolution, transposed convolution and linear layer, at batch 1.
[[nodiscard]] uint64_t count_macs(const Graph& graph);

/// Nearest size that the graph can take, by distance in pixels; {width, height} itself when it can.
[[nodiscard]] std::array<int, 2> nearest_valid_size(const Graph& graph, int width, int height);
/// `set_input_size` of a network; a size that it cannot take is refused with the nearest that it can.
void set_network_size(Graph& graph, std::string_view name, int width, int height);

}  // namespace vkseg
