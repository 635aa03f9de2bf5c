#!/usr/bin/env python3
"""Runs a network through vkseg and through whatever other engines are installed, and writes one table.

    compare.py espnet --weights espnet_p_2_q_8.pth -o comparison

All get the same weights and the same input. What they compute is compared first: an engine whose scores differ is named
and not timed. Then they take turns, round by round, each stopped while another runs; a ratio is the median of the
rounds' ratios. Times are from floats in host memory to floats in host memory. Writes DIR/comparison.json, .md and .html.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

try:
    import numpy as np
except ImportError:
    sys.exit("compare.py: numpy is missing; install what apps/compare/requirements.txt names")

import energy
import peers
import report
from processes import Peer, Refused, Vkseg, missing_packages

ROOT = Path(__file__).resolve().parents[2]
# Relative L2 by which scores may differ from vkseg's in fp32: Winograd's convolutions, which some use, cost digits.
TOLERANCE = {"fp32": 1e-3, "fp16": 3e-2}


@dataclass
class Setting:
    network: Path
    input: Path
    vkseg_run: list
    version: str
    device_name: str
    threads: int
    timeout: float


def names(text, known, what):
    chosen = list(known) if text == "all" else text.split(",")
    for name in chosen:
        if name not in known:
            raise argparse.ArgumentTypeError(f"'{name}': expected {what} of {', '.join(known)}")
    return chosen


def positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a number from 1 on")
    return int(text)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     prog="compare.py")  # fmt: skip
    add = parser.add_argument
    add("network", help="a name in 'vkseg networks'")
    add("--weights", help="trained weights (else made-up ones, which take as long)")
    add("--config", help="of the network, as JSON")
    add("--size", help="WxH that the network sees (the network's default)")
    add("--precision", type=lambda t: names(t, ("fp32", "fp16"), "precisions"), default=["fp32"],
        help="fp32, fp16 or both with a comma (fp32)")  # fmt: skip
    add("--peers", type=lambda t: names(t, tuple(peers.KINDS), "engines"), default=list(peers.KINDS),
        help=f"engines with commas between: {', '.join(peers.KINDS)} (all)")  # fmt: skip
    add("--device", help="of vkseg, and of the others' Vulkan")
    add("--rounds", type=positive, default=5, help="in which all take turns (%(default)s)")
    add("--runs", type=positive, default=3, help="of each in a round (%(default)s)")
    add("--threads", type=positive, default=os.cpu_count(), help="of engines on the CPU (%(default)s)")
    add("--timeout", type=float, default=900, help="seconds that an engine may take for one answer (%(default)s)")
    add("--vkseg", type=Path, default=ROOT / "build/release/bin/vkseg", help="the program")
    add("-o", "--output", type=Path, required=True, help="folder for the tables")
    return parser.parse_args(arguments)


class Progress:
    """On a terminal only."""

    def __init__(self):
        self.shown = sys.stderr.isatty()

    def __call__(self, text):
        if self.shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def vkseg_says(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.strip() or f"{command[0]} ended with status {done.returncode}")
    return done.stdout


def make_input(description, file):
    """A smooth picture with noise on it, normalised as the network wants it."""
    channels, height, width = description["input_shape"]
    rng = np.random.default_rng(1)
    coarse = rng.uniform(0, 255, (channels, height // 16 + 2, width // 16 + 2))
    pixels = np.kron(coarse, np.ones((16, 16)))[:, :height, :width] * 0.8 + rng.uniform(0, 51, (channels, height, width))
    how = description["preprocess"]
    subtract, multiply = (np.reshape(how[name], (channels, 1, 1)) for name in ("subtract", "multiply"))
    np.save(file, ((np.floor(pixels) - subtract) * multiply).astype(np.float32))


def difference(scores, wanted):
    """(relative L2, share of pixels with the same class)"""
    scores, wanted = scores.astype(np.float64), wanted.astype(np.float64)
    norm = np.linalg.norm(wanted)
    agreement = float((scores.argmax(0) == wanted.argmax(0)).mean())
    return float(np.linalg.norm(scores - wanted) / norm), agreement


def start(engine, setting, folder, wanted):
    """Everything up to the first result; an engine whose scores differ is refused."""
    output = folder / f"{engine.key}.{engine.precision}.npy"
    row = engine.start(setting, output)
    scores = np.load(output)
    if wanted is not None:
        if scores.shape != wanted.shape:
            raise Refused(f"its scores are {scores.shape}, expected {wanted.shape}")
        row["relative_l2"], row["class_agreement"] = difference(scores, wanted)
        if not row["relative_l2"] <= TOLERANCE[engine.precision]:
            raise Refused(f"its scores differ by {row['relative_l2']:.2g} (relative L2), so it is not timed")
    return row, scores


def take_turns(engines, options, progress):
    """Times by engine, a list per round. The first round warms up."""
    sources = energy.sources()
    rounds = {engine: [] for engine in engines}
    joules = {engine: {source.name: [] for source in sources} for engine in engines}
    lost = {}
    for number in range(-1, options.rounds):
        # Nobody is always the one after the same other.
        shift = number % len(engines)
        for engine in engines[shift:] + engines[:shift]:
            if engine in lost:
                continue
            progress(f"round {number + 1} of {options.rounds}: {engine.title}, {engine.precision}")
            try:
                with energy.Reading(sources) as reading:
                    times = engine.time(options.runs if number >= 0 else 1)
            except Refused as reason:
                lost[engine] = str(reason)
                continue
            engine.process.pause()
            if number < 0:
                continue
            rounds[engine].append(times)
            for name, value in reading.joules.items():
                joules[engine][name].append(value / options.runs)
    return rounds, joules, lost


def summary(values):
    values = sorted(values)
    return {"min": values[0], "median": statistics.median(values), "p99": values[min(len(values) - 1, int(len(values) * 0.99))]}


def figures(engine, rounds, joules, rival):
    """Of one engine; `rival` holds vkseg's rounds in the same precision."""
    host = [ms for times in rounds for ms in times["host_ms"]]
    device = [ms for times in rounds for ms in times["device_ms"] or []]
    ratios = [statistics.median(own["host_ms"]) / statistics.median(other["host_ms"]) for own, other in zip(rounds, rival)]
    return {"host_ms": summary(host), "device_ms": summary(device) if device else None,
            "times_vkseg": statistics.median(ratios), "times_vkseg_range": [min(ratios), max(ratios)],
            "rounds_ms": [times["host_ms"] for times in rounds], "resident_bytes": engine.process.resident_bytes(),
            "device_memory_bytes": rounds[-1]["device_memory_bytes"],
            "joules_per_frame": {name: statistics.median(values) for name, values in joules.items() if values}}  # fmt: skip


