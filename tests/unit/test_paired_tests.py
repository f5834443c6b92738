"""Paired tests of models against figures worked by hand."""

from math import comb, sqrt

import numpy as np
import pandas as pd
import pytest
from glmflow.paired_tests import corrected_resampled_t, holm, mcnemar
from glmflow.tasks.class_pairs import compare


def test_mcnemar_is_the_sign_test_of_rows_that_one_alone_is_right_about():
    both, neither = [True] * 30, [False] * 7
    one = np.array(both + neither + [True] * 9 + [False])
    other = np.array(both + neither + [False] * 9 + [True])
    found = mcnemar(one, other)
    assert (found.first, found.second) == (9, 1)
    assert found.p == pytest.approx(2 * (comb(10, 0) + comb(10, 1)) / 2**10)
    assert mcnemar(other, one).p == found.p and mcnemar(one, one).p == 1
    with pytest.raises(ValueError, match="38 examples beside 37"):
        mcnemar(one[:38], other[:37])


def t_of_four(t):
    """The distribution of Student's t with four degrees of freedom, in closed form."""
    return 0.5 + 3 / 8 * t / sqrt(1 + t**2 / 4) * (1 - t**2 / (12 * (1 + t**2 / 4)))


def test_the_variance_over_divisions_counts_shared_training_rows():
    """Mean .03, variance .00025; times 1/5 + 100/400: standard error .0106, t = 2 sqrt(2)."""
    found = corrected_resampled_t([0.02, 0.04, 0.03, 0.05, 0.01], trained=400, tested=100)
    assert found.difference == pytest.approx(0.03) and found.divisions == 5
    assert found.p == pytest.approx(2 * (1 - t_of_four(2 * sqrt(2))))
    assert (found.high - found.low) / 2 == pytest.approx(2.776445 * sqrt(0.00025 * 0.45), rel=1e-6)
    plain = 2 * (1 - t_of_four(0.03 / sqrt(0.00025 / 5)))
    assert found.p > 3 * plain


def test_one_division_or_none_that_differs():
    assert np.isnan(corrected_resampled_t([0.1], 9, 1).low) and corrected_resampled_t([0.1], 9, 1).p == 1
    assert corrected_resampled_t([0.0, 0.0], 9, 1).p == 1


def test_an_equal_pair_of_models_is_told_apart_in_one_case_of_twenty():
    """Ten-fold means of two models that guess: the plain test of repeated splits is wrong far more often."""
    generator = np.random.default_rng(0)
    rejected = np.zeros(2)
    for _ in range(400):
        rows = generator.normal(size=200)  # what a row adds to the difference, whichever split holds it
        parts = [generator.permutation(200)[:20] for _ in range(15)]
        gaps = np.array([rows[part].mean() for part in parts])
        rejected += [
            corrected_resampled_t(gaps, 180, 20).p < 0.05,
            corrected_resampled_t(gaps, 1e12, 1).p < 0.05,
        ]
    assert rejected[0] / 400 < 0.08 < 0.15 < rejected[1] / 400


def test_p_values_are_held_for_several_tests():
    """As R's p.adjust(c(0.01, 0.04, 0.03), "holm")."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    held = holm([0.02, np.nan, 0.9])
    assert held[0] == pytest.approx(0.04) and np.isnan(held[1]) and held[2] == pytest.approx(0.9)
    assert holm([]).shape == (0,)


def test_every_two_runs_are_compared_on_the_test_rows_by_their_first_seed():
    examples = pd.DataFrame(
        {"example": list("abcdef"), "split": ["train", *["test"] * 5], "target": ["x", "x", "y", "x", "y", "y"]}
    )
    runs = {
        ("kmers", "baseline", 1): "xyxyy",  # all five right
        ("cnn", "full", 2): "xyxyy",
        ("cnn", "full", 1): "xyyxx",  # the first two
        ("gc", "baseline", 1): "yyxxy",  # all but the first and the fourth
    }
    metrics, predictions = [], []
    for (model, adaptation, seed), said in runs.items():
        keys = {"task": "t", "model": model, "adaptation": adaptation, "seed": seed}
        metrics.append(pd.DataFrame([keys | {"metric": "mcc", "value": 0.5}]))
        truth = np.array(["x", "y", "x", "y", "y"])
        x = np.where(np.array(list(said)) == "x", 0.9, 0.2)
        table = pd.DataFrame({"example": list("bcdef"), "prediction_x": x, "prediction_y": 1 - x})
        predictions.append(table.sample(frac=1, random_state=seed))
        assert len(truth) == len(said)
    found = compare(examples, metrics, predictions).set_index(["first", "second"])
    row = found.loc["t/kmers/baseline", "t/cnn/full"]
    assert (row["n"], row["first_alone"], row["second_alone"]) == (5, 3, 0)
    assert row["p"] == pytest.approx(2 / 2**3)
    row = found.loc["t/cnn/full", "t/gc/baseline"]
    assert (row["first_alone"], row["second_alone"]) == (1, 2) and row["p"] == 1
    assert len(found) == 3
