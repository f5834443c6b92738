"""`keep: best`: the weights of the evaluation with the lowest validation loss are what a run ends with."""

import json

import pytest
import torch
from glmflow.config.adaptations import Training
from glmflow.training.loop.best_weights import Best, best_so_far, best_weights, keep_if_best
from glmflow.training.sweep import validation_value
from pydantic import ValidationError
from tiny_run import TRAINING, Model, run, weights

BEST = TRAINING.model_copy(update={"keep": "best"})


class Scripted:
    """An evaluation whose losses are given, and the weights that it saw."""

    def __init__(self, *losses):
        self.losses, self.seen = list(losses), []

    def __call__(self, model):
        self.seen.append(weights(model))
        return {"loss": self.losses[len(self.seen) - 1]}


@pytest.mark.parametrize(("losses", "kept"), [((3, 1, 2), 1), ((1, 2, 3), 0), ((3, 2, 1), 2), ((2, 2, 2), 0)])
def test_a_run_ends_with_the_weights_of_the_lowest_loss(tmp_path, losses, kept):
    evaluate = Scripted(*map(float, losses))
    model, fitted = run(tmp_path, BEST, evaluate_model=evaluate)
    found = weights(model)
    assert all(torch.equal(found[name], value) for name, value in evaluate.seen[kept].items())
    assert fitted.kept_update == (2, 4, 6)[kept] and fitted.updates == 6
    assert validation_value(tmp_path / "metrics.jsonl", fitted.kept_update) == min(losses)


def test_without_it_the_last_weights_are_kept(tmp_path):
    evaluate = Scripted(1.0, 2.0, 3.0)
    model, fitted = run(tmp_path, evaluate_model=evaluate)
    assert all(torch.equal(weights(model)[name], value) for name, value in evaluate.seen[2].items())
    assert fitted.kept_update == 6 and validation_value(tmp_path / "metrics.jsonl", 6) == 3.0


def test_a_loss_that_is_no_number_is_never_the_best(tmp_path):
    state = {name: value.contiguous() for name, value in weights(Model()).items()}
    assert best_so_far(tmp_path) is None
    keep_if_best(tmp_path, Best(float("nan"), 1), state)
    assert best_so_far(tmp_path) is None
    keep_if_best(tmp_path, Best(0.1 + 0.2, 2), state)
    keep_if_best(tmp_path, Best(0.4, 3), {name: value * 0 for name, value in state.items()})
    assert best_so_far(tmp_path) == Best(0.1 + 0.2, 2)
    assert all(torch.equal(best_weights(tmp_path)[name], value) for name, value in state.items())
    (tmp_path / "best.safetensors").write_bytes(json.dumps({}).encode())
    assert best_so_far(tmp_path) is None


def test_a_choice_without_evaluations_is_refused():
    with pytest.raises(ValidationError, match="keep: best chooses by the validation loss"):
        Training(keep="best", evaluations=0)
