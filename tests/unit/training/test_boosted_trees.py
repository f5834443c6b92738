"""Boosted trees on frozen states: those of scikit-learn, for classes, labels and values, the same after loading."""

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config.adaptations import Adaptation
from glmflow.config.written_short import of_protocol
from glmflow.models.heads import new_head
from glmflow.training.finetune import finetune
from glmflow.training.predict import predict
from pydantic import ValidationError
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from test_exact_heads import run_of

torch.set_num_threads(1)
SETTINGS = {
    "max_depth": 6,
    "max_leaf_nodes": None,
    "min_samples_leaf": 1,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
SETTINGS |= {"random_state": 0}  # fmt: skip


@pytest.fixture
def states():
    return np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)


def grown(states, truth, outputs):
    head = new_head({"kind": "boosted_trees", "trees": 8}, states.shape[1], outputs)
    head.grow(states, truth)
    return head(torch.from_numpy(states))


def test_classes(states):
    truth = np.digitize(states[:, 0] * states[:, 1], [-0.3, 0.3])
    wanted = HistGradientBoostingClassifier(max_iter=8, **SETTINGS).fit(states, truth).predict_proba(states)
    assert grown(states, truth, 3).softmax(1).numpy() == pytest.approx(wanted, abs=1e-5)
    two = np.where(truth == 2, 3, 1)  # classes 0 and 2 have no training row
    wanted = HistGradientBoostingClassifier(max_iter=8, **SETTINGS).fit(states, two).predict_proba(states)
    found = grown(states, two, 4).softmax(1).numpy()
    assert found[:, [1, 3]] == pytest.approx(wanted, abs=1e-5) and found[:, [0, 2]].max() < 1e-9


def test_labels_and_values(states):
    labels = np.stack([states[:, 0] > 0, np.zeros(150), np.ones(150)], axis=1).astype(np.int64)
    found = grown(states, labels, 3).sigmoid().numpy()
    wanted = HistGradientBoostingClassifier(max_iter=8, **SETTINGS).fit(states, labels[:, 0]).predict_proba(states)
    assert found[:, 0] == pytest.approx(wanted[:, 1], abs=1e-5) and found[:, 1].max() < 1e-9 < found[:, 2].min()
    values = np.stack([states[:, 0] ** 2, states[:, 1]], axis=1).astype(np.float64)
    found = grown(states, values, 2).numpy()
    for place in range(2):
        model = HistGradientBoostingRegressor(max_iter=8, **SETTINGS).fit(states, values[:, place])
        assert found[:, place] == pytest.approx(model.predict(states), abs=1e-5)


def test_a_run_is_the_same_after_loading(tmp_path):
    settings, table, files = run_of(tmp_path)
    own = settings["adaptation"] | {"head": {"kind": "boosted_trees", "trees": 5}}
    settings = settings | {"adaptation": own}
    finetune(settings, table, files, None, tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        predict(settings, table, files, tmp_path / "model", tmp_path / name)
    first, second = (pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("one", "two"))
    assert first.equals(second)
    truth = table.set_index("example")["target"][first["example"]]
    assert ((first["prediction_two"] > 0.5).to_numpy() == (truth == "two").to_numpy()).mean() > 0.8


def test_it_is_a_head_of_frozen_models_and_of_the_published_protocol():
    with pytest.raises(ValidationError, match="kind probe, not full"):
        Adaptation.model_validate({"kind": "full", "head": "boosted_trees"})
    settings, differs = of_protocol("frozen_xgboost")
    assert Adaptation.model_validate(settings).head.trees == 100 and "where it was XGBoost" in differs[0]
