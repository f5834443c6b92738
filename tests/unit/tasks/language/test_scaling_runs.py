"""Scaling laws of a study's own runs: the law that made them, what is foretold, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from glmflow.models import new_model
from glmflow.models.parameter_counts import body_parameters
from glmflow.report.pages.language import scaling_rows
from glmflow.tasks.language import compare, scaling_runs
from glmflow.tasks.language.scaling_runs import sizes_of
from glmflow.tasks.tables import metric_row, metrics_table

KEYS = {"study": "s", "task": "t", "model": "m", "adaptation": "a", "seed": 1}


def table(parameters, steps, loss, family="small"):
    """The metrics of a run of 1,000 bases an update; without parameters of a baseline."""
    made = {"family": family, "steps": steps, "batch": 10, "length": 100, "byte_pairs": None}
    predictions = pd.DataFrame({"parameters": [parameters]}) if parameters else pd.DataFrame()
    rows = [metric_row("bits_per_base", loss + 1, context_bp=16, split="test")]
    rows += [metric_row("bits_per_base", loss, context_bp=64, split="test")]
    rows += [metric_row("bits_per_base", 0.5, context_bp=64, split="test", protocol="shuffled")]
    return metrics_table([*rows, *sizes_of({"pretrain": made}, predictions)], **KEYS)


def grid(family="small"):
    noise = np.random.default_rng(1).normal(0, 0.0005, 20)
    cells = [(size, steps) for size in (1e4, 4e4, 1.6e5, 6.4e5) for steps in (100, 400, 1600, 6400, 25600)]
    losses = [1.5 + 4 * size**-0.35 + 20 * (1000 * steps) ** -0.3 for size, steps in cells]
    return [table(*one, loss + more, family) for one, loss, more in zip(cells, losses, noise)]


def test_the_law_of_a_grid_is_found_and_foretells_its_largest_runs(monkeypatch):
    monkeypatch.setattr(scaling_runs, "DRAWS", 20)
    found = compare(None, [*grid(), table(None, 1, 1.2)], [])
    law = found.set_index("what")
    assert set(found.loc[found["what"] != "budget", "runs"]) == {20} and set(found["family"]) == {"small"}
    assert law.loc["E", "value"] == pytest.approx(1.5, abs=0.03)
    assert law.loc["E", "low"] < 1.5 + 0.03 and law.loc["E", "high"] > 1.5 - 0.03
    assert law.loc["a", "value"] == pytest.approx(0.3 / 0.65, abs=0.12)
    held = found[found["what"] == "foretold"]
    assert len(held) == 3 and held["bases"].max() == 25_600_000
    np.testing.assert_allclose(held["low"], held["value"], atol=0.01)
    budgets = found[found["what"] == "budget"]
    # Sizes and updates both grow fourfold: diagonals of a grid of four by five are eight budgets, two of one run each.
    assert sorted(budgets["flop"] / 6) == pytest.approx([1e4 * 4**step * 100_000 for step in range(1, 7)], rel=0.01)
    # Of the loss of runs the best of a budget is no worse than any of its runs, and as the law has it.
    near = budgets[budgets["said"] == ""]
    law_loss = 1.5 + 4 * near["parameters"] ** -0.35 + 20 * (near["flop"] / 6 / near["parameters"]) ** -0.3
    np.testing.assert_allclose(near["value"], law_loss, atol=0.02)
    shown = scaling_rows(found)
    assert len(shown["laws"]) == 6 and len(shown["foretold"]) == 3 and len(shown["budgets"]) == len(budgets)


def test_too_few_runs_are_refused_in_words():
    found = compare(None, [*grid()[:4], *[table(1e4, 100, 1.9, "rwkv7")] * 2], [])
    assert found["what"].tolist() == ["refused"] and found["family"].tolist() == ["small"]
    assert "4 runs of 1 sizes" in scaling_rows(found)["laws"][0]["note"]
    assert compare(None, [table(None, 1, 1.2)], []).empty
    few = compare(None, [grid()[place] for place in (0, 2, 5, 7, 8, 12, 13, 14)], [])
    assert few.loc[few["what"] == "E", "low"].isna().all() and "8 runs are too few" in few["said"].iloc[0]


def test_masked_runs_have_a_law_of_their_own():
    masked = [one.replace({"metric": {"bits_per_base": "masked_bits_per_base"}}) for one in grid()[:5]]
    found = compare(None, [*grid()[:4], *masked], [])
    assert found[["family", "runs"]].drop_duplicates().to_numpy().tolist() == [["small", 4], ["small (masked)", 5]]


def test_parameters_without_embeddings():
    config = {"causal": True, "hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 32}
    network = new_model("small", config).network
    outside = sum(p.numel() for name, p in network.named_parameters() if "layers" in name or "norm" in name)
    assert outside <= body_parameters(network) < sum(p.numel() for p in network.parameters())
