"""Engines that read ONNX: ONNX Runtime, TensorRT, MNN, IREE."""

import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from network import Unsupported
from peers import is_device, onnx_file


class OnnxRuntimePeer:
    def __init__(self, precision, threads):
        import onnxruntime

        if precision != "fp32":
            raise Unsupported("runs the network as it is given, in fp32")
        self.runtime = onnxruntime
        self.threads = threads

    @property
    def version(self):
        return self.runtime.__version__

    @property
    def where(self):
        provider = self.session.get_providers()[0]
        return ("CUDA" if "CUDA" in provider else f"CPU, {self.threads} threads"), provider

    def load(self, network, folder):
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        offered = self.runtime.get_available_providers()
        providers = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in offered]
        self.session = self.runtime.InferenceSession(str(onnx_file.save(network, folder)), options, providers=providers)

    def run(self, picture):
        start = time.perf_counter()
        (scores,) = self.session.run(None, {"input": picture[None]})
        return scores[0], (time.perf_counter() - start) * 1e3, None

    def device_memory_bytes(self):
        return None


class TensorRtPeer:
    def __init__(self, precision, _threads):
        import tensorrt
        import torch

        if not torch.cuda.is_available():
            raise Unsupported("needs a GPU with CUDA")
        self.tensorrt, self.torch, self.precision = tensorrt, torch, precision

    @property
    def version(self):
        return self.tensorrt.__version__

    @property
    def where(self):
        return self.torch.cuda.get_device_name(), f"CUDA {self.torch.version.cuda}"

    def load(self, network, folder):
        trt = self.tensorrt
        self.logger = trt.Logger(trt.Logger.ERROR)
        builder = trt.Builder(self.logger)
        definition = builder.create_network(0)
        parser = trt.OnnxParser(definition, self.logger)
        if not parser.parse(onnx_file.save(network, folder).read_bytes()):
            raise Unsupported(f"it could not read the network: {parser.get_error(0)}")
        config = builder.create_builder_config()
        config.clear_flag(trt.BuilderFlag.TF32)
        if self.precision == "fp16":
            config.set_flag(trt.BuilderFlag.FP16)
        plan = builder.build_serialized_network(definition, config)
        if plan is None:
            raise Unsupported("it could not build an engine")
        self.engine = trt.Runtime(self.logger).deserialize_cuda_engine(plan)
        self.context = self.engine.create_execution_context()
        self.stream = self.torch.cuda.Stream()
        self.input = self.torch.empty((1, *network.input_shape), device="cuda")
        self.output = self.torch.empty((1, *network.shapes()[network.output]), device="cuda")
        self.context.set_tensor_address("input", self.input.data_ptr())
        self.context.set_tensor_address("output", self.output.data_ptr())

    def run(self, picture):
        torch = self.torch
        start = time.perf_counter()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        with torch.cuda.stream(self.stream):
            self.input.copy_(torch.from_numpy(picture)[None])
            begin.record()
            self.context.execute_async_v3(self.stream.cuda_stream)
            end.record()
            scores = self.output[0].cpu().numpy()
        return scores, (time.perf_counter() - start) * 1e3, begin.elapsed_time(end)

    def device_memory_bytes(self):
        return self.engine.device_memory_size_v2


class MnnPeer:
    def __init__(self, precision, threads):
        import MNN

        if precision != "fp32":
            raise Unsupported("its fp16 is for ARM")
        self.mnn, self.threads = MNN, threads

    @property
    def version(self):
        return version("MNN")

    @property
    def where(self):
        return f"CPU, {self.threads} threads", "its own kernels"

    def load(self, network, folder):
        converted = folder / "net.mnn"
        tool = Path(sys.executable).parent / "mnnconvert"
        command = [tool if tool.exists() else "mnnconvert", "-f", "ONNX", "--modelFile", onnx_file.save(network, folder),
                   "--MNNModel", converted, "--bizCode", "vkseg"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not converted.exists():
            raise Unsupported(f"its converter failed: {(done.stdout + done.stderr).strip().splitlines()[-1:]}")
        config = {"backend": "CPU", "numThread": self.threads, "precision": "high"}
        self.runtime = self.mnn.nn.create_runtime_manager((config,))
        self.net = self.mnn.nn.load_module_from_file(str(converted), ["input"], ["output"], runtime_manager=self.runtime)
        self.expr = self.mnn.expr

    def run(self, picture):
        start = time.perf_counter()
        variable = self.expr.const(picture[None], list(picture[None].shape), self.expr.NCHW)
        result = self.expr.convert(self.net.forward([variable])[0], self.expr.NCHW)
        scores = np.array(result.read(), np.float32)
        return scores.reshape(scores.shape[-3:]), (time.perf_counter() - start) * 1e3, None

    def device_memory_bytes(self):
        return None


class IreePeer:
    """`form` is cpu or vulkan."""

    def __init__(self, form, precision, _threads, device_name):
        import iree.compiler
        import iree.runtime

        if precision != "fp32":
            raise Unsupported("runs the network as it is given, in fp32")
        self.compiler, self.runtime = iree.compiler, iree.runtime
        self.form = form
        if form == "vulkan":
            devices = iree.runtime.get_driver("vulkan").query_available_devices()
            # It writes the driver behind the name.
            self.device = next((d for d in devices if is_device(d["name"], device_name)), None)
            if self.device is None:
                names = ", ".join(d["name"] for d in devices)
                raise Unsupported(f"it sees no device '{device_name}', only {names or 'none'}")

    @property
    def version(self):
        return version("iree-base-runtime")

    @property
    def where(self):
        if self.form == "vulkan":
            return self.device["name"], "Vulkan"
        return "CPU, all threads", "LLVM"

    def load(self, network, folder):
        model = onnx_file.save(network, folder)
        imported = folder / "net.mlir"
        importer = Path(sys.executable).parent / "iree-import-onnx"
        subprocess.run([importer if importer.exists() else "iree-import-onnx", model, "-o", imported], check=True,
                       capture_output=True)  # fmt: skip
        if self.form == "vulkan":
            backends, extra = ["vulkan-spirv"], []
        else:
            backends, extra = ["llvm-cpu"], ["--iree-llvmcpu-target-cpu=host"]
        module = self.compiler.tools.compile_file(str(imported), target_backends=backends, input_type="onnx",
                                                  extra_args=["--iree-opt-level=O3", *extra])  # fmt: skip
        driver = self.runtime.get_driver("vulkan" if self.form == "vulkan" else "local-task")
        device = driver.create_device(self.device["device_id"]) if self.form == "vulkan" else driver.create_default_device()
        config = self.runtime.Config(device=device)
        self.context = self.runtime.SystemContext(config=config)
        self.context.add_vm_module(self.runtime.VmModule.copy_buffer(config.vm_instance, module))
        modules = dict(self.context.modules.items())
        name = next(n for n in modules if n != "hal")
        functions = modules[name].vm_module.function_names
        entry = next(f for f in functions if not f.startswith("__") and not f.endswith("$async"))
        self.function = modules[name][entry]

    def run(self, picture):
        start = time.perf_counter()
        scores = np.asarray(self.function(picture[None]).to_host())
        return scores[0], (time.perf_counter() - start) * 1e3, None

    def device_memory_bytes(self):
        return None
