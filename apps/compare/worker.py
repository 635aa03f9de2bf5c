"""The process of one peer: it reads requests as lines of JSON from standard input and answers each with one.

{"do": "load", "network": FILE, "folder": DIR}      -> what it is, and how long loading took
{"do": "first", "input": X.npy, "output": Y.npy}    -> the first result, written to Y.npy
{"do": "time", "runs": N}                           -> milliseconds of N runs
An answer with "refused" says in one sentence why there is no other.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import network
import peers


class Server:
    def __init__(self, key, precision, threads, device_name):
        kind = peers.KINDS[key]
        start = time.perf_counter()
        cls = getattr(importlib.import_module(f"peers.{kind.module}"), kind.type)
        arguments = [*([kind.form] if kind.form else []), precision, threads, *([device_name] if kind.wants_device else [])]
        self.peer = cls(*arguments)
        self.import_ms = (time.perf_counter() - start) * 1e3

    def load(self, request):
        described = network.read(request["network"])
        start = time.perf_counter()
        self.peer.load(described, Path(request["folder"]))
        load_ms = (time.perf_counter() - start) * 1e3
        device, driver = self.peer.where
        return {"import_ms": self.import_ms, "load_ms": load_ms, "version": self.peer.version, "device": device,
                "driver": driver}  # fmt: skip

    def first(self, request):
        self.picture = np.load(request["input"])
        scores, first_ms, _ = self.peer.run(self.picture)
        np.save(request["output"], np.asarray(scores, np.float32))
        return {"first_ms": first_ms}

    def time(self, request):
        runs = [self.peer.run(self.picture)[1:] for _ in range(request["runs"])]
        device = [ms for _, ms in runs]
        return {"host_ms": [ms for ms, _ in runs], "device_ms": None if None in device else device,
                "device_memory_bytes": self.peer.device_memory_bytes()}  # fmt: skip


def main():
    key, precision, threads, device_name = sys.argv[1:]
    # Engines print what they like; only answers go to where they are awaited.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    server = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            server = server or Server(key, precision, int(threads), device_name)
            answer(getattr(server, request["do"])(request))
        except Exception as reason:  # whatever an engine throws means that it has no result
            text = str(reason).strip().splitlines() or [""]
            kind = "" if isinstance(reason, network.Unsupported) else f"{type(reason).__name__}: "
            answer({"refused": f"{kind}{text[0]}"[:300]})


if __name__ == "__main__":
    main()
