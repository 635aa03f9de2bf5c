"""The comparison: what it reads, what it makes of it, and whole runs. Usage: compare_test.py BUILD_FOLDER

Engines that are not installed are left out; PyTorch is among Debian's packages."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPARE = HERE.parents[1] / "apps/compare"
sys.path.insert(0, str(COMPARE))

import numpy as np

import compare
import energy
import network
import processes
import report

BUILD = Path(".")
DEVICE = os.environ.get("VKSEG_DEVICE", "lavapipe")


def vkseg(*arguments):
    return subprocess.run([BUILD / "bin/vkseg", *arguments], capture_output=True, text=True, check=False)


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def exported(self, name, size):
        file = self.folder / f"{name}.json"
        done = vkseg("export", name, "--size", size, "-o", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        return file


class Export(InFolder):
    def test_values_are_made_before_they_are_read(self):
        read = network.read(self.exported("espnetv2", "128x128"))
        made = {read.input}
        for node in read.nodes:
            self.assertTrue(set(node.inputs) <= made, node.name)
            made.add(node.output)
        self.assertIn(read.output, made)
        self.assertEqual(read.input_shape, (3, 128, 128))

    def test_counts_are_those_of_inspect(self):
        read = network.read(self.exported("espnet", "64x64"))
        inspected = json.loads(vkseg("inspect", "espnet", "--size", "64x64", "--paper-device", "minimal", "--json").stdout)
        # Running statistics are tensors, but not parameters.
        learned = {node.attributes[name] for node in read.nodes for name in ("weight", "bias") if name in node.attributes}
        self.assertEqual(sum(read.tensors[name].size for name in learned), inspected["params"])
        macs = sum(read.tensors[node.attributes["weight"]].size * np.prod(read.shapes()[node.inputs[0]][1:])
                   if node.op == "conv_transpose2d" else
                   read.tensors[node.attributes["weight"]].size * np.prod(node.shape[1:])
                   for node in read.nodes if node.op in ("conv2d", "conv_transpose2d"))  # fmt: skip
        self.assertEqual(macs, inspected["macs"])

    def test_other_endings_are_refused(self):
        done = vkseg("export", "espnet", "-o", self.folder / "net.onnx")
        self.assertEqual(done.returncode, 1)
        self.assertIn(".json", done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_other_formats_are_refused(self):
        file = self.folder / "x.json"
        file.write_text('{"format": "something else"}')
        with self.assertRaisesRegex(ValueError, "something else"):
            network.read(file)


@unittest.skipUnless(find_spec("torch"), "PyTorch is not installed")
class Torch(InFolder):
    """An engine that shares no line with vkseg computes what vkseg's reference does, for every network."""

    def test_every_network(self):
        import torch

        from peers import torch_peer

        torch.set_num_threads(1)
        for name, size in (("espnet", "64x32"), ("espnet-c", "64x64"), ("espnetv2", "128x128"), ("espnetv2-cls", "64x64"),
                           ("esnet", "64x32"), ("lpsnet-s", "128x64"), ("vnet", "64x64"), ("erfnet", "64x32")):  # fmt: skip
            with self.subTest(name):
                file = self.exported(name, size)
                description = json.loads(file.read_text())
                compare.make_input(description, self.folder / "x.npy")
                done = vkseg("run", name, "--input", self.folder / "x.npy", "--output", self.folder / "y.npy",
                             "--device", "reference")  # fmt: skip
                self.assertEqual(done.returncode, 0, done.stderr)
                peer = torch_peer.TorchPeer("eager", "fp32", 1)
                peer.load(network.read(file), self.folder)
                scores, _, _ = peer.run(np.load(self.folder / "x.npy"))
                error, agreement = compare.difference(scores, np.load(self.folder / "y.npy"))
                self.assertLess(error, 1e-4)
                self.assertGreater(agreement, 0.999)


