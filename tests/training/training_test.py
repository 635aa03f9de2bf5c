"""Training on a few drawn pictures, and the way of its weights into vkseg. Usage: training_test.py BUILD_FOLDER"""

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "apps/simulator/training")]

import numpy as np
import torch

import augment
import classes
import dataset
import drawn_streets
import espnet
import metrics
import preprocess
import scores
import team
import train
import trainer
import weights_file

BUILD = Path(".")
SIZE = (128, 64)
DEVICE = os.environ.get("VKSEG_DEVICE", "reference")


def quietly(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        return function(*arguments), text.getvalue()


class InFolder(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def frames(self, count=8, split="train"):
        drawn_streets.draw_split(self.folder, split, count, 7, *SIZE)
        return dataset.Frames(self.folder, split, SIZE)

    def trainer(self, frames, name="checkpoint.pt", **changed):
        settings = trainer.Settings(**{"crop": (64, 64), "batch": 4, "minutes": 0, "encoder_steps": 30, "full_steps": 30,
                                       "workers": 0, "log_seconds": 0, "validate_seconds": 1e9, **changed})  # fmt: skip
        train_part, validation = frames.split(2)
        return trainer.Trainer(train_part, validation, settings, self.folder / name, self.folder / f"{name}.csv")


class Network(unittest.TestCase):
    def test_has_the_published_number_of_parameters(self):
        self.assertEqual(sum(p.numel() for p in espnet.EspNet().parameters()), 364569)
        self.assertEqual(sum(p.numel() for p in espnet.Encoder().parameters()), 349449)

    def test_slopes_get_the_gradients_of_pytorch(self):
        generator = torch.Generator().manual_seed(1)
        own, reference = espnet.Prelu(3), torch.nn.PReLU(3)
        with torch.no_grad():
            for module in (own, reference):
                module.weight.copy_(torch.tensor([0.25, -0.5, 2.0]))
        results = []
        for module in (own, reference):
            x = torch.randn(2, 3, 5, 7, generator=generator.manual_seed(1)).requires_grad_()
            y = module(x)
            (y * y.detach().sin()).sum().backward()
            results.append((y, x.grad, module.weight.grad))
        for mine, theirs in zip(*results):
            torch.testing.assert_close(mine, theirs)

    def test_starts_the_same_from_the_same_seed(self):
        networks = [espnet.EspNet() for _ in range(3)]
        for network, seed in zip(networks, (1, 1, 2)):
            espnet.initialise(network, torch.Generator().manual_seed(seed))
        first, same, other = [network.encoder.level3_0.c1.conv.weight for network in networks]
        self.assertTrue(torch.equal(first, same))
        self.assertFalse(torch.equal(first, other))


class Data(InFolder):
    def test_label_ids_become_train_ids(self):
        self.assertEqual(classes.train_ids(np.array([7, 33, 0, 4, 255])).tolist(), [0, 18, 255, 255, 255])

    def test_crops_come_again_from_their_seed(self):
        frames = self.frames()
        style = augment.Style((64, 32), (0.5, 1.6), 0.5)
        crops = dataset.Crops(frames, style, 3)
        (picture, labels), (again, _), (other, _) = crops[5], dataset.Crops(frames, style, 3)[5], crops[6]
        self.assertEqual((picture.shape, picture.dtype, labels.shape), ((32, 64, 3), np.uint8, (32, 64)))
        self.assertTrue(np.array_equal(picture, again))
        self.assertFalse(np.array_equal(picture, other))
        self.assertTrue(set(np.unique(labels)) <= set(np.unique(frames.labels)))

    def test_labels_move_with_the_picture(self):
        # Half black, half white, labelled so: wherever the crop lies, each label is on its own half.
        labels = np.zeros((64, 128), np.uint8)
        labels[:, 64:] = 1
        picture = np.repeat(255 * labels[..., None], 3, axis=2)
        style = augment.Style((64, 32), (0.5, 1.6), 0.5)
        for seed in range(20):
            image, mask = augment.crop(np.random.default_rng(seed), picture, labels, style)
            self.assertLess(np.mean((np.asarray(image)[..., 0] > 127) != mask), 0.03)

    def test_a_picture_without_labels_is_named(self):
        self.frames()
        victim = sorted(self.folder.glob("gtFine/train/*/*.png"))[0]
        victim.unlink()
        with self.assertRaisesRegex(dataset.DataError, victim.name):
            dataset.Frames(self.folder, "train", SIZE)

    def test_iou_is_that_counted_by_hand(self):
        confusion = metrics.Confusion()
        confusion.add(np.array([[0, 0, 0, 1], [255, 255, 1, 1]]), np.array([[0, 0, 1, 1], [5, 1, 1, 19]]))
        iou = confusion.iou()
        self.assertAlmostEqual(iou[0], 2 / 3)
        self.assertAlmostEqual(iou[1], 2 / 4)
        self.assertTrue(np.isnan(iou[2:]).all())
        self.assertAlmostEqual(confusion.mean_iou(), (2 / 3 + 2 / 4) / 2)
        self.assertAlmostEqual(confusion.accuracy(), 4 / 6)


class Losses(unittest.TestCase):
    def test_lovasz_softmax_of_certain_scores_is_what_the_iou_lacks(self):
        labels = torch.tensor([[[0, 0, 0, 1], [1, 1, 2, classes.IGNORED]]])
        predicted = torch.tensor([[[0, 0, 1, 1], [1, 0, 2, 1]]])
        scores = 100.0 * torch.nn.functional.one_hot(predicted, 4).permute(0, 3, 1, 2)
        iou = [2 / 4, 2 / 4, 1]
        self.assertAlmostEqual(trainer.lovasz_softmax(scores, labels).item(), 1 - sum(iou) / 3, places=5)

    def test_lovasz_softmax_falls_as_scores_become_right(self):
        labels = torch.arange(12).remainder(3).view(1, 3, 4)
        right = torch.nn.functional.one_hot(labels, 5).permute(0, 3, 1, 2).float()
        losses = [trainer.lovasz_softmax(right * certainty, labels).item() for certainty in (0, 1, 4)]
        self.assertEqual(losses, sorted(losses, reverse=True))
        self.assertLess(losses[2], 0.3 * losses[0])


class Training(InFolder):
    def test_the_loss_falls_in_both_stages(self):
        learner = self.trainer(self.frames())
        quietly(learner.run)
        self.assertTrue(learner.finished)
        for stage in trainer.STAGES:
            losses = [float(row[5]) for row in learner.rows if row[1] == stage and row[5]]
            self.assertEqual(len(losses), 30)
            self.assertLess(np.mean(losses[-6:]), 0.7 * np.mean(losses[:3]), stage)

    def test_goes_on_after_a_stop_as_if_there_had_been_none(self):
        frames = self.frames()
        limits = {"encoder_steps": 4, "full_steps": 4}
        whole = self.trainer(frames, "whole.pt", **limits)
        quietly(whole.run)
        for stop_at in (2, 6):
            name = f"stopped{stop_at}.pt"
            stopped = self.trainer(frames, name, **limits)
            learn = stopped.learn

            def learn_and_stop(*arguments, learner=stopped, learn=learn, stop_at=stop_at):
                learner.stopping = learner.samples + 4 == 4 * stop_at
                return learn(*arguments)

            stopped.learn = learn_and_stop
            quietly(stopped.run)
            self.assertEqual((stopped.samples, stopped.finished), (4 * stop_at, False))
            resumed = self.trainer(frames, name, **limits)
            self.assertEqual(resumed.samples, 4 * stop_at)
            quietly(resumed.run)
            for key, value in whole.network.state_dict().items():
                self.assertTrue(torch.equal(value, resumed.network.state_dict()[key]), key)
            with open(self.folder / f"{name}.csv") as log:
                steps = [(row["stage"], row["step"]) for row in csv.DictReader(log) if row["loss"]]
            self.assertEqual(steps, [(stage, str(step)) for stage in trainer.STAGES for step in (1, 2, 3, 4)])

    def test_goes_on_when_a_finished_run_gets_more(self):
        frames = self.frames()
        quietly(self.trainer(frames, encoder_steps=3, full_steps=3).run)
        self.assertTrue(self.trainer(frames, encoder_steps=3, full_steps=3).finished)
        more = self.trainer(frames, encoder_steps=3, full_steps=5)
        self.assertEqual((more.finished, more.step), (False, 3))
        quietly(more.run)
        self.assertEqual((more.finished, more.samples), (True, 4 * 8))

    def test_goes_on_from_weights_without_the_first_stage(self):
        frames = self.frames()
        first = self.trainer(frames, "first.pt", encoder_steps=5, full_steps=5)
        quietly(first.run)
        file = self.folder / "first.safetensors"
        weights_file.save(file, first.export_state(), {})
        second = self.trainer(frames, "second.pt", start_from=file, lovasz=0.5, full_steps=20)
        for key, value in weights_file.load(file)[0].items():
            self.assertTrue(np.array_equal(second.network.state_dict()[key].numpy(), value), key)
        quietly(second.run)
        self.assertEqual({row[1] for row in second.rows}, {"full"})
        losses = [float(row[5]) for row in second.rows if row[5]]
        self.assertLess(np.mean(losses[-5:]), np.mean(losses[:3]))
        other = espnet.state_dict(espnet.EspNet(classes.OUTPUTS))
        del other["br.weight"]
        weights_file.save(file, other, {})
        with self.assertRaisesRegex(ValueError, r"first\.safetensors.*br\.weight"):
            self.trainer(frames, "third.pt", start_from=file)

    def test_processes_train_one_network_together(self):
        learner = self.trainer(self.frames(), encoder_steps=15, full_steps=15, processes=2)
        quietly(learner.run)
        self.assertEqual((learner.finished, learner.samples), (True, 2 * 4 * 30))
        for stage in trainer.STAGES:
            losses = [float(row[5]) for row in learner.rows if row[1] == stage and row[5]]
            self.assertLess(np.mean(losses[-3:]), 0.8 * losses[0], stage)

    def test_gradients_of_a_team_are_their_mean(self):
        crew = team.Team(3)
        network = torch.nn.Linear(2, 1, bias=False)
        found = []

        def work():
            network.weight.grad = torch.tensor([[1.0, 10.0]]) * (crew.rank + 1)
            crew.average_gradients(network)
            found.extend([network.weight.grad.tolist(), crew.agree(crew.rank + 7)])

        crew.start(work)
        self.assertEqual(found, [[[2.0, 20.0]], 7])

    def test_time_ends_a_stage(self):
        learner = self.trainer(self.frames(), minutes=1 / 60, encoder_steps=0, full_steps=0)
        quietly(learner.run)
        self.assertTrue(learner.finished)
        self.assertGreater(learner.total_elapsed, 0.9)


class Vkseg(InFolder):
    """Needs bin/vkseg in the build folder."""

    def test_gives_the_scores_of_pytorch(self):
        network = espnet.EspNet()
        espnet.initialise(network, torch.Generator().manual_seed(5))
        generator = torch.Generator().manual_seed(6)
        with torch.no_grad():
            # Statistics as after training: none of them the same as at the start.
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    for value in (module.weight, module.running_var):
                        value.uniform_(0.5, 1.5, generator=generator)
                    for value in (module.bias, module.running_mean):
                        value.normal_(0, 0.2, generator=generator)
        file = self.folder / "weights.safetensors"
        weights_file.save(file, espnet.state_dict(network), {"notice": "for a test"})
        rng = np.random.default_rng(8)
        images = preprocess.to_input(rng.integers(0, 256, (1, 64, 128, 3), np.uint8))
        with torch.no_grad():
            expected = scores.load_network(file)(images).numpy()
        np.save(self.folder / "x.npy", images.numpy())
        for device in {"reference", DEVICE}:
            subprocess.run([BUILD / "bin/vkseg", "run", "espnet", "--weights", file, "--input", self.folder / "x.npy",
                            "--output", self.folder / "y.npy", "--device", device, "--precision", "fp32"],
                           check=True)  # fmt: skip
            found = np.load(self.folder / "y.npy")
            difference = np.linalg.norm(found - expected) / np.linalg.norm(expected)
            print(f"vkseg on {device} against PyTorch: relative L2 {difference:.2e}")
            self.assertLess(difference, 1e-4)

    def test_one_command_draws_trains_exports_and_rates(self):
        (self.folder / "bin").mkdir()
        (self.folder / "bin/vkseg").symlink_to((BUILD / "bin/vkseg").resolve())
        simulator = self.folder / "bin/vkseg-simulator"
        simulator.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{HERE / 'drawn_streets.py'}' \"$@\"\n")
        simulator.chmod(0o755)
        output = self.folder / "out"
        command = ["--output", str(output), "--build", str(self.folder), "--frames", "12", "--validation", "2",
                   "--held-out", "4", "--size", "128x64", "--crop", "64x64", "--batch", "4", "--minutes", "0",
                   "--encoder-steps", "100", "--full-steps", "100", "--device", "cpu", "--processes", "2",
                   "--rate-on", DEVICE]  # fmt: skip
        status, text = quietly(train.main, command)
        self.assertEqual(status, 0, text)
        rating = json.loads((output / "rating.json").read_text())
        self.assertEqual(rating["frames"], 4)
        self.assertGreater(rating["vkseg"]["pixel_accuracy"], 0.75, text)
        _, metadata = weights_file.load(output / "espnet-simulator.safetensors")
        self.assertEqual(metadata["input_size"], "128x64")
        # Again: nothing is drawn or trained anew.
        simulator.unlink()
        before = (output / "espnet-simulator.safetensors").read_bytes()
        self.assertEqual(quietly(train.main, command)[0], 0)
        self.assertEqual((output / "espnet-simulator.safetensors").read_bytes(), before)


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
