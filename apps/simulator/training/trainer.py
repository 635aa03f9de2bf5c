"""The two stages of the paper: the encoder on labels at 1/8 of the size, then encoder and decoder on all pixels.

How far a stage is, and with it the learning rate, is told by time or by steps, whichever is further; so a run fits into
the minutes given to it on any machine, and goes on where it stopped.
"""

import csv
import os
import time
from dataclasses import dataclass

import torch
from torch.nn import functional

import augment
import classes
import dataset
import espnet
import metrics
import preprocess
from team import Team

STAGES = ("encoder", "full")
LOG_COLUMNS = ("elapsed_s", "stage", "step", "crops", "learning_rate", "loss", "val_miou", "val_accuracy")


@dataclass
class Settings:
    crop: tuple = (256, 128)
    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 5e-4
    # 0: no limit. Whichever limit is met first ends a stage.
    minutes: float = 60.0
    encoder_share: float = 0.35
    encoder_steps: int = 0
    full_steps: int = 0
    seed: int = 1
    # Weights of the whole network to begin with; then there is no first stage.
    start_from: str = ""
    # What the part of Lovasz-softmax in the second stage's loss is multiplied by.
    lovasz: float = 0.0
    # Range of the crops' scale, and share of them whose colours and sharpness are changed.
    scale: tuple = (0.5, 1.6)
    strong: float = 0.5
    # Of a process: augmentation goes on beside training.
    workers: int = 1
    processes: int = 1
    device: str = "cpu"
    # Steps compiled by PyTorch 2, convolutions in bfloat16.
    compiled: bool = False
    log_seconds: float = 20.0
    checkpoint_seconds: float = 60.0
    validate_seconds: float = 240.0


def loss_of(scores, labels, weights):
    """Weighted cross-entropy over all labelled pixels."""
    # Scores of a pixel lie side by side in memory, so this is a view, and far quicker than to take the mean in place.
    scores = scores.permute(0, 2, 3, 1).reshape(-1, scores.shape[1])
    return functional.cross_entropy(scores, labels.reshape(-1), weights, ignore_index=classes.IGNORED)


# Of rows and columns, every so many are looked at by lovasz_softmax: it sorts them.
LOVASZ_STEP = 4


def lovasz_softmax(scores, labels):
    """How far the IoU of each class that is there is from 1, made smooth (Berman et al., CVPR 2018, section 2)."""
    scores = scores.float().permute(0, 2, 3, 1).reshape(-1, scores.shape[1])
    labels = labels.reshape(-1)
    known = labels != classes.IGNORED
    labels = labels[known]
    truth = functional.one_hot(labels, scores.shape[1]).t()
    present = truth.any(1)
    truth = truth[present].float()
    errors = (truth - functional.softmax(scores[known], 1).t()[present]).abs()
    errors, order = errors.sort(1, descending=True)
    truth = truth.gather(1, order)
    missed = truth.sum(1, keepdim=True) - truth.cumsum(1)
    jaccard = 1 - missed / (truth.sum(1, keepdim=True) + (1 - truth).cumsum(1))
    steps = torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], 1)
    return (errors * steps).sum(1).mean()


def predict(network, pictures, device):
    """Classes of RGB bytes (N, H, W, 3), at the size of the network's scores."""
    with torch.no_grad():
        return network(preprocess.to_input(pictures).to(device)).argmax(1).to(torch.uint8).cpu().numpy()


def score(network, frames, device, batch=4):
    """Confusion of a network with scores at the picture's size, or of an encoder against thinned labels."""
    was_training = network.training
    network.eval()
    confusion = metrics.Confusion()
    for start in range(0, len(frames), batch):
        part = slice(start, start + batch)
        predicted = predict(network, frames.pictures[part], device)
        step = frames.labels.shape[1] // predicted.shape[1]
        confusion.add(thinned(frames.labels[part], step), predicted)
    network.train(was_training)
    return confusion


