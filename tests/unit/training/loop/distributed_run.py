"""A training run that several processes can do together: no dropout, batch normalisation frozen."""

import time
from pathlib import Path

import tiny_run
import torch
from glmflow.config.adaptations import Training
from glmflow.errors import InputError
from glmflow.training.loop import fit as fitting
from glmflow.training.loop.distributed import is_first
from glmflow.training.loop.fit import fit
from glmflow.training.loop.sharding import is_shared_out
from glmflow.training.stream import ExampleStream
from safetensors.torch import save_file
from torch import nn

UPDATES = 8


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + torch.tanh(self.linear(self.norm(x)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.layers = nn.ModuleList(Layer() for _ in range(3))
        self.fixed = nn.Linear(8, 8).requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self

    def forward(self, x, y):
        x = self.norm(self.first(x)) + self.fixed(self.first(x))
        for layer in self.layers:
            x = layer(x)
        return {"loss": ((self.last(x)[:, 0] - y) ** 2).mean()}


def settings(**changes):
    known = {"optimizer": "adamw", "learning_rate": 0.01, "batch": 8, "micro_batch": 2, "evaluations": 2}
    return Training(**known | changes)


def evaluate(model):
    """Evaluate, and print whether this process holds the model in pieces."""
    print(f"== {'pieces' if is_shared_out(model) else 'whole'}", flush=True)
    return tiny_run.evaluate(model)


def train(folder: Path, training: Training, updates: int = UPDATES, make=tiny_run.item, model=Model):
    """Train and write the weights."""
    model = model()
    draws = ExampleStream(make, 11, updates * training.batch, seed=3)
    fit(model, draws, tiny_run.collate, training, updates, folder, 3, evaluate)
    if is_first():
        save_file(dict(model.state_dict()), folder / "weights.safetensors")


class Live(Model):
    """Batch normalisation learns its statistics."""

    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Deaf(Model):
    """Its loss does not hear its weights."""

    def forward(self, x, y):
        return {"loss": (y**2).mean() + 0 * super().forward(x, y)["loss"]}


def train_each(runs: list[dict]):
    """Train one after another in the same processes, whose start takes longer than a run."""
    usual = fitting.LONG_RUN
    for run in runs:
        fitting.LONG_RUN = 1 if run.get("checked") else usual
        if is_first():
            print(f"== {run['folder'].name}", flush=True)
        run["folder"].mkdir(parents=True, exist_ok=True)
        train(**{name: value for name, value in run.items() if name != "checked"})


def refuse(folder: Path):
    """Find that the input is at fault, in the second process alone."""
    if not is_first():
        raise InputError("the loss is nan", where=folder, fix="Lower it")


def slow_item(example, generator):
    """Make an item and leave time for a signal."""
    time.sleep(0.02)
    return tiny_run.item(example, generator)


def divide():
    """Fail in the second process alone."""
    if not is_first():
        1 / 0  # noqa: B018


def leave():
    """Leave as training does when its time is over."""
    raise SystemExit(143)
