"""Reads what `vkseg export` writes: a network as it was published, operation by operation, with its tensors."""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FORMAT = "vkseg graph 1"


class Unsupported(Exception):
    """A peer cannot run this network, or is not there; the text says why."""


@dataclass
class Node:
    op: str
    name: str
    inputs: list
    output: int
    # C, H, W
    shape: tuple
    attributes: dict


@dataclass
class Network:
    name: str
    nodes: list
    input: int
    output: int
    # C, H, W
    input_shape: tuple
    tensors: dict = field(repr=False)

    def tensor(self, node, attribute):
        """None where the node has no such tensor."""
        name = node.attributes.get(attribute)
        return None if name is None else self.tensors[name]

    def shapes(self):
        return {self.input: self.input_shape, **{node.output: node.shape for node in self.nodes}}

    def uses(self):
        """How often each value is read, the result counting as read once."""
        counts = {self.output: 1}
        for node in self.nodes:
            for value in node.inputs:
                counts[value] = counts.get(value, 0) + 1
        return counts


def read_safetensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data, np.float32, offset=8 + length + entry["data_offsets"][0],
                                count=int(np.prod(entry["shape"]))).reshape(entry["shape"])
            for name, entry in header.items()}  # fmt: skip


def read(path):
    path = Path(path)
    description = json.loads(path.read_text())
    if description.get("format") != FORMAT:
        raise ValueError(f"'{path}': expected the format '{FORMAT}', found '{description.get('format')}'")
    nodes = [Node(n["op"], n["name"], n["inputs"], n["output"], tuple(n["shape"]), n["attributes"])
             for n in description["nodes"]]  # fmt: skip
    return Network(description["network"], nodes, description["inputs"][0], description["outputs"][0],
                   tuple(description["input_shape"]), read_safetensors(path.parent / description["weights"]))  # fmt: skip


def batch_norm_scale(network, node):
    """(scale, shift) per channel of a batch_norm or scale_shift node."""
    if node.op == "scale_shift":
        return network.tensor(node, "scale"), network.tensor(node, "shift")
    weight, bias, mean, variance = (network.tensor(node, n) for n in ("weight", "bias", "running_mean", "running_var"))
    scale = weight / np.sqrt(variance + np.float32(node.attributes["eps"]))
    return scale, bias - mean * scale
