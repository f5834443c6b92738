"""A sweep keeps the trial of the lowest validation loss, and nothing but that loss decides."""

import json

import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.training.sweep import choose, validation_loss

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
    assert validation_loss(tmp_path / "metrics.jsonl") == 0.3
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
