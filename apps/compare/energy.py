"""Energy of the machine's processors, where something counts it: NVIDIA's library, Intel's and AMD's counters, and the
power meters of Jetson boards and AMD GPUs. All of it is what the whole device took, idle power included."""

import ctypes
import threading
import time
from pathlib import Path


class Counter:
    """Something that counts microjoules by itself, wrapping around at `limit`."""

    def __init__(self, name, path):
        self.name = name
        self.path = path
        limit = path.parent / "max_energy_range_uj"
        self.limit = int(limit.read_text()) if limit.exists() else 0

    def start(self):
        self.begin = int(self.path.read_text())

    def joules(self):
        taken = int(self.path.read_text()) - self.begin
        return (taken + self.limit if taken < 0 else taken) / 1e6


class Meter:
    """Something that tells the power of the moment: summed over time by a thread."""

    def __init__(self, name, watts, seconds=0.02):
        self.name, self.watts, self.seconds = name, watts, seconds

    def start(self):
        self.total, self.stop = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.sum, daemon=True)
        self.thread.start()

    def sum(self):
        last = time.monotonic()
        while not self.stop.wait(self.seconds):
            now = time.monotonic()
            self.total += self.watts() * (now - last)
            last = now

    def joules(self):
        self.stop.set()
        self.thread.join()
        return self.total


class Nvidia:
    """The library comes with the driver, so it is loaded where there is one."""

    def __init__(self):
        self.library = ctypes.CDLL("libnvidia-ml.so.1")
        self.device = ctypes.c_void_p()
        if self.library.nvmlInit_v2() or self.library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(self.device)):
            raise OSError("no NVIDIA device")
        self.name = "NVIDIA GPU 0 (NVML)"
        self.read()

    def read(self):
        millijoules = ctypes.c_ulonglong()
        if self.library.nvmlDeviceGetTotalEnergyConsumption(self.device, ctypes.byref(millijoules)):
            raise OSError("this NVIDIA device counts no energy")
        return millijoules.value

    def start(self):
        self.begin = self.read()

    def joules(self):
        return (self.read() - self.begin) / 1e3


def readable(path):
    try:
        path.read_text()
        return True
    except OSError:
        return False


def number(path):
    return float(path.read_text())


def sources(root=Path("/sys")):
    """All that can be read here; often none."""
    found = []
    try:
        found.append(Nvidia())
    except OSError:
        pass
    for path in sorted(root.glob("class/powercap/intel-rapl:?/energy_uj")):
        if readable(path):
            found.append(Counter(f"CPU {(path.parent / 'name').read_text().strip()} (RAPL)", path))
    for hwmon in sorted(root.glob("class/hwmon/hwmon*")):
        name = (hwmon / "name").read_text().strip() if (hwmon / "name").exists() else ""
        power = next((hwmon / f for f in ("power1_average", "power1_input") if (hwmon / f).exists()), None)
        if name == "amdgpu" and power:
            found.append(Meter("AMD GPU (hwmon)", lambda path=power: number(path) / 1e6))
        if name == "ina3221":
            found += [Meter(f"{label.read_text().strip()} (ina3221)", lambda v=volts, a=amperes: number(v) * number(a) / 1e6)
                      for label, volts, amperes in rails(hwmon)]  # fmt: skip
    return found


def rails(hwmon):
    """Those of a Jetson's meter that have a name and both readings, in millivolts and milliamperes."""
    for label in sorted(hwmon.glob("in?_label")):
        index = label.name[2]
        volts, amperes = hwmon / f"in{index}_input", hwmon / f"curr{index}_input"
        if volts.exists() and amperes.exists():
            yield label, volts, amperes


class Reading:
    """`with Reading(sources) as reading: ...`, then reading.joules by source."""

    def __init__(self, all_sources):
        self.sources = all_sources

    def __enter__(self):
        for source in self.sources:
            source.start()
        return self

    def __exit__(self, *_):
        self.joules = {source.name: source.joules() for source in self.sources}
