"""A network as ONNX: what ONNX Runtime, TensorRT, MNN and IREE read."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from network import Unsupported, batch_norm_scale

OPSET = 17


class Writer:
    def __init__(self, network):
        self.network = network
        self.shapes = network.shapes()
        self.nodes, self.tensors = [], {}

    def value(self, i):
        return {self.network.input: "input", self.network.output: "output"}.get(i, f"v{i}")

    def tensor(self, name, values):
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def constants(self, node, *attributes):
        return [self.tensor(node.attributes[a], self.network.tensor(node, a)) for a in attributes if a in node.attributes]

    def emit(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def write(self, node):
        form = getattr(self, node.op, None)
        if form is None:
            raise Unsupported(f"no form of the operation '{node.op}' in ONNX")
        form(node, [self.value(i) for i in node.inputs], self.value(node.output))

    def window(self, node):
        a = node.attributes
        top, bottom, left, right = a["padding"]
        return dict(strides=a["stride"], dilations=a["dilation"], group=a["groups"], pads=[top, left, bottom, right])

    def conv2d(self, node, x, y):
        self.emit("Conv", x + self.constants(node, "weight", "bias"), y, **self.window(node))

    def conv_transpose2d(self, node, x, y):
        self.emit("ConvTranspose", x + self.constants(node, "weight", "bias"), y,
                  output_padding=node.attributes["output_padding"], **self.window(node))  # fmt: skip

    def batch_norm(self, node, x, y):
        constants = self.constants(node, "weight", "bias", "running_mean", "running_var")
        self.emit("BatchNormalization", x + constants, y, epsilon=node.attributes["eps"])

    def scale_shift(self, node, x, y):
        scale, shift = (v.reshape(-1, 1, 1) for v in batch_norm_scale(self.network, node))
        self.emit("Mul", [*x, self.tensor(f"{y}.scale", scale)], f"{y}.scaled")
        self.emit("Add", [f"{y}.scaled", self.tensor(f"{y}.shift", shift)], y)

    def prelu(self, node, x, y):
        slope = self.network.tensor(node, "weight").reshape(-1, 1, 1)
        self.emit("PRelu", [*x, self.tensor(f"{node.attributes['weight']}.3d", slope)], y)

    def linear(self, node, x, y):
        self.emit("Flatten", x, f"{y}.flat", axis=1)
        self.emit("Gemm", [f"{y}.flat", *self.constants(node, "weight", "bias")], f"{y}.row", transB=1)
        self.emit("Reshape", [f"{y}.row", self.tensor(f"{y}.shape", np.array([1, *node.shape], np.int64))], y)

    def relu(self, node, x, y):
        self.emit("Relu", x, y)

    def sigmoid(self, node, x, y):
        self.emit("Sigmoid", x, y)

    def softmax(self, node, x, y):
        self.emit("Softmax", x, y, axis=1)

    def identity(self, node, x, y):
        self.emit("Identity", x, y)

    def add(self, node, x, y):
        self.emit("Add", x, y)

    def multiply(self, node, x, y):
        self.emit("Mul", x, y)

    def concat(self, node, x, y):
        self.emit("Concat", x, y, axis=1)

    def slice(self, node, x, y):
        begin = node.attributes["begin"]
        bounds = [self.tensor(f"{y}.{name}", np.array([v], np.int64))
                  for name, v in (("begin", begin), ("end", begin + node.attributes["count"]), ("axis", 1))]  # fmt: skip
        self.emit("Slice", x + bounds, y)

    def channel_shuffle(self, node, x, y):
        channels, height, width = node.shape
        groups = node.attributes["groups"]
        split = np.array([1, groups, channels // groups, height, width], np.int64)
        self.emit("Reshape", [*x, self.tensor(f"{y}.split", split)], f"{y}.groups")
        self.emit("Transpose", [f"{y}.groups"], f"{y}.turned", perm=[0, 2, 1, 3, 4])
        self.emit("Reshape", [f"{y}.turned", self.tensor(f"{y}.whole", np.array([1, *node.shape], np.int64))], y)

    def pool2d(self, node, x, y):
        a = node.attributes
        common = dict(kernel_shape=a["kernel_size"], strides=a["stride"], pads=a["padding"] * 2,
                      ceil_mode=int(a["ceil_mode"]))  # fmt: skip
        if a["kind"] == "max":
            self.emit("MaxPool", x, y, **common)
        else:
            self.emit("AveragePool", x, y, count_include_pad=int(a["count_include_pad"]), **common)

    def adaptive_avg_pool2d(self, node, x, y):
        """ONNX has no such operation: equal windows are an average pooling, others a product with the shares of each."""
        _, height, width = self.shapes[node.inputs[0]]
        rows, columns = node.shape[1:]
        if height % rows == 0 and width % columns == 0:
            window = [height // rows, width // columns]
            self.emit("AveragePool", x[:1], y, kernel_shape=window, strides=window)
            return
        left = self.tensor(f"shares.{height}.{rows}", shares(height, rows))
        right = self.tensor(f"shares.{width}.{columns}.t", shares(width, columns).T)
        self.emit("MatMul", [left, x[0]], f"{y}.rows")
        self.emit("MatMul", [f"{y}.rows", right], y)

    def resize(self, node, x, y):
        a = node.attributes
        size = self.tensor(f"{y}.size", np.array([1, *node.shape], np.int64))
        if a["mode"] == "nearest":
            mode = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        else:
            corners = "align_corners" if a["align_corners"] else "half_pixel"
            mode = dict(mode="linear", coordinate_transformation_mode=corners)
        self.emit("Resize", [x[0], "", "", size], y, **mode)


def shares(length, parts):
    """Row o holds what each input counts for in output o of an adaptive average pooling."""
    matrix = np.zeros((parts, length), np.float32)
    for o in range(parts):
        begin, end = o * length // parts, -(-(o + 1) * length // parts)
        matrix[o, begin:end] = 1 / (end - begin)
    return matrix


def to_onnx(network):
    writer = Writer(network)
    for node in network.nodes:
        writer.write(node)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])
              for name, shape in (("input", network.input_shape), ("output", writer.shapes[network.output]))]  # fmt: skip
    graph = helper.make_graph(writer.nodes, network.name, values[:1], values[1:], list(writer.tensors.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vkseg")
    # What the oldest of the peers still reads.
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def save(network, folder):
    file = folder / f"{network.name}.onnx"
    onnx.save(to_onnx(network), file)
    return file
