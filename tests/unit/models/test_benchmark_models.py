"""The benchmark of families gives a window as one row, or a quadratic path would not show."""

import math
import os
from pathlib import Path

import pytest
from running import ROOT

PARITY = Path(os.environ.get("GLMFLOW_TEST_DATA", "none")) / "parity"
FOLDERS = sorted(path.parent.name for path in PARITY.glob("*/config.json"))
LEARNED = ("nt-v1", "grover", "gena-bert", "gena-bigbird")  # tables of positions end where they end
OWN = ("small", "small-causal", "dilated-cnn")


@pytest.mark.parametrize("name", [*FOLDERS, *OWN])
def test_a_window_is_one_row(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmark")
    import benchmark_models

    assert set(benchmark_models.OWN) == set(OWN)
    model = benchmark_models.tiny_model(name, None if name in OWN else PARITY / name)
    inputs = benchmark_models.random_inputs(model, 8192)
    if name in LEARNED:
        assert inputs.shape[0] > 1 and inputs.shape[1] == model.card.context_tokens
    elif name == "get":
        assert inputs.shape[:2] == (1, 8)
    else:
        assert inputs.shape == (1, math.ceil(8192 / model.card.bases_per_token))
