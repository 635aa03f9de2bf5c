"""A network in ncnn's text and binary form, with what its own optimiser would fold folded."""

import struct

import numpy as np

from network import Unsupported, batch_norm_scale


class Writer:
    def __init__(self, network):
        self.network = network
        self.shapes = network.shapes()
        self.uses = network.uses()
        self.readers = {node.inputs[0]: node for node in network.nodes}
        # kind, operands, result, parameters
        self.layers = []
        self.binary = bytearray()
        # Value of the network -> value of a layer here that holds it.
        self.held = {network.input: "data"}
        self.folded = set()

    def emit(self, node, kind, parameters="", inputs=None, output=None):
        operands = [self.held[i] for i in node.inputs] if inputs is None else inputs
        result = output or f"v{node.output}"
        self.layers.append((kind, operands, result, parameters))
        self.held[node.output] = result

    def floats(self, *arrays):
        for values in arrays:
            self.binary += np.ascontiguousarray(values, np.float32).tobytes()

    def write(self, node):
        if node.output in self.folded:
            return
        form = getattr(self, node.op, None)
        if form is None:
            raise Unsupported(f"no form of the operation '{node.op}' for ncnn")
        form(node)

    def fold_batch_norm(self, node, weight, bias, axis):
        """Into a convolution whose result nothing else reads."""
        after = self.readers.get(node.output)
        if self.uses[node.output] != 1 or after is None or after.op not in ("batch_norm", "scale_shift"):
            return node, weight, bias
        scale, shift = batch_norm_scale(self.network, after)
        extents = [1] * 4
        extents[axis] = -1
        groups = node.attributes["groups"]
        if axis == 1 and groups > 1:
            return node, weight, bias
        self.folded.add(after.output)
        return after, weight * scale.reshape(extents), shift + (0 if bias is None else bias * scale)

    def weighted(self, node, kind, weight, bias, channels, target, extra=""):
        a = node.attributes
        top, bottom, left, right = a["padding"]
        kernel, stride, dilation, groups = weight.shape[2:], a["stride"], a["dilation"], a["groups"]
        self.binary += struct.pack("<I", 0)
        self.floats(weight)
        if bias is not None:
            self.floats(bias)
        grouped = f"7={groups}" if groups > 1 else ""
        operands = [self.held[i] for i in node.inputs]
        self.emit(target, kind.replace("+", "DepthWise" if groups > 1 else ""),
                  f"0={channels} 1={kernel[1]} 11={kernel[0]} 2={dilation[1]} 12={dilation[0]} 3={stride[1]} 13={stride[0]} "
                  f"4={left} 15={right} 14={top} 16={bottom} 5={int(bias is not None)} 6={weight.size} {grouped} {extra}",
                  operands)  # fmt: skip

    def conv2d(self, node):
        weight, bias = self.network.tensor(node, "weight"), self.network.tensor(node, "bias")
        target, weight, bias = self.fold_batch_norm(node, weight, bias, 0)
        self.weighted(node, "Convolution+", weight, bias, weight.shape[0], target)

    def conv_transpose2d(self, node):
        weight, bias = self.network.tensor(node, "weight"), self.network.tensor(node, "bias")
        target, weight, bias = self.fold_batch_norm(node, weight, bias, 1)
        groups, channels = node.attributes["groups"], node.shape[0]
        # ncnn keeps outputs first, group by group.
        weight = weight.reshape(groups, -1, *weight.shape[1:]).transpose(0, 2, 1, 3, 4)
        weight = weight.reshape(channels, -1, *weight.shape[3:])
        bottom, right = node.attributes["output_padding"]
        self.weighted(node, "Deconvolution+", weight, bias, channels, target, f"18={right} 19={bottom}")

    def batch_norm(self, node):
        parts = [self.network.tensor(node, n) for n in ("weight", "running_mean", "running_var", "bias")]
        self.floats(*parts)
        self.emit(node, "BatchNorm", f"0={parts[0].size} 1={node.attributes['eps']}")

    def scale_shift(self, node):
        scale, shift = batch_norm_scale(self.network, node)
        self.floats(scale, shift)
        self.emit(node, "Scale", f"0={scale.size} 1=1")

    def prelu(self, node):
        slope = self.network.tensor(node, "weight")
        self.floats(slope)
        self.emit(node, "PReLU", f"0={slope.size}")

    def linear(self, node):
        weight, bias = self.network.tensor(node, "weight"), self.network.tensor(node, "bias")
        self.binary += struct.pack("<I", 0)
        self.floats(weight, *([] if bias is None else [bias]))
        row = f"v{node.output}_row"
        self.emit(node, "InnerProduct", f"0={weight.shape[0]} 1={int(bias is not None)} 2={weight.size}", output=row)
        self.emit(node, "Reshape", f"0=1 1=1 2={weight.shape[0]}", [row])

    def relu(self, node):
        self.emit(node, "ReLU")

    def sigmoid(self, node):
        self.emit(node, "Sigmoid")

    def softmax(self, node):
        self.emit(node, "Softmax", "0=0 1=1")

    def identity(self, node):
        self.emit(node, "Noop")

    def add(self, node):
        self.emit(node, "BinaryOp", "0=0")

    def multiply(self, node):
        self.emit(node, "BinaryOp", "0=2")

    def concat(self, node):
        self.emit(node, "Concat", "0=0")

    def slice(self, node):
        begin = node.attributes["begin"]
        self.emit(node, "Crop", f"-23309=1,{begin} -23310=1,{begin + node.attributes['count']} -23311=1,0")

    def channel_shuffle(self, node):
        self.emit(node, "ShuffleChannel", f"0={node.attributes['groups']}")

    def pool2d(self, node):
        a = node.attributes
        (kh, kw), (sh, sw), (ph, pw) = a["kernel_size"], a["stride"], a["padding"]
        self.emit(node, "Pooling", f"0={int(a['kind'] == 'average')} 1={kw} 11={kh} 2={sw} 12={sh} 3={pw} 14={pw} 13={ph} "
                                   f"15={ph} 5={0 if a['ceil_mode'] else 1} 6={int(a['count_include_pad'])}")  # fmt: skip

    def adaptive_avg_pool2d(self, node):
        rows, columns = node.shape[1:]
        self.emit(node, "Pooling", f"0=1 7=1 8={columns} 18={rows}", [self.held[node.inputs[0]]])

    def resize(self, node):
        a = node.attributes
        kind = 1 if a["mode"] == "nearest" else 2
        self.emit(node, "Interp", f"0={kind} 3={node.shape[1]} 4={node.shape[2]} 6={int(a['align_corners'])}",
                  [self.held[node.inputs[0]]])  # fmt: skip

    def text(self):
        """A value that is read more than once gets a Split, and each reader a copy of its own."""
        result = self.held[self.network.output]
        readers = {}
        for _, operands, _, _ in self.layers:
            for value in operands:
                readers[value] = readers.get(value, 0) + 1
        lines, values, taken = ["Input data 0 1 data"], 1, {}

        def split(value):
            nonlocal values
            if readers.get(value, 0) > 1:
                copies = " ".join(f"{value}_{i}" for i in range(readers[value]))
                lines.append(f"Split split_{value} 1 {readers[value]} {value} {copies}")
                values += readers[value]

        def name(value):
            if readers[value] == 1:
                return value
            taken[value] = taken.get(value, -1) + 1
            return f"{value}_{taken[value]}"

        split("data")
        for kind, operands, output, parameters in self.layers:
            shown = "out" if output == result else output
            lines.append(f"{kind} {kind}_{output} {len(operands)} 1 {' '.join(map(name, operands))} {shown} {parameters}")
            values += 1
            split(output)
        return "\n".join(["7767517", f"{len(lines)} {values}", *lines]) + "\n"


def save(network, folder):
    writer = Writer(network)
    for node in network.nodes:
        writer.write(node)
    if writer.uses[network.output] != 1:
        raise Unsupported("the network reads its own result")
    (folder / "net.param").write_text(writer.text())
    (folder / "net.bin").write_bytes(writer.binary)
    return folder / "net.param", folder / "net.bin"
