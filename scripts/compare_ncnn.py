#!/usr/bin/env python3
"""ESPNet through vkseg and through ncnn, same weights and input, in one alternating run; outputs compared first.

    pip install numpy ncnn
    scripts/compare_ncnn.py --weights espnet_p_2_q_8.pth [--size 1024x512] [--rounds 5] [--json FILE]

Both times are from host floats to host floats. Both run on the first Vulkan device of the loader unless --ncnn-cpu says
otherwise for ncnn.
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

try:
    import ncnn
    import numpy as np
except ImportError as reason:
    sys.exit(f"{reason.name} is missing: pip install numpy ncnn")

EPS = 1e-3


def read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    (header_bytes,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + header_bytes])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + header_bytes + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return tensors


class NcnnWriter:
    """Layers in ncnn's text and binary form. A value read more than once gets a Split, added at the end."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.layers: list[tuple[str, list[str], str, str]] = []
        self.binary = bytearray()

    def add(self, kind: str, inputs: list[str], parameters: str = "") -> str:
        output = f"v{len(self.layers)}"
        self.layers.append((kind, inputs, output, parameters))
        return output

    def conv(self, name: str, x: str, stride: int = 1, dilation: int = 1, norm: str = "") -> str:
        weight = self.weights[name + ".weight"]
        oc, _, kernel, _ = weight.shape
        pad = dilation * (kernel - 1) // 2
        weight, bias = self.fold(weight, norm, axis=0)
        return self.weighted("Convolution", x, oc, kernel, stride, dilation, pad, weight, bias)

    def deconv(self, name: str, x: str, norm: str = "") -> str:
        weight, bias = self.fold(self.weights[name + ".weight"], norm, axis=1)
        weight = weight.transpose(1, 0, 2, 3)  # ncnn keeps outputs first
        return self.weighted("Deconvolution", x, weight.shape[0], 2, 2, 1, 0, weight, bias)

    def fold(self, weight, norm, axis):
        if not norm:
            return weight, None
        gamma, beta, mean, var = (self.weights[f"{norm}.{n}"] for n in ("weight", "bias", "running_mean", "running_var"))
        scale = gamma / np.sqrt(var + EPS)
        shape = [1] * 4
        shape[axis] = -1
        return weight * scale.reshape(shape), beta - mean * scale

    def weighted(self, kind, x, oc, kernel, stride, dilation, pad, weight, bias) -> str:
        self.binary += struct.pack("<I", 0) + np.ascontiguousarray(weight, np.float32).tobytes()
        if bias is not None:
            self.binary += bias.astype(np.float32).tobytes()
        return self.add(kind, [x], f"0={oc} 1={kernel} 11={kernel} 2={dilation} 12={dilation} 3={stride} 13={stride} "
                                   f"4={pad} 14={pad} 15={pad} 16={pad} 5={int(bias is not None)} 6={weight.size}")

    def batch_norm(self, name: str, x: str) -> str:
        parts = [self.weights[f"{name}.{n}"] for n in ("weight", "running_mean", "running_var", "bias")]
        for part in parts:
            self.binary += part.tobytes()
        return self.add("BatchNorm", [x], f"0={parts[0].size} 1={EPS}")

    def prelu(self, name: str, x: str) -> str:
        slope = self.weights[name + ".weight"]
        self.binary += slope.tobytes()
        return self.add("PReLU", [x], f"0={slope.size}")

    def sum(self, a: str, b: str) -> str:
        return self.add("BinaryOp", [a, b], "0=0")

    def concat(self, *parts: str) -> str:
        return self.add("Concat", list(parts), "0=0")

    def average_halve(self, x: str) -> str:
        return self.add("Pooling", [x], "0=1 1=3 2=2 3=1 5=1 6=1")

    def save(self, folder: pathlib.Path, result: str) -> None:
        uses: dict[str, int] = {}
        for _, inputs, _, _ in self.layers:
            for value in inputs:
                uses[value] = uses.get(value, 0) + 1
        lines, blobs, taken = ["Input data 0 1 data"], 1, {}

        def emit_split(value: str) -> None:
            nonlocal blobs
            if uses.get(value, 0) > 1:
                copies = " ".join(f"{value}_{i}" for i in range(uses[value]))
                lines.append(f"Split split_{value} 1 {uses[value]} {value} {copies}")
                blobs += uses[value]

        def name_of(value: str) -> str:
            if uses[value] == 1:
                return value
            taken[value] = taken.get(value, -1) + 1
            return f"{value}_{taken[value]}"

        emit_split("data")
        for kind, inputs, output, parameters in self.layers:
            shown = "out" if output == result else output
            lines.append(f"{kind} {kind}_{output} {len(inputs)} 1 {' '.join(map(name_of, inputs))} {shown} {parameters}")
            blobs += 1
            emit_split(output)
        (folder / "net.param").write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n")
        (folder / "net.bin").write_bytes(self.binary)


