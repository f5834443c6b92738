import numpy as np
import pytest
import tiny_run
import torch
from glmflow.errors import HopelessError
from glmflow.training.loop import fit
from glmflow.training.loop.overfit import STEPS, check_overfit, falls
from glmflow.training.stream import ExampleStream
from tiny_run import TRAINING, Model, collate, item, run, weights
from torch import nn


def try_on(model, training=TRAINING, make=item):
    check_overfit(model, ExampleStream(make, 11, 8, seed=3), collate, training)


@pytest.mark.parametrize("rate", [1e-6, 1e-3, 0.1])
def test_a_model_that_learns_passes_whatever_its_learning_rate(rate):
    try_on(Model(), TRAINING.model_copy(update={"learning_rate": rate, "micro_batch": 4}))


class Deaf(Model):
    """Its loss does not hear its weights."""

    def forward(self, x, y):
        loss = super().forward(x, y)["loss"]
        return {"loss": (y**2).mean() + 0 * loss}


class Backwards(Model):
    """Its loss falls when it should rise."""

    def forward(self, x, y):
        return {"loss": _Turned.apply(super().forward(x, y)["loss"])}


class _Turned(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return -gradient


@pytest.mark.parametrize("model", [Deaf, Backwards])
def test_a_model_that_cannot_learn_one_batch_is_stopped(model):
    torch.manual_seed(0)
    made = model()
    made.layers = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 1))
    with pytest.raises(
        HopelessError, match=r"the loss of a single batch \(example \d+\) does not fall.*overfit_check: false"
    ):
        try_on(made)


def test_a_loss_far_from_zero_may_fall_by_little_if_it_falls_steadily():
    steady = [1e6 - 0.1 * step for step in range(STEPS)]
    assert falls(steady) and not falls([1e6] * STEPS) and not falls(steady[::-1])
    noise = np.random.default_rng(0).normal(size=STEPS)
    assert not falls(list(1e6 + noise - noise[0]))
    assert falls([1.0, 0.9, 5.0, 80.0])


def test_nothing_is_left_of_the_check(tmp_path, monkeypatch):
    expected, _ = run(tmp_path / "without", training=TRAINING.model_copy(update={"overfit_check": False}))
    tried = []
    monkeypatch.setattr(fit, "LONG_RUN", 1)
    monkeypatch.setattr(fit, "check_overfit", lambda *arguments: (tried.append(1), check_overfit(*arguments)))
    model, _ = run(tmp_path / "with")
    assert tried == [1]
    for name, value in weights(expected).items():
        assert torch.equal(weights(model)[name], value), name
    run(tmp_path / "with")
    assert tried == [1], "a run that goes on is not tried again"


def test_a_short_run_is_not_tried_and_a_stopped_one_not_again(tmp_path, monkeypatch):
    def stop(*arguments):
        raise HopelessError("the loss of a single batch does not fall")

    monkeypatch.setattr(fit, "check_overfit", stop)
    run(tmp_path / "short")
    monkeypatch.setattr(fit, "LONG_RUN", tiny_run.UPDATES)
    with pytest.raises(HopelessError, match="does not fall"):
        run(tmp_path / "long")
    monkeypatch.setattr(fit, "check_overfit", lambda *arguments: None)
    with pytest.raises(HopelessError, match="not tried again, as nothing has changed: the loss of a single batch"):
        run(tmp_path / "long")