class Arithmetic(unittest.TestCase):
    def test_difference(self):
        wanted = np.zeros((2, 1, 2), np.float32)
        wanted[0] = [3, 4]
        error, agreement = compare.difference(wanted * np.float32(1.1), wanted)
        self.assertAlmostEqual(error, 0.1, places=6)
        self.assertEqual(agreement, 1)
        flipped = wanted[::-1]
        self.assertEqual(compare.difference(flipped, wanted)[1], 0)

    def test_ratio_is_of_rounds(self):
        class Engine:
            title = "other"

            class process:
                resident_bytes = staticmethod(lambda: 1)

        def rounds(*medians):
            return [{"host_ms": [m, m], "device_ms": None, "device_memory_bytes": None} for m in medians]

        # A machine that halves its speed meets both; totals would say 2.5.
        found = compare.figures(Engine, rounds(30, 60, 30), {}, rounds(10, 20, 30))
        self.assertEqual(found["times_vkseg"], 3)
        self.assertEqual(found["times_vkseg_range"], [1, 3])

    def test_a_device_is_found_whatever_its_vectors_width(self):
        from peers import is_device

        self.assertTrue(is_device("llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe (LLVM 15.0.6, 512 bits)"))
        self.assertTrue(is_device("NVIDIA H200 (driver 1)", "NVIDIA H200"))
        self.assertFalse(is_device("llvmpipe (LLVM 16.0.0, 256 bits)", "llvmpipe (LLVM 15.0.6, 512 bits)"))
        self.assertFalse(is_device("SwiftShader Device", "llvmpipe (LLVM 15.0.6, 512 bits)"))

    def test_percent_never_rounds_up_to_all(self):
        self.assertEqual(report.percent(1), "100 %")
        self.assertEqual(report.percent(0.999999), "99.999 %")

    @unittest.skipUnless(find_spec("onnx"), "onnx is not installed")
    def test_shares_of_adaptive_pooling(self):
        from peers.onnx_file import shares

        # torch.nn.AdaptiveAvgPool1d(3) of 5: windows [0, 2), [1, 4), [3, 5)
        wanted = [[1 / 2, 1 / 2, 0, 0, 0], [0, 1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0, 1 / 2, 1 / 2]]
        np.testing.assert_allclose(shares(5, 3), wanted, rtol=1e-6)


class Energy(InFolder):
    def test_counters_and_meters_of_a_system_on_paper(self):
        rapl = self.folder / "class/powercap/intel-rapl:0"
        rapl.mkdir(parents=True)
        (rapl / "name").write_text("package-0\n")
        (rapl / "max_energy_range_uj").write_text("1000000\n")
        (rapl / "energy_uj").write_text("900000\n")
        jetson = self.folder / "class/hwmon/hwmon0"
        jetson.mkdir(parents=True)
        for name, value in {"name": "ina3221", "in1_label": "VDD_GPU", "in1_input": "5000", "curr1_input": "2000"}.items():
            (jetson / name).write_text(value + "\n")
        amd = self.folder / "class/hwmon/hwmon1"
        amd.mkdir()
        (amd / "name").write_text("amdgpu\n")
        (amd / "power1_average").write_text("25000000\n")
        found = {source.name: source for source in energy.sources(self.folder)}
        self.assertEqual(found["VDD_GPU (ina3221)"].watts(), 10)
        self.assertEqual(found["AMD GPU (hwmon)"].watts(), 25)
        counter = found["CPU package-0 (RAPL)"]
        counter.start()
        # It wraps around.
        (rapl / "energy_uj").write_text("150000\n")
        self.assertAlmostEqual(counter.joules(), 0.25)

    def test_a_meter_sums_over_time(self):
        meter = energy.Meter("test", lambda: 100.0, 0.005)
        begin = time.monotonic()
        meter.start()
        time.sleep(0.2)
        joules = meter.joules()
        self.assertLessEqual(joules, 100 * (time.monotonic() - begin))
        self.assertGreater(joules, 5)


class Processes(unittest.TestCase):
    def process(self, code, timeout=20.0):
        made = processes.Process([sys.executable, "-c", code], timeout)
        self.addCleanup(made.close)
        return made

    def test_an_engine_that_dies_says_why(self):
        with self.assertRaisesRegex(processes.Refused, "no such thing"):
            self.process("import sys; sys.exit('no such thing')").answer()

    def test_an_engine_that_hangs_is_given_up(self):
        with self.assertRaisesRegex(processes.Refused, "gave no answer"):
            self.process("import time; time.sleep(60)", 0.3).answer()

    def test_who_is_paused_is_stopped(self):
        made = self.process("import time\nprint(0, flush=True)\ntime.sleep(60)")
        made.answer()
        made.pause()
        stat = Path(f"/proc/{made.process.pid}/stat")
        end = time.monotonic() + 5
        while (state := stat.read_text().rsplit(")", 1)[1].split()[0]) != "T" and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(state, "T")

    def test_missing_packages_are_named(self):
        import peers

        kind = peers.Kind("x", ("numpy", "no_such_package", "no_such.child"), "m", "T")
        self.assertEqual(processes.missing_packages(kind), ["no_such_package", "no_such.child"])


