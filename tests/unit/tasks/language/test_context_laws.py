"""What a doubling of the context saves, paired over windows, and the law of it: hand-made losses, refusals, the page's rows."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.files import write_table
from glmflow.report.pages.language import context_law_rows
from glmflow.tasks.language import score

KEYS = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
WINDOWS, SCORED = 60, 8


def scored(cost, contexts, windows=WINDOWS):
    """Score windows that cost `cost(window, context)` bits a base; two neighbours are one unit."""
    table = pd.DataFrame(
        {
            "example": [f"w{number}" for number in range(windows)],
            "split": "test",
            "subset": "no_shared;made",
            "group": [f"block{number // 2}" for number in range(windows)],
            "marks": "0" * SCORED,
        }
    )
    rows = [
        (f"w{number}", context, "", np.full(SCORED, cost(number, context) * np.log(2), np.float64))
        for context in contexts
        for number in range(windows)
    ]
    predictions = pd.DataFrame(rows, columns=["example", "context_bp", "control", "prediction"])
    return score({**KEYS, "task": {"bootstrap": 200}}, table, predictions, None, {})


def hard(number):
    """How much harder a window is than others, whatever its context."""
    return np.random.default_rng(number // 2).normal(0, 0.2)


def test_a_doubling_is_paired_so_that_hard_windows_do_not_count():
    found = scored(lambda number, c: 1.9 - 0.05 * np.log2(c / 16) + hard(number), [64, 16, 128])
    rows = found.metrics[(found.metrics["metric"] == "bits_per_doubling") & (found.metrics["subset"] == "all")]
    rows = rows.set_index("context_bp")
    assert sorted(rows.index) == [64, 128]  # 16 to 64 is two doublings, 64 to 128 one
    np.testing.assert_allclose(rows["value"], 0.05, atol=1e-9)
    np.testing.assert_allclose(rows[["ci_low", "ci_high"]], 0.05, atol=1e-9)
    assert (rows["n"] == WINDOWS).all()
    plain = found.metrics[(found.metrics["metric"] == "bits_per_base") & (found.metrics["subset"] == "all")]
    assert ((plain["ci_high"] - plain["ci_low"]) > 0.05).all(), "unpaired, hard windows would hide it"


def test_units_are_stretches_and_not_windows():
    def gain(number, context):
        return 1.9 - (context > 16) * np.random.default_rng([7, number // 2]).normal(0.1, 0.1)

    found = scored(gain, [16, 32])
    row = found.metrics[(found.metrics["metric"] == "bits_per_doubling") & (found.metrics["subset"] == "all")].iloc[0]
    gains = np.array([1.9 - gain(number, 32) for number in range(0, WINDOWS, 2)])
    expected = 2 * 1.96 * gains.std() / np.sqrt(len(gains))
    assert row["value"] == pytest.approx(gains.mean())
    assert row["ci_high"] - row["ci_low"] == pytest.approx(expected, rel=0.25)  # of windows it would be 1.4 times less


def test_the_law_of_context_is_found_with_intervals_and_stands_on_the_page(tmp_path):
    contexts = [4, 16, 64, 256, 1024]
    found = scored(lambda number, c: 1.5 + 1.2 * c**-0.4 + hard(number) * 0.1, contexts)
    law = found.tables["context_law.tsv"].set_index("constant")
    mean = np.mean([hard(number) for number in range(WINDOWS)]) * 0.1
    assert law.loc["E", "value"] == pytest.approx(1.5 + mean, abs=1e-3)
    assert law.loc["G", "value"] == pytest.approx(1.2, abs=2e-3)
    assert law.loc["gamma", "value"] == pytest.approx(0.4, abs=2e-3)
    assert (law["low"] <= law["value"] + 1e-6).all() and (law["value"] <= law["high"] + 1e-6).all()
    assert law.loc["E", "high"] - law.loc["E", "low"] > 0.005
    (tmp_path / "scores").mkdir()
    write_table(found.tables["context_law.tsv"], tmp_path / "scores/context_law.tsv")
    run = SimpleNamespace(model="net", seed=1, folder=tmp_path)
    (row,) = context_law_rows(SimpleNamespace(runs=lambda task: [run]), "t")
    assert row["gamma"].startswith("0.4") and "[" in row["E"] and row["note"] == "" and row["contexts"] == "5"


def test_three_contexts_have_doublings_and_are_told_why_there_is_no_law(tmp_path):
    found = scored(lambda number, c: 1.5 + 1.2 * c**-0.4, [16, 64, 256])
    assert (found.metrics["metric"] == "bits_per_doubling").any()
    law = found.tables["context_law.tsv"]
    assert len(law) == 1 and "3 contexts do not determine" in law["said"].iloc[0] and law["value"].isna().all()
    (tmp_path / "scores").mkdir()
    write_table(law, tmp_path / "scores/context_law.tsv")
    run = SimpleNamespace(model="net", seed=1, folder=tmp_path)
    (row,) = context_law_rows(SimpleNamespace(runs=lambda task: [run]), "t")
    assert row["E"] == "" and "3 contexts" in row["note"]
    flat = scored(lambda number, c: 1.9 + hard(number), [16, 64, 256, 1024]).tables["context_law.tsv"]
    assert "does not fall" in flat["said"].iloc[0]