def write_espnet(weights: dict[str, np.ndarray], folder: pathlib.Path) -> None:
    n = NcnnWriter(weights)

    def pyramid(scope: str, reduced: str) -> str:
        parts, total = [n.conv(f"{scope}.d1.conv", reduced)], ""
        for dilation in (2, 4, 8, 16):
            branch = n.conv(f"{scope}.d{dilation}.conv", reduced, dilation=dilation)
            total = n.sum(total, branch) if total else branch
            parts.append(total)
        return n.concat(*parts)

    def norm_act(norm: str, act: str, x: str) -> str:
        return n.prelu(act, n.batch_norm(norm, x))

    def esp(scope: str, x: str, residual: bool) -> str:
        merged = pyramid(scope, n.conv(f"{scope}.c1.conv", x))
        if residual:
            merged = n.sum(merged, x)
        return norm_act(f"{scope}.bn.bn", f"{scope}.bn.act", merged)

    def down(scope: str, x: str) -> str:
        merged = pyramid(scope, n.conv(f"{scope}.c1.conv", x, stride=2))
        return norm_act(f"{scope}.bn", f"{scope}.act", merged)

    def count(prefix: str) -> int:
        return len({key.split(".")[2] for key in weights if key.startswith(prefix + ".")})

    e = "encoder"
    level1 = n.prelu(f"{e}.level1.act", n.conv(f"{e}.level1.conv", "data", stride=2, norm=f"{e}.level1.bn"))
    half = n.average_halve("data")
    quarter = n.average_halve(half)
    level1_image = norm_act(f"{e}.b1.bn", f"{e}.b1.act", n.concat(level1, half))
    first = down(f"{e}.level2_0", level1_image)
    level2 = first
    for i in range(count(f"{e}.level2")):
        level2 = esp(f"{e}.level2.{i}", level2, True)
    level2 = norm_act(f"{e}.b2.bn", f"{e}.b2.act", n.concat(level2, first, quarter))
    first = down(f"{e}.level3_0", level2)
    level3 = first
    for i in range(count(f"{e}.level3")):
        level3 = esp(f"{e}.level3.{i}", level3, True)
    level3 = norm_act(f"{e}.b3.bn", f"{e}.b3.act", n.concat(first, level3))
    scores = n.batch_norm("br", n.conv(f"{e}.classifier.conv", level3))
    x = n.concat(n.conv("level3_C.conv", level2), n.deconv("up_l3.0", scores))
    x = esp("combine_l2_l3.1", norm_act("combine_l2_l3.0.bn", "combine_l2_l3.0.act", x), False)
    x = n.prelu("up_l2.1.act", n.deconv("up_l2.0", x, norm="up_l2.1.bn"))
    merged = level1 if weights["conv.conv.weight"].shape[1] - x_channels(weights) == 16 else level1_image
    x = n.prelu("conv.act", n.conv("conv.conv", n.concat(x, merged), norm="conv.bn"))
    n.save(folder, n.deconv("classifier", x))


