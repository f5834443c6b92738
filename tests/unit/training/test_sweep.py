"""A sweep keeps the trial of the lowest validation loss, and nothing but that loss decides."""

import json
import math
import pickle

import pandas as pd
import pytest
from glmflow.errors import HopelessError, InputError
from glmflow.training.finetune import finetune
from glmflow.training.sweep import choose, may_fail, validation_value
from tiny_tracks import tiny_tracks

TRIALS = [{"learning_rate": 0.1, "batch": 2}, {"learning_rate": 0.01, "batch": 2}, {"learning_rate": 0.01, "batch": 4}]


def trial(folder, losses, seconds):
    (folder / "model").mkdir(parents=True)
    (folder / "model/head.safetensors").write_text(folder.name)
    lines = [
        {"step": 1, "loss": -9.0},
        *({"step": n, "eval_loss": loss, "test_loss": -9.0} for n, loss in enumerate(losses)),
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "cost.json").write_text(
        json.dumps({"train_seconds": seconds, "warnings": ["a warning"], "device": "CPU"})
    )
    (folder / "run.yaml").write_text(folder.name)
    return folder


@pytest.fixture
def folders(tmp_path):
    # The first was best half way, but what is kept is the model at the end.
    made = [([0.1, 0.9], 10.0), ([0.5, 0.3], 20.0), ([0.6, 0.4], 40.0)]
    return [trial(tmp_path / "trials" / str(n), *what) for n, what in enumerate(made, start=1)]


def test_the_best_is_kept_with_the_cost_of_all(folders, tmp_path):
    choose(folders, TRIALS, tmp_path)
    assert (tmp_path / "model/head.safetensors").read_text() == (tmp_path / "run.yaml").read_text() == "2"
    assert validation_value(tmp_path / "metrics.jsonl") == 0.3
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["train_seconds"] == 70.0 and cost["device"] == "CPU"
    assert cost["warnings"][1].startswith("learning_rate 0.01, batch 2 chosen among 3 trials by the validation loss")
    table = pd.read_csv(tmp_path / "sweep.tsv", sep="\t")
    assert list(table["chosen"]) == [False, True, False]
    assert list(table["validation_loss"]) == [0.9, 0.3, 0.4]
    assert list(table["batch"]) == [2, 2, 4]


def test_without_a_validation_loss_there_is_no_choice(folders, tmp_path):
    (folders[1] / "metrics.jsonl").write_text('{"step": 1, "loss": 0.1}\n')
    with pytest.raises(InputError, match="no validation loss to choose by"):
        choose(folders, TRIALS, tmp_path)


def test_a_trial_that_diverges_is_noted_and_the_others_are_chosen_from(folders, tmp_path):
    """A learning rate of 1e30 makes the loss of the second update anything but a number."""
    diverging = tiny_tracks(tmp_path, learning_rate=1e30, max_grad_norm=1e30, schedule="constant", warmup=0)
    with may_fail(True, tmp_path / "trials/4"):
        finetune(**diverging, folder=tmp_path / "trials/4")
    (tmp_path / "trials/4/run.yaml").write_text("4")
    choose([*folders, tmp_path / "trials/4"], [*TRIALS, {"learning_rate": 1e30, "batch": 2}], tmp_path)
    table = pd.read_csv(tmp_path / "sweep.tsv", sep="\t")
    assert list(table["chosen"]) == [False, True, False, False]
    assert math.isinf(table["validation_loss"][3]) and "in update" in table["failure"][3]
    assert table["failure"][:3].isna().all()
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["warnings"][1].endswith("; 1 of them failed")
    assert cost["train_seconds"] == pytest.approx(70 + table["train_seconds"][3])


def test_a_run_that_is_no_trial_fails_and_so_does_a_trial_that_may_succeed_elsewhere(tmp_path):
    with pytest.raises(HopelessError), may_fail(False, tmp_path / "run"):
        raise HopelessError("the loss is nan")
    with pytest.raises(InputError), may_fail(True, tmp_path / "run"):
        raise InputError("4 GPUs a node are asked for, 2 can be seen")
    assert not (tmp_path / "run").exists()


def test_where_every_trial_failed_all_reasons_are_said(tmp_path):
    folders = [tmp_path / str(n) for n in (1, 2)]
    for folder in folders:
        with may_fail(True, folder):
            raise HopelessError(f"reason {folder.name}")
    with pytest.raises(InputError, match="no trial of the sweep came to a good end: reason 1; reason 2"):
        choose(folders, TRIALS[:2], tmp_path / "run")


def test_a_validation_loss_that_is_no_number_is_not_chosen(folders, tmp_path):
    (folders[0] / "metrics.jsonl").write_text('{"step": 1, "eval_loss": NaN}\n')
    choose(folders, TRIALS, tmp_path)
    assert list(pd.read_csv(tmp_path / "sweep.tsv", sep="\t")["chosen"]) == [False, True, False]


def test_a_bad_end_is_the_same_on_the_other_side_of_a_process():
    error = pickle.loads(pickle.dumps(HopelessError("a", where="b", fix="c")))
    assert type(error) is HopelessError and str(error) == "b: a. c"
