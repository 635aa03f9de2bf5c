"""The engines that a comparison may hold. Each is a class with `load`, `run`, `where`, `version` and
`device_memory_bytes`, in a module that is imported in a process of its own: they bring libraries that do not like each
other, and memory is counted per process."""

import re
from dataclasses import dataclass


def is_device(name, wanted):
    """Whether an engine's device is vkseg's: it may write the driver behind the name, and Mesa's CPU driver writes how
    wide the vectors are that each process asks it for."""
    without_width = [re.sub(r", \d+ bits\)", ")", text) for text in (name, wanted)]
    return without_width[0].startswith(without_width[1])


@dataclass(frozen=True)
class Kind:
    title: str
    # What the import needs, for whoever lacks it.
    packages: tuple
    module: str
    type: str
    form: str = ""
    precisions: tuple = ("fp32",)
    wants_device: bool = False


KINDS = {
    "torch": Kind("PyTorch eager", ("torch",), "torch_peer", "TorchPeer", "eager", ("fp32", "fp16")),
    "torch-channels-last": Kind("PyTorch channels last", ("torch",), "torch_peer", "TorchPeer", "channels-last",
                                ("fp32", "fp16")),
    "torch-cuda-graph": Kind("PyTorch CUDA graph", ("torch",), "torch_peer", "TorchPeer", "cuda-graph",
                             ("fp32", "fp16")),
    "torch-compile": Kind("torch.compile", ("torch",), "torch_peer", "TorchPeer", "compile", ("fp32", "fp16")),
    "tensorrt": Kind("TensorRT", ("tensorrt", "torch", "onnx"), "onnx_peers", "TensorRtPeer", "", ("fp32", "fp16")),
    "onnxruntime": Kind("ONNX Runtime", ("onnxruntime", "onnx"), "onnx_peers", "OnnxRuntimePeer"),
    "ncnn-vulkan": Kind("ncnn, Vulkan", ("ncnn",), "ncnn_peer", "NcnnPeer", "vulkan", ("fp32", "fp16"), True),
    "ncnn-cpu": Kind("ncnn, CPU", ("ncnn",), "ncnn_peer", "NcnnPeer", "cpu", ("fp32",), True),
    "mnn": Kind("MNN, CPU", ("MNN", "onnx"), "onnx_peers", "MnnPeer"),
    "iree-vulkan": Kind("IREE, Vulkan", ("iree.compiler", "iree.runtime", "onnx"), "onnx_peers", "IreePeer", "vulkan",
                        ("fp32",), True),
    "iree-cpu": Kind("IREE, CPU", ("iree.compiler", "iree.runtime", "onnx"), "onnx_peers", "IreePeer", "cpu", ("fp32",),
                     True),
}  # fmt: skip
