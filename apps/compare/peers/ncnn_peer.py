"""ncnn: its own CPU kernels, or Vulkan on the device that vkseg uses."""

import time

import ncnn
import numpy as np

from network import Unsupported
from peers import is_device, ncnn_file


class NcnnPeer:
    """`form` is cpu or vulkan."""

    def __init__(self, form, precision, threads, device_name):
        self.vulkan = form == "vulkan"
        self.precision = precision
        self.threads = threads
        self.gpu = self.find(device_name) if self.vulkan else None

    @staticmethod
    def find(device_name):
        names = [ncnn.get_gpu_info(i).device_name() for i in range(ncnn.get_gpu_count())]
        found = next((i for i, name in enumerate(names) if is_device(name, device_name)), None)
        if found is None:
            raise Unsupported(f"it sees no device '{device_name}', only {', '.join(names) or 'none'}")
        return found

    @property
    def version(self):
        return ncnn.__version__

    @property
    def where(self):
        if self.vulkan:
            return ncnn.get_gpu_info(self.gpu).device_name(), "Vulkan"
        return f"CPU, {self.threads} threads", "its own kernels"

    def load(self, network, folder):
        parameters, weights = ncnn_file.save(network, folder)
        self.net = ncnn.Net()
        options = self.net.opt
        options.use_vulkan_compute = self.vulkan
        options.num_threads = self.threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
            setattr(options, option, self.precision == "fp16")
        options.use_bf16_storage = False
        if self.vulkan:
            self.net.set_vulkan_device(self.gpu)
        if self.net.load_param(str(parameters)) or self.net.load_model(str(weights)):
            raise Unsupported("it could not load the network")
        self.shape = network.shapes()[network.output]

    def run(self, picture):
        start = time.perf_counter()
        extractor = self.net.create_extractor()
        extractor.input("data", ncnn.Mat(picture))
        status, result = extractor.extract("out")
        if status != 0:
            raise Unsupported(f"it could not run the network (status {status})")
        scores = np.array(result)
        return scores.reshape(self.shape), (time.perf_counter() - start) * 1e3, None

    def device_memory_bytes(self):
        return None
