"""A training run of a second that has everything a real one has: dropout, batch norm, accumulation, evaluation."""

import os

import numpy as np
import torch
from glmflow.config.adaptations import Training
from glmflow.training.loop.fit import fit
from glmflow.training.stream import ExampleStream
from torch import nn

UPDATES = 6
TRAINING = Training(optimizer="adamw", learning_rate=0.01, batch=4, micro_batch=2, evaluations=3, warmup=0.2)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def forward(self, x, y):
        return {"loss": ((self.layers(x)[:, 0] - y) ** 2).mean()}


def item(example, generator):
    x = np.random.default_rng(example).normal(size=3)
    return {"x": x + 0.1 * generator.normal(size=3), "y": x.sum()}


def collate(items):
    return {name: torch.tensor(np.array([item[name] for item in items]), dtype=torch.float32) for name in "xy"}


def evaluate(model):
    """A metric; like a real one it goes through a DataLoader, which draws from the global generator."""
    loader = torch.utils.data.DataLoader([collate([item(n, np.random.default_rng(n)) for n in range(5)])], None)
    return {"loss": sum(model(**batch)["loss"].item() for batch in loader)}


def run(folder, training=TRAINING, updates=UPDATES, model=None, make=item, evaluate_model=evaluate, **identity):
    """Train in a folder and return the model and what `fit` says."""
    model = model or Model()
    draws = ExampleStream(make, 11, updates * training.batch, seed=3)
    return model, fit(model, draws, collate, training, updates, folder, 3, evaluate_model, identity)


def weights(model):
    """Every parameter and buffer."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def in_child(function):
    """Run a function in a forked process and return how the process ended, as `os.waitstatus_to_exitcode` gives it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        except SystemExit as leave:
            code = leave.code
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