class Whole(InFolder):
    def run_compare(self, *arguments):
        done = subprocess.run([sys.executable, COMPARE / "compare.py", *arguments, "--vkseg", BUILD / "bin/vkseg", "-o",
                               self.folder / "out"], capture_output=True, text=True, check=False)  # fmt: skip
        return done

    def test_table_of_what_is_installed(self):
        done = self.run_compare("lpsnet-s", "--size", "128x64", "--device", DEVICE, "--peers", "torch,tensorrt",
                                "--rounds", "2", "--runs", "2")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        result = json.loads((self.folder / "out/comparison.json").read_text())
        self.assertEqual(result["results"][0]["engine"], "vkseg")
        named = {row["engine"] for row in [*result["results"], *result["missing"]]}
        self.assertEqual(named, {"vkseg", "PyTorch eager", "TensorRT"})
        for row in result["results"]:
            self.assertEqual([len(times) for times in row["rounds_ms"]], [2, 2])
            self.assertGreater(row["host_ms"]["min"], 0)
            self.assertGreater(row["resident_bytes"], 1e6)
            self.assertIn(row["engine"], done.stdout)
            self.assertIn(row["engine"], (self.folder / "out/comparison.html").read_text())
        if find_spec("torch"):
            self.assertLess(result["results"][1]["relative_l2"], 1e-4)
        self.assertEqual({row["device"] for row in result["papers"]},
                         {"GTX 1080 Ti", "GTX 1070 Ti", "Jetson Nano", "Jetson TX2"})  # fmt: skip

    @unittest.skipUnless(find_spec("torch"), "PyTorch is not installed")
    def test_an_engine_that_computes_something_else_is_not_timed(self):
        folder = self.folder / "scores"
        folder.mkdir()
        setting = compare.Setting(self.exported("lpsnet-s", "128x64"), self.folder / "x.npy", [], "", "", 1, 120)
        compare.make_input(json.loads(setting.network.read_text()), setting.input)
        engine = processes.Peer("torch", "fp32", setting)
        self.addCleanup(engine.process.close)
        with self.assertRaisesRegex(processes.Refused, "differ"):
            compare.start(engine, setting, folder, np.ones((19, 3, 6), np.float32))

    def test_wrong_words_are_refused(self):
        for arguments, expected in ((["no-such-network"], "no-such-network"), (["espnet", "--peers", "tensorflow"], "tensorflow"),
                                    (["espnet", "--rounds", "0"], "expected a number"),
                                    (["espnet", "--weights", "no-such-file"], "no-such-file")):  # fmt: skip
            with self.subTest(arguments):
                done = self.run_compare(*arguments)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(expected, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                self.assertFalse((self.folder / "out/comparison.json").exists())


class Page(unittest.TestCase):
    def test_text_of_engines_is_text(self):
        row = {"engine": "<b>x</b>", "version": "1", "device": "d", "driver": "", "precision": "fp32",
               "host_ms": {"min": 1, "median": 2, "p99": 3}, "device_ms": None, "times_vkseg": 1, "times_vkseg_range": [1, 1],
               "start_up_ms": 1, "resident_bytes": 1, "device_memory_bytes": None, "joules_per_frame": {}}  # fmt: skip
        result = {"network": "n", "config": "", "size": [1, 1], "weights": "w", "macs": 1, "rounds": 1, "runs": 1,
                  "machine": {"cpu": "c", "threads": 1, "system": "s", "python": "p"}, "energy_sources": [],
                  "results": [row], "missing": [], "papers": []}  # fmt: skip
        self.assertNotIn("<b>", report.page(result))
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertIn("<b>x</b> 1", report.markdown(result))


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
