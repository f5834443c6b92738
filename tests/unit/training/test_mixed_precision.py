"""Attention is chosen for the type that training computes in, not for that of the weights."""

from unittest.mock import MagicMock

import pandas as pd
import pytest
from glmflow.training import extend, finetune


class Loaded(Exception):
    """Ends a run where its model is loaded."""


@pytest.fixture
def loads(monkeypatch):
    types = []

    def load_model(folder, compute_dtype=None):
        types.append(compute_dtype)
        raise Loaded

    for module in (finetune, extend):
        monkeypatch.setattr(module, "load_model", load_model)
    files = ("Reference", "TrackReader", "TrackExamples", "strand_swap", "table_digest", "fingerprint")
    for name in (*files, "checkpoints_of", "refuse_known_failure"):  # what comes before the model
        monkeypatch.setattr(finetune, name, MagicMock())
    return types


@pytest.mark.parametrize("bf16", [True, False])
def test_runs_tell_the_type_they_train_in(bf16, loads, tmp_path):
    settings = {
        "task": {"kind": "rnaseq_tracks"},
        "model": {"checkpoint": "any"},
        "adaptation": {"kind": "full", "train": {"bf16": bf16, "steps": 1}},
        "seed": 1,
        "tracks": {},
    }
    with pytest.raises(Loaded):
        finetune.finetune(settings, pd.DataFrame({"split": ["train"]}), "any", {}, {}, "any", tmp_path)
    block = {"model": "base", "method": "pi", "factor": 2, "bf16": bf16}
    with pytest.raises(Loaded):
        extend.extend_model(block, "any", None, None, 1, tmp_path, tmp_path)
    assert loads == ["bfloat16" if bf16 else "float32"] * 2
