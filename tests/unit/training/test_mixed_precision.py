"""Attention is chosen for the type that training computes in, not for that of the weights."""

import pytest
from glmflow.training import extend, starting
from glmflow.training.finetune import finetune
from tiny_tracks import tiny_tracks


class Loaded(Exception):
    """Ends a run where its model is loaded."""


@pytest.fixture
def loads(monkeypatch):
    types = []

    def load_model(folder, compute_dtype=None):
        types.append(compute_dtype)
        raise Loaded

    for module in (starting, extend):
        monkeypatch.setattr(module, "load_model", load_model)
    return types


@pytest.mark.parametrize("bf16", [True, False])
def test_runs_tell_the_type_they_train_in(bf16, loads, tmp_path):
    run = tiny_tracks(tmp_path, bf16=bf16) | {"checkpoint": tmp_path / "any", "folder": tmp_path}
    (tmp_path / "any").mkdir()
    with pytest.raises(Loaded):
        finetune(**run)
    block = {"model": "base", "method": "pi", "factor": 2, "bf16": bf16}
    with pytest.raises(Loaded):
        extend.extend_model(block, "any", None, None, 1, tmp_path, tmp_path)
    assert loads == ["bfloat16" if bf16 else "float32"] * 2
