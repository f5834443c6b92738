"""A run is ended at every kind of moment and at random ones, and goes on: it ends as if nothing had happened."""

import itertools
import json
import os
import random
import signal

import pytest
import tiny_run
import torch
from glmflow.training.loop import checkpoints, trainer
from tiny_run import Model, in_child, item, run, weights

pytestmark = pytest.mark.slow
torch.set_num_threads(1)

KINDS = ("loading", "forward", "before the step", "after the step", "writing", "evaluation")
SIGNALS = (signal.SIGKILL, signal.SIGTERM)


class Moments:
    """Counts the moments of a run, in the order in which they come, and does something at one of them."""

    def __init__(self, patch, at=None, act=lambda: None):
        self.passed, self.at, self.act = [], at, act
        step, save, digest = torch.optim.AdamW.step, trainer.save_file, checkpoints.sha256

        def stepping(optimizer, *args, **kwargs):
            self("before the step")
            result = step(optimizer, *args, **kwargs)
            self("after the step")
            return result

        def saving(*args):
            save(*args)
            self("writing")

        def digesting(path):
            if ".writing" in str(path):
                self("writing")
            return digest(path)

        patch.setattr(torch.optim.AdamW, "step", stepping)
        patch.setattr(trainer, "save_file", saving)
        patch.setattr(checkpoints, "sha256", digesting)

    def __call__(self, kind):
        self.passed.append(kind)
        if len(self.passed) - 1 == self.at:
            self.act()

    def make(self, example, generator):
        self("loading")
        return item(example, generator)

    def evaluate(self, model):
        self("evaluation")
        return tiny_run.evaluate(model)

    def model(self):
        moments = self

        class Counted(Model):
            def forward(self, x, y):
                if self.training:
                    moments("forward")
                return super().forward(x, y)

        return Counted()

    def settings(self):
        return {"make": self.make, "evaluate_model": self.evaluate, "model": self.model()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The weights, the logged numbers and the moments of a run that nobody ends."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        moments = Moments(patch)
        model, _ = run(folder, **moments.settings())
    return weights(model), lines(folder), moments.passed


def lines(folder):
    machine = ("time", "memory_mb", "samples_per_second")
    read = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in machine} for line in read]


def end_at(folder, moment, number):
    """Run in a child that gets a signal at a moment; return how it ended."""

    def child():
        with pytest.MonkeyPatch.context() as patch:
            moments = Moments(patch, moment, lambda: os.kill(os.getpid(), number))
            run(folder, **moments.settings())

    return in_child(child)


def check_the_end(folder, undisturbed):
    model, _ = run(folder)
    expected, expected_lines, _ = undisturbed
    found = weights(model)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert lines(folder) == expected_lines


@pytest.mark.parametrize(("kind", "number"), itertools.product(KINDS, SIGNALS), ids=lambda value: str(value))
def test_every_kind_of_moment(undisturbed, tmp_path, kind, number):
    places = [place for place, passed in enumerate(undisturbed[2]) if passed == kind]
    place = random.Random(f"{kind}{number}").choice(places)
    code = end_at(tmp_path, place, number)
    assert code == -signal.SIGKILL if number == signal.SIGKILL else code in (143, 0)
    check_the_end(tmp_path, undisturbed)


@pytest.mark.parametrize("seed", range(12))
def test_ended_twice_at_random_moments(undisturbed, tmp_path, seed):
    generator = random.Random(seed)
    for _ in range(2):
        end_at(tmp_path, generator.randrange(len(undisturbed[2])), generator.choice(SIGNALS))
    check_the_end(tmp_path, undisturbed)


def test_ended_in_the_last_evaluation_again_and_again(undisturbed, tmp_path):
    last = max(place for place, kind in enumerate(undisturbed[2]) if kind == "evaluation")
    end_at(tmp_path, last, signal.SIGTERM)
    for number in SIGNALS:
        end_at(tmp_path, 0, number)
    check_the_end(tmp_path, undisturbed)


def test_the_matrix_meets_every_kind(undisturbed):
    assert set(undisturbed[2]) == set(KINDS)