def x_channels(weights: dict[str, np.ndarray]) -> int:
    return weights["up_l2.0.weight"].shape[1]


def load_ncnn(folder: pathlib.Path, on_cpu: bool) -> "ncnn.Net":
    net = ncnn.Net()
    net.opt.use_vulkan_compute = not on_cpu
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, option, False)
    net.load_param(str(folder / "net.param"))
    net.load_model(str(folder / "net.bin"))
    return net


def run_ncnn(net: "ncnn.Net", image: np.ndarray) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(image))
    status, result = extractor.extract("out")
    scores = np.array(result)
    if status != 0:
        sys.exit("ncnn could not run the network")
    return scores, (time.perf_counter() - start) * 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vkseg", default="build/release/bin/vkseg")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--config", default="{}", help="vkseg's configuration, e.g. '{\"alpha3\": 3}'")
    parser.add_argument("--size", default="1024x512")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each per round")
    parser.add_argument("--ncnn-cpu", action="store_true", help="ncnn's own CPU kernels instead of Vulkan")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        vkseg = [options.vkseg]
        common = ["--weights", options.weights, "--config", options.config, "--precision", "fp32"]
        subprocess.run([*vkseg, "convert", options.weights, folder / "w.safetensors"], check=True, stdout=subprocess.DEVNULL)
        write_espnet(read_safetensors(folder / "w.safetensors"), folder)
        image = np.random.default_rng(1).standard_normal((3, height, width), np.float32) * 0.01
        np.save(folder / "x.npy", image)
        subprocess.run([*vkseg, "run", "espnet", "--input", folder / "x.npy", "--output", folder / "y.npy", *common], check=True)
        ours = np.load(folder / "y.npy")
        net = load_ncnn(folder, options.ncnn_cpu)
        theirs, first_ms = run_ncnn(net, image)
        error = float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
        agreement = float((ours.argmax(0) == theirs.argmax(0)).mean())
        print(f"outputs: relative L2 difference {error:.2e}, classes agree on {agreement:.4%}")
        if not error < 1e-4:
            sys.exit("the outputs differ; nothing is timed")

        rounds = []
        run_ncnn(net, image)
        bench = [*vkseg, "bench", "espnet", "--size", options.size, *common, "--warm-up", "1", "--repeat", str(options.runs), "--json"]
        for i in range(options.rounds):
            report = json.loads(subprocess.run(bench, check=True, capture_output=True, text=True).stdout)["results"][0]
            ours_ms = report["end_to_end_ms"]["median"]
            theirs_ms = statistics.median(run_ncnn(net, image)[1] for _ in range(options.runs))
            rounds.append((ours_ms, theirs_ms))
            print(f"round {i}: vkseg {ours_ms:.0f} ms, ncnn {theirs_ms:.0f} ms, ratio {theirs_ms / ours_ms:.2f}")
    ratio = statistics.median(b / a for a, b in rounds)
    where = "its CPU kernels" if options.ncnn_cpu else f"Vulkan, {ncnn.get_gpu_info(0).device_name()}"
    print(f"ESPNet {options.size} fp32, host floats to host floats, medians of {options.rounds} rounds: "
          f"vkseg {statistics.median(a for a, _ in rounds):.0f} ms on {report['device']} ({report['driver']}), "
          f"ncnn {ncnn.__version__} {statistics.median(b for _, b in rounds):.0f} ms on {where} "
          f"(first run {first_ms:.0f} ms); ncnn takes {ratio:.2f} times as long")
    if options.json:
        figures = {"size": [width, height], "device": report["device"], "driver": report["driver"], "relative_l2": error,
                   "class_agreement": agreement, "rounds_ms": rounds, "median_ratio": ratio, "ncnn": ncnn.__version__,
                   "ncnn_on": where}
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
