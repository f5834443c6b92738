"""Heads as regressions on frozen states: those of scikit-learn, chosen on validation, the same after loading."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config.adaptations import Adaptation
from glmflow.config.tasks.sequences import Sequences
from glmflow.config.unread import unread
from glmflow.files import write_table
from glmflow.models.layer_states import pooled_states
from glmflow.training.exact_heads import of_classes, of_labels
from glmflow.training.finetune import finetune
from glmflow.training.predict import predict
from glmflow.training.tuned import load_tuned
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)


def run_of(folder):
    """Write examples whose class is their base composition; return settings, examples and files of a probe."""
    generator = np.random.default_rng(0)
    count = 120
    label = np.arange(count) % 2
    shares = np.where(label[:, None] == 1, [0.4, 0.1, 0.4, 0.1], [0.1, 0.4, 0.1, 0.4])
    text = ["".join(generator.choice(list("ACGT"), 40, p=share)) for share in shares]
    split = np.repeat(["train", "validation", "test"], [80, 20, 20])
    table = pd.DataFrame({"example": [f"e{i}" for i in range(count)], "sequence": text, "split": split})
    names = ["one", "two"]
    table["target"] = np.array(names)[label]
    write_table(pd.DataFrame({"class": names}), folder / "classes.tsv")
    task = {"kind": "sequences", "table": "t.csv", "length": 40}
    adaptation = {
        "kind": "probe", "weights": "random", "head": {"kind": "pooled", "solver": "exact"},
        "loss": {"kind": "cross_entropy"}, "train": {"micro_batch": 8},
    }  # fmt: skip
    model = {
        "new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "causal": False}}
    }
    settings = {
        "study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1, "task": task,
        "model": model, "adaptation": adaptation,
    }  # fmt: skip
    return settings, table, {"tables": str(folder)}


def test_a_probe_is_the_logistic_regression_of_its_states(tmp_path):
    settings, table, files = run_of(tmp_path)
    finetune(settings, table, files, None, tmp_path)
    predict(settings, table, files, tmp_path / "model", tmp_path)
    found = pd.read_parquet(tmp_path / "predictions.parquet")
    model, _ = load_tuned(tmp_path / "model")
    codes = [np.frombuffer(text.encode(), np.uint8) for text in table["sequence"]]
    states = np.stack([state.numpy() for state in pooled_states(model.adapter, codes, "mean")]).astype(float)
    train, held = (table["split"] == "train").to_numpy(), (table["split"] != "train").to_numpy()
    mean, spread = states[train].mean(axis=0), states[train].std(axis=0)
    x, y = (states - mean) / spread, (table["target"] == "two").to_numpy()
    chosen = json.loads((tmp_path / "metrics.jsonl").read_text())
    expected = (
        LogisticRegression(C=chosen["penalty"], max_iter=1000).fit(x[train], y[train]).predict_proba(x[held])[:, 1]
    )
    assert found["prediction_two"].to_numpy() == pytest.approx(expected, abs=2e-3)
    assert (found["prediction_one"] + found["prediction_two"]).to_numpy() == pytest.approx(1)
    validation = (table["split"] == "validation").to_numpy()
    losses = {}
    for c in (0.01, 0.1, 1.0, 10.0):
        p = LogisticRegression(C=c, max_iter=1000).fit(x[train], y[train]).predict_proba(x[validation])
        losses[c] = -np.log(p[np.arange(len(p)), y[validation].astype(int)]).mean()
    assert chosen["penalty"] == min(losses, key=losses.get) and chosen["eval_loss"] == pytest.approx(
        min(losses.values()), abs=1e-3
    )
    predict(settings, table, files, tmp_path / "model", tmp_path)
    assert pd.read_parquet(tmp_path / "predictions.parquet").equals(found)


def test_classes_and_labels_that_no_row_has():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 3))
    truth = np.where(x[:, 0] > 0, 2, 0)
    weight, bias = of_classes(x, truth, 4, 1.0)
    scores = x @ weight.T + bias
    assert (scores.argmax(axis=1) == truth).mean() > 0.95 and (bias[[1, 3]] == -30).all()
    labels = np.stack([truth == 2, np.zeros(60), np.ones(60)], axis=1).astype(np.float32)
    weight, bias = of_labels(x, labels, 3, 1.0)
    assert bias[1] == -30 and bias[2] == 30
    own = LogisticRegression(C=1.0, max_iter=1000).fit(x, labels[:, 0])
    assert weight[0] == pytest.approx(own.coef_[0])


def test_keys_that_are_not_read_are_refused():
    own = {"kind": "probe", "head": {"kind": "pooled", "solver": "exact"}, "train": {"steps": 5, "micro_batch": 8}}
    task = Sequences.model_validate({"kind": "sequences", "table": "t.csv"})
    assert [key for key, _ in unread(Adaptation.model_validate(own), task)] == ["train.steps"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "full", "head": {"kind": "pooled", "solver": "exact"}}, "kind probe, not full"),
        ({"kind": "probe", "head": {"kind": "pooled", "solver": "exact", "hidden": 8}}, "leave hidden"),
    ],
)
def test_what_is_not_read_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Adaptation.model_validate(settings)