def thinned(labels, step):
    """Every `step`-th label, those in the middle of their cells."""
    return labels[..., step // 2 :: step, step // 2 :: step]


class Trainer:
    """One network through both stages. `checkpoint` is a file that appears complete or not at all."""

    def __init__(self, train, validation, settings, checkpoint, log):
        self.train_frames, self.validation = train, validation
        self.settings = settings
        self.checkpoint, self.log = checkpoint, log
        self.device = torch.device(settings.device)
        self.network = espnet.EspNet(classes.OUTPUTS)
        espnet.initialise(self.network, torch.Generator().manual_seed(settings.seed))
        self.network.to(self.device, memory_format=torch.channels_last)
        self.weights = dataset.class_weights(train.class_shares()).to(self.device)
        self.stage, self.step, self.samples = 0, 0, 0
        # Seconds of training in each stage, those before a stop included.
        self.elapsed = [0.0, 0.0]
        self.optimiser = self.new_optimiser()
        self.best = {"miou": -1.0, "state": None}
        self.rows = []
        self.stopping = False
        self.team = Team(settings.processes)
        if os.path.exists(checkpoint):
            self.resume()
        elif settings.start_from:
            self.start_from(settings.start_from)

    @property
    def finished(self):
        return self.stage == len(STAGES)

    @property
    def total_elapsed(self):
        return sum(self.elapsed)

    def new_optimiser(self):
        settings = self.settings
        return torch.optim.AdamW(espnet.parameter_groups(self.network, settings.learning_rate, settings.weight_decay))

    def progress(self):
        """How much of the stage is done, 0 to 1."""
        settings = self.settings
        first = 0 if settings.start_from else settings.encoder_share
        share = first if self.stage == 0 else 1 - first
        steps = settings.encoder_steps if self.stage == 0 else settings.full_steps
        by_time = self.elapsed[self.stage] / (60 * settings.minutes * share) if settings.minutes else 0
        by_steps = self.step / steps if steps else 0
        return min(1.0, max(by_time, by_steps))

    def rate(self, progress):
        """A short warm-up, then the polynomial decay of the field."""
        warm_up = 0.02
        peak = self.settings.learning_rate
        return peak * min(1.0, (progress + 0.002) / warm_up) * (1 - progress) ** 0.9

    def run(self):
        if self.settings.minutes == 0 and not (self.settings.encoder_steps and self.settings.full_steps):
            raise ValueError("training needs a limit: minutes, or steps of both stages")
        self.team.start(self.run_stages)

    def run_stages(self):
        while not self.finished:
            if not self.run_stage():
                self.save()
                return
            self.stage += 1
            if not self.finished:
                self.step = 0
            self.optimiser = self.new_optimiser()
            self.save()

    def run_stage(self):
        """Whether the stage came to its end; it may have been stopped before."""
        settings = self.settings
        trained = self.network.encoder if STAGES[self.stage] == "encoder" else self.network
        trained.train()
        objective = self.objective(trained)
        last = time.monotonic()
        due = {"log": settings.log_seconds, "save": settings.checkpoint_seconds, "validate": settings.validate_seconds}
        since = dict.fromkeys(due, 0.0)
        losses = []
        every = settings.batch * self.team.size
        how = augment.Style(settings.crop, settings.scale, settings.strong)
        loader = dataset.batches(self.train_frames, how, settings.seed, settings.batch,
                                 self.samples + self.team.rank * settings.batch, every, settings.workers)  # fmt: skip
        stopped = -1.0
        for pictures, labels in loader:
            progress = self.team.agree(stopped if self.stopping else self.progress())
            if progress >= 1 or progress == stopped:
                break
            for group in self.optimiser.param_groups:
                group["lr"] = group["scale"] * self.rate(progress)
            losses.append(self.learn(trained, objective, pictures, labels))
            self.step += 1
            self.samples += every
            now = time.monotonic()
            self.elapsed[self.stage] += now - last
            since = {name: passed + now - last for name, passed in since.items()}
            last = now
            if since["log"] >= due["log"]:
                self.write_row(losses)
                losses, since["log"] = [], 0.0
            if since["validate"] >= due["validate"]:
                self.validate(trained)
                since["validate"] = 0.0
            if since["save"] >= due["save"]:
                self.save()
                since["save"] = 0.0
        if losses:
            self.write_row(losses)
        if progress == stopped:
            return False
        self.validate(trained)
        return True

    def objective(self, trained):
        """A function from images and labels to the cross-entropy, and to scores and labels of the pixels that
        lovasz_softmax is to see."""

        def evaluate(images, labels):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.compiled):
                scores = trained(images)
            labels = thinned(labels, labels.shape[-1] // scores.shape[-1])
            step = LOVASZ_STEP
            return loss_of(scores.float(), labels, self.weights), scores[..., ::step, ::step], labels[..., ::step, ::step]

        return torch.compile(evaluate) if self.settings.compiled else evaluate

    def learn(self, trained, objective, pictures, labels):
        images = preprocess.to_input(pictures).to(self.device, memory_format=torch.channels_last)
        loss, scores, seen = objective(images, labels.to(self.device))
        if self.settings.lovasz and trained is self.network:
            loss = loss + self.settings.lovasz * lovasz_softmax(scores, seen)
        self.optimiser.zero_grad()
        loss.backward()
        self.team.average_gradients(trained)
        length = torch.nn.utils.clip_grad_norm_(trained.parameters(), 5.0)
        if not torch.isfinite(length):
            raise FloatingPointError(f"step {self.step + 1} of stage '{STAGES[self.stage]}' has no finite gradient")
        self.optimiser.step()
        return loss.item()

    def validate(self, trained):
        if not self.team.leads:
            return
        confusion = score(trained, self.validation, self.device)
        miou = confusion.mean_iou()
        self.write_row([], f"{miou:.4f}", f"{confusion.accuracy():.4f}")
        # The stages are not compared: the encoder alone cannot be exported.
        if STAGES[self.stage] == "full" and miou > self.best["miou"]:
            self.best = {"miou": miou, "state": {k: v.detach().cpu().clone() for k, v in self.export_state().items()}}

    def export_state(self):
        return espnet.state_dict(self.network)

    def write_row(self, losses, miou="", accuracy=""):
        if not self.team.leads:
            return
        rate = self.optimiser.param_groups[0]["lr"]
        loss = f"{sum(losses) / len(losses):.4f}" if losses else ""
        row = (f"{self.total_elapsed:.0f}", STAGES[self.stage], self.step, self.samples, f"{rate:.6f}", loss, miou, accuracy)
        self.rows.append(row)
        print(" ".join(f"{name}={value}" for name, value in zip(LOG_COLUMNS, row) if value != ""), flush=True)

    def save(self):
        """The log is written from what the checkpoint holds, so the two never disagree after a stop."""
        if not self.team.leads:
            return
        write_whole(self.checkpoint, lambda file: torch.save({
            "network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(), "stage": self.stage,
            "step": self.step, "samples": self.samples, "elapsed": self.elapsed, "best": self.best, "rows": self.rows,
        }, file))  # fmt: skip
        with open(f"{self.log}.partial", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([LOG_COLUMNS, *self.rows])
        os.replace(f"{self.log}.partial", self.log)

    def start_from(self, file):
        espnet.load_state(self.network, file)
        self.stage = STAGES.index("full")
        self.optimiser = self.new_optimiser()

    def resume(self):
        saved = torch.load(self.checkpoint, map_location=self.device)
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.stage, self.step, self.samples = saved["stage"], saved["step"], saved["samples"]
        self.elapsed, self.best, self.rows = saved["elapsed"], saved["best"], saved["rows"]
        if self.finished:
            # Whoever gives a finished run more time wants the last stage to go on.
            self.stage -= 1
            if self.progress() >= 1:
                self.stage += 1


def write_whole(path, write):
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