def machine():
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())  # fmt: skip
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return {"cpu": model, "threads": os.cpu_count(), "system": system,
            "python": platform.python_version()}  # fmt: skip


def papers(network):
    rows = json.loads((Path(__file__).parent / "papers.json").read_text())
    return [row for row in rows if row["network"] == network]


def compare(options, folder, progress):
    source = [options.network]
    for name in ("weights", "config"):
        if getattr(options, name):
            source += [f"--{name}", getattr(options, name)]
    device = ["--device", options.device] if options.device else []
    exported = folder / "network.json"
    vkseg_says([options.vkseg, "export", *source, *(["--size", options.size] if options.size else []), "-o", exported])
    description = json.loads(exported.read_text())
    make_input(description, folder / "x.npy")
    setting = Setting(exported, folder / "x.npy", [str(options.vkseg), "run", *source, *device],
                      vkseg_says([options.vkseg, "--version"]).strip(), "", options.threads, options.timeout)  # fmt: skip
    rows, missing, running = [], [], []
    wanted = None

    def begin(engine):
        nonlocal wanted
        progress(f"starting {engine.title}, {engine.precision}")
        try:
            row, scores = start(engine, setting, folder, wanted)
        except Refused as reason:
            if isinstance(engine, Vkseg):
                sys.exit(f"vkseg, {engine.precision}: {reason}")
            missing.append({"engine": engine.title, "precision": engine.precision, "why": str(reason)})
            engine.process.close()
            return
        if wanted is None:
            wanted = scores
        engine.process.pause()
        running.append(engine)
        rows.append({"engine": engine.title, **row, "precision": engine.precision})

    try:
        # vkseg's own scores in fp32 are what all are held against, whether or not they are asked for.
        for precision in dict.fromkeys(["fp32", *options.precision]):
            engine = Vkseg(precision, setting)
            begin(engine)
            setting.device_name = rows[0]["device"]
        for key in options.peers:
            absent = missing_packages(peers.KINDS[key])
            if absent:
                missing.append({"engine": peers.KINDS[key].title, "why": f"not installed: {', '.join(absent)}"})
                continue
            for precision in options.precision:
                if precision in peers.KINDS[key].precisions:
                    begin(Peer(key, precision, setting))
        rounds, joules, lost = take_turns(running, options, progress)
        rivals = {engine.precision: rounds[engine] for engine in running if isinstance(engine, Vkseg)}
        results = []
        for engine, row in zip(running, rows):
            if engine in lost:
                missing.append({"engine": engine.title, "precision": engine.precision, "why": lost[engine]})
            else:
                results.append({**row, **figures(engine, rounds[engine], joules[engine], rivals[engine.precision])})
    finally:
        for engine in running:
            engine.process.close()
        progress("")
    height, width = description["input_shape"][1:]
    return {"network": description["network"], "config": options.config or "", "size": [width, height],
            "weights": Path(options.weights).name if options.weights else "made up", "macs": description["macs"],
            "rounds": options.rounds, "runs": options.runs, "machine": machine(),
            "energy_sources": [source.name for source in energy.sources()],
            "results": results, "missing": missing, "papers": papers(description["network"])}  # fmt: skip


def main(arguments=None):
    options = parse(arguments)
    if not options.vkseg.exists():
        sys.exit(f"'{options.vkseg}' is not there: build it, or say where it is with --vkseg")
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = compare(options, Path(folder), Progress())
    for name, text in (("json", json.dumps(result, indent=1) + "\n"), ("md", report.markdown(result)),
                       ("html", report.page(result))):  # fmt: skip
        target = options.output / f"comparison.{name}"
        partial = target.with_suffix(f".{name}.partial")
        partial.write_text(text)
        partial.replace(target)
    print(report.markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
