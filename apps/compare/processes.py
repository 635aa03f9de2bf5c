"""The engines as processes that are asked in turn, and stopped while it is another's turn."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import peers

HERE = Path(__file__).resolve().parent


class Refused(Exception):
    """An engine has no result; the text says why."""


def missing_packages(kind):
    def there(name):
        try:
            return find_spec(name) is not None
        except ModuleNotFoundError:
            return False

    return [name for name in kind.packages if not there(name)]


class Process:
    """Lines of JSON to and from a process, which is stopped between them."""

    def __init__(self, command, timeout):
        self.timeout = timeout
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pending = b""
        self.complaint = b""

    def ask(self, request):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        """The next line. Complaints are read along, since a full pipe would stop the process."""
        end = time.monotonic() + self.timeout
        streams = [self.process.stdout, self.process.stderr]
        while b"\n" not in self.pending:
            ready, _, _ = select.select(streams, [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self.close()
                raise Refused(f"gave no answer in {self.timeout:.0f} s")
            for stream in ready:
                data = os.read(stream.fileno(), 65536)
                if stream is self.process.stderr:
                    self.complaint = (self.complaint + data)[-4000:]
                    if not data:
                        streams.remove(stream)
                elif data:
                    self.pending += data
                else:
                    raise Refused(self.last_words())
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def last_words(self):
        code = self.process.wait()
        said = self.complaint + (self.process.stderr.read() or b"")
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"ended with status {code}"

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resident_bytes(self):
        """The most that the process ever held."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Peer:
    """Another engine."""

    def __init__(self, key, precision, setting):
        self.key, self.precision = key, precision
        self.title = peers.KINDS[key].title
        self.process = Process([sys.executable, HERE / "worker.py", key, precision, str(setting.threads),
                                setting.device_name], setting.timeout)  # fmt: skip

    def ask(self, **request):
        answer = self.process.ask(json.dumps(request))
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer

    def start(self, setting, output):
        folder = output.with_suffix("")
        folder.mkdir()
        loaded = self.ask(do="load", network=str(setting.network), folder=str(folder))
        first = self.ask(do="first", input=str(setting.input), output=str(output))
        return {**loaded, "start_up_ms": loaded["load_ms"] + first["first_ms"]}

    def time(self, runs):
        return self.ask(do="time", runs=runs)


class Vkseg:
    """The engine that the others are compared with."""

    key = "vkseg"

    def __init__(self, precision, setting):
        self.precision = precision
        self.title = "vkseg"
        self.command = [*setting.vkseg_run, "--precision", precision]

    def start(self, setting, output):
        self.process = Process([*self.command, "--input", setting.input, "--output", output, "--time-on-request"],
                               setting.timeout)  # fmt: skip
        started = self.process.answer()
        self.device_memory_bytes = started.get("device_memory_bytes")
        return {"version": setting.version, **started}

    def time(self, runs):
        answer = self.process.ask(str(runs))
        return {"host_ms": answer["end_to_end_ms"], "device_ms": answer["gpu_ms"] or None,
                "device_memory_bytes": self.device_memory_bytes}  # fmt: skip
