"""PyTorch, run as its users run it: eager, channels last in fp16, a captured CUDA graph, torch.compile."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from network import Unsupported


def parameter(network, node, attribute):
    values = network.tensor(node, attribute)
    return None if values is None else nn.Parameter(torch.from_numpy(values.copy()), requires_grad=False)


class Layer(nn.Module):
    """A node with tensors. Those without are functions."""

    def __init__(self, network, node):
        super().__init__()
        self.attributes = node.attributes
        for name in ("weight", "bias", "running_mean", "running_var", "scale", "shift"):
            self.register_parameter(name, parameter(network, node, name))


class Convolution(Layer):
    def __init__(self, network, node):
        super().__init__(network, node)
        top, bottom, left, right = self.attributes["padding"]
        self.padding = (top, left)
        # PyTorch's convolutions pad both sides alike.
        self.pad_first = (left, right, top, bottom) if (top, left) != (bottom, right) else None

    def forward(self, x):
        a = self.attributes
        if self.pad_first:
            x = functional.pad(x, self.pad_first)
        return functional.conv2d(x, self.weight, self.bias, a["stride"], 0 if self.pad_first else self.padding,
                                 a["dilation"], a["groups"])  # fmt: skip


class Deconvolution(Layer):
    def forward(self, x):
        a = self.attributes
        top, bottom, left, right = a["padding"]
        if (top, left) != (bottom, right):
            raise Unsupported("PyTorch's transposed convolutions crop both sides alike")
        return functional.conv_transpose2d(x, self.weight, self.bias, a["stride"], (top, left), a["output_padding"],
                                           a["groups"], a["dilation"])  # fmt: skip


class BatchNorm(Layer):
    def forward(self, x):
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0,
                                     self.attributes["eps"])  # fmt: skip


class ScaleShift(Layer):
    def forward(self, x):
        return x * self.scale[:, None, None] + self.shift[:, None, None]


class PRelu(Layer):
    def forward(self, x):
        return functional.prelu(x, self.weight)


class Linear(Layer):
    def forward(self, x):
        return functional.linear(x.flatten(1), self.weight, self.bias)[:, :, None, None]


LAYERS = {"conv2d": Convolution, "conv_transpose2d": Deconvolution, "batch_norm": BatchNorm, "scale_shift": ScaleShift,
          "prelu": PRelu, "linear": Linear}  # fmt: skip


def pool(node):
    a = node.attributes
    if a["kind"] == "max":
        return lambda x: functional.max_pool2d(x, a["kernel_size"], a["stride"], a["padding"], ceil_mode=a["ceil_mode"])
    return lambda x: functional.avg_pool2d(x, a["kernel_size"], a["stride"], a["padding"], a["ceil_mode"],
                                           a["count_include_pad"])  # fmt: skip


def resize(node):
    size, a = list(node.shape[1:]), node.attributes
    corners = a["align_corners"] if a["mode"] == "bilinear" else None
    # A second operand gives the size alone, which is known here.
    return lambda x, *_: functional.interpolate(x, size, mode=a["mode"], align_corners=corners)


def function_of(node):
    a = node.attributes
    makers = {
        "relu": lambda: functional.relu,
        "sigmoid": lambda: torch.sigmoid,
        "softmax": lambda: lambda x: torch.softmax(x, 1),
        "identity": lambda: lambda x: x,
        "add": lambda: torch.add,
        "multiply": lambda: torch.mul,
        "concat": lambda: lambda *parts: torch.cat(parts, 1),
        "slice": lambda: lambda x: x[:, a["begin"] : a["begin"] + a["count"]],
        "channel_shuffle": lambda: lambda x: functional.channel_shuffle(x, a["groups"]),
        "pool2d": lambda: pool(node),
        "adaptive_avg_pool2d": lambda: lambda x, *_: functional.adaptive_avg_pool2d(x, list(node.shape[1:])),
        "resize": lambda: resize(node),
    }
    if node.op not in makers:
        raise Unsupported(f"no form of the operation '{node.op}' for PyTorch")
    return makers[node.op]()


class Graph(nn.Module):
    """Runs the nodes in order, and lets go of each value after its last use, as a forward() of one's own does."""

    def __init__(self, network):
        super().__init__()
        self.layers = nn.ModuleList()
        self.steps = []
        last_use = {value: i for i, node in enumerate(network.nodes) for value in node.inputs}
        for i, node in enumerate(network.nodes):
            if node.op in LAYERS:
                self.layers.append(LAYERS[node.op](network, node))
                run = self.layers[-1]
            else:
                run = function_of(node)
            freed = [v for v in set(node.inputs) if last_use[v] == i and v != network.output]
            self.steps.append((run, node.inputs, node.output, freed))
        self.input, self.output = network.input, network.output

    def forward(self, x):
        values = {self.input: x}
        for run, inputs, output, freed in self.steps:
            values[output] = run(*[values[i] for i in inputs])
            for value in freed:
                del values[value]
        return values[self.output]


class TorchPeer:
    """`form` is eager, channels-last, cuda-graph or compile."""

    def __init__(self, form, precision, threads):
        self.form = form
        cuda = torch.cuda.is_available()
        if form == "cuda-graph" and not cuda:
            raise Unsupported("needs a GPU with CUDA")
        if precision == "fp16" and not cuda:
            raise Unsupported("fp16 is for a GPU with CUDA")
        torch.set_num_threads(threads)
        self.device = torch.device("cuda" if cuda else "cpu")
        self.type = torch.float16 if precision == "fp16" else torch.float32
        self.layout = torch.channels_last if form == "channels-last" else torch.contiguous_format
        if cuda:
            # The figures of fp32 are of fp32.
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cudnn.benchmark = True

    @property
    def version(self):
        return torch.__version__

    @property
    def where(self):
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(), f"CUDA {torch.version.cuda}"
        return f"CPU, {torch.get_num_threads()} threads", "oneDNN" if torch.backends.mkldnn.is_available() else ""

    def load(self, network, _folder):
        module = Graph(network).eval().to(self.device, self.type, memory_format=self.layout)
        self.module = torch.compile(module) if self.form == "compile" else module
        self.input = torch.empty((1, *network.input_shape), dtype=self.type, device=self.device)
        self.input = self.input.to(memory_format=self.layout)
        self.graph = None

    @torch.inference_mode()
    def run(self, picture):
        """Host floats to host floats, and, on a GPU, milliseconds of the network alone."""
        start = time.perf_counter()
        self.input.copy_(torch.from_numpy(picture)[None])
        if self.device.type == "cpu":
            result = self.module(self.input)
            return result[0].float().numpy(), (time.perf_counter() - start) * 1e3, None
        if self.form == "cuda-graph" and self.graph is None:
            self.capture()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        if self.graph:
            self.graph.replay()
            result = self.result
        else:
            result = self.module(self.input)
        end.record()
        scores = result[0].float().contiguous().cpu().numpy()
        elapsed = (time.perf_counter() - start) * 1e3
        return scores, elapsed, begin.elapsed_time(end)

    def capture(self):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.module(self.input)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.result = self.module(self.input)

    def device_memory_bytes(self):
        return torch.cuda.max_memory_allocated() if self.device.type == "cuda" else None
