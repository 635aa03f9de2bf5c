"""Processes that train one network together: each takes its own crops, and all take the mean of their gradients.

On a CPU two processes of one thread do more than two threads of one process: they wait for each other once a step, not
once an operation. With one process, everything here comes to nothing."""

import multiprocessing
import os
import signal
import tempfile

import torch
from torch import distributed


class Team:
    def __init__(self, size=1):
        self.size, self.rank = size, 0
        self.others = []

    @property
    def leads(self):
        """Whether this process decides, logs and writes for all."""
        return self.rank == 0

    def start(self, work):
        """Runs `work` in all processes. The others are copies of this one: they begin with its network and frames."""
        if self.size == 1:
            return work()
        with tempfile.TemporaryDirectory() as folder:
            meeting = f"file://{os.path.join(folder, 'meeting')}"
            context = multiprocessing.get_context("fork")
            self.others = [context.Process(target=self.follow, args=(work, meeting, rank)) for rank in range(1, self.size)]
            for other in self.others:
                other.start()
            try:
                self.meet(meeting)
                work()
            finally:
                distributed.destroy_process_group()
                for other in self.others:
                    other.join(10)
                    other.terminate()

    def follow(self, work, meeting, rank):
        self.rank = rank
        # The first process decides when to stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            self.meet(meeting)
            work()
        except (FloatingPointError, RuntimeError):
            # The first process met the same, or is gone: it tells.
            os._exit(1)

    def meet(self, meeting):
        distributed.init_process_group("gloo", init_method=meeting, rank=self.rank, world_size=self.size)

    def agree(self, value):
        """The first process's number, for all."""
        if self.size == 1:
            return value
        message = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(message, 0)
        return message.item()

    def average_gradients(self, network):
        if self.size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(mean.view(gradient.shape))
