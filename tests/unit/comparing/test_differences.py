"""Differences of every two runs: who is better by how much, on the same units."""

import numpy as np
import pytest
from glmflow.comparing.differences import paired_differences
from glmflow.statistics.decision import Run
from glmflow.statistics.influence import Score

UNITS = 300
NOISE = np.random.default_rng(0).normal(size=(4, UNITS)) / UNITS


def card(key, value, own, shared=0.0, role="model", plays=True):
    influence = 0.05 * (NOISE[own] + shared * NOISE[3])
    return Run(key, key, role, (Score(value, influence[:, None], plays),))


def test_differences_are_positive_and_the_best_run_comes_first():
    runs = [card("b", 0.6, 0), card("a", 0.8, 1), card("c", 0.5, 2), card("told", 0.9, 2, role="control")]
    found = paired_differences([*runs, card("none", 0.0, 1, plays=False)], True)
    assert list(zip(found["first"], found["second"])) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["difference"].to_numpy() == pytest.approx([0.2, 0.3, 0.1])
    errors = paired_differences(runs, False)
    assert errors["first"].tolist() == ["c", "c", "b"] and (errors["difference"] > 0).all()


def test_the_interval_is_that_of_a_bootstrap_of_the_units_that_both_share():
    """What moves both runs alike cancels; 20,000 draws of units, the same for both."""
    runs = [card("a", 0.8, 0, shared=5.0), card("b", 0.7, 1, shared=5.0)]
    found = paired_differences(runs, True).iloc[0]
    generator = np.random.default_rng(1)
    weights = generator.multinomial(UNITS, np.full(UNITS, 1 / UNITS), 20_000) - 1
    gap = [runs[0].scores[0].influence[:, 0] - runs[1].scores[0].influence[:, 0]]
    drawn = 0.1 + weights @ gap[0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found["low"] == pytest.approx(low, abs=0.05 * (high - low))
    assert found["high"] == pytest.approx(high, abs=0.05 * (high - low))
    share = (drawn <= 0).mean()
    assert found["p"] == pytest.approx(2 * min(share, 1 - share), abs=0.01)
