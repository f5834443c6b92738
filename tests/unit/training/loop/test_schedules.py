"""Learning rates by update, computed by hand, and the same ones in a run that is stopped and goes on."""

import json
import math

import pytest
import torch
from glmflow.config.models import Pretrain
from glmflow.training.loop.fit import training_arguments
from tiny_run import TRAINING, evaluate, run, weights
from transformers import get_scheduler

PEAK = 0.01


def rates(schedule, updates, tmp_path, warmup=0.1):
    """Return the rate of each update as a share of the peak."""
    training = TRAINING.model_copy(update={"schedule": schedule, "warmup": warmup, "learning_rate": PEAK})
    asked = training_arguments(training, updates, tmp_path, 1, evaluates=False)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    kwargs = asked.lr_scheduler_kwargs
    made = get_scheduler(asked.lr_scheduler_type, optimizer, int(asked.warmup_steps), updates, kwargs or None)
    found = []
    for _ in range(updates):
        found.append(made.get_last_lr()[0] / PEAK)
        optimizer.step()
        made.step()
    return found


@pytest.mark.parametrize("schedule", ["cosine", "cosine_tenth"])
def test_cosines_begin_at_the_peak_and_end_at_nothing_or_a_tenth(schedule, tmp_path):
    least = {"cosine": 0.0, "cosine_tenth": 0.1}[schedule]
    found = rates(schedule, 100, tmp_path)
    assert found[:11] == pytest.approx([step / 10 for step in range(11)])
    assert found[55] == pytest.approx(least + (1 - least) / 2)  # halfway between 10 and 100
    assert found[40] == pytest.approx(least + (1 - least) * 0.75)  # a third of the way: cos(60 degrees) is a half
    assert found[99] == pytest.approx(least + (1 - least) * (1 + math.cos(math.pi * 89 / 90)) / 2)
    assert least <= found[99] < least + 0.001


def test_wsd_stays_at_the_peak_until_the_last_fifth(tmp_path):
    found = rates("wsd", 100, tmp_path)
    assert found[5] == pytest.approx(0.5) and found[10:81] == pytest.approx([1.0] * 71)
    assert found[90] == pytest.approx(0.5) and found[99] == pytest.approx(0.05)
    # All warm-up, and nothing left to fall over; a warm-up into the last fifth.
    assert rates("wsd", 4, tmp_path, warmup=4) == pytest.approx([0, 0.25, 0.5, 0.75])
    assert rates("wsd", 10, tmp_path, warmup=9) == pytest.approx([*(step / 9 for step in range(9)), 1])


def test_pretraining_has_the_schedules_and_its_default_is_what_it_was():
    given = {"family": "small", "steps": 100}
    assert Pretrain.model_validate(given).training().schedule == "cosine"
    assert Pretrain.model_validate(given | {"schedule": "wsd"}).training().schedule == "wsd"


class Stopped(Exception):
    """An end in the middle of a run."""


@pytest.mark.parametrize("schedule", [pytest.param("cosine_tenth", marks=pytest.mark.slow), "wsd"])
def test_a_run_that_was_stopped_goes_on_at_the_rate_of_its_update(schedule, tmp_path):
    training = TRAINING.model_copy(update={"schedule": schedule, "evaluations": 6})
    whole, _ = run(tmp_path / "whole", training, updates=12)
    count = 0

    def stopping(model):
        nonlocal count
        count += 1
        if count == 4:
            raise Stopped
        return evaluate(model)

    with pytest.raises(Stopped):
        run(tmp_path / "stopped", training, updates=12, evaluate_model=stopping)
    resumed, _ = run(tmp_path / "stopped", training, updates=12)
    assert logged(tmp_path / "stopped") == logged(tmp_path / "whole") and len(logged(tmp_path / "whole")) == 12
    assert all(torch.equal(weights(resumed)[name], value) for name, value in weights(whole).items())


def logged(folder):
    """Return the rates of a run's updates."""
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [line["learning_rate"] for line in lines if "learning_rate" in line]
