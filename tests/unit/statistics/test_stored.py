"""Scores of runs that were scored apart are compared as if they had been scored together."""

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.statistics.influence import mean_correlation
from glmflow.statistics.permutation import null_scores, permuted_within, share_above
from glmflow.statistics.resampling import difference
from glmflow.statistics.stored import Stored, digest, load_scores, save_scores


def test_scores_come_back_and_differ_by_as_much(tmp_path):
    rng = np.random.default_rng(0)
    x, one, other = rng.normal(size=(3, 30, 20))
    scores = [mean_correlation(x, guess) for guess in (one, other)]
    for number, score in enumerate(scores):
        save_scores({"test|all|r": Stored(score, digest(["g1", "g2"], x[0]))}, tmp_path / f"{number}.npz")
    read = [load_scores(tmp_path / f"{number}.npz")["test|all|r"] for number in range(2)]
    assert read[0].units == read[1].units and read[0].score.value == scores[0].value and read[0].score.plays
    again, before = difference([read[0].score], [read[1].score]), difference(scores[:1], scores[1:])
    assert again == pytest.approx(before, rel=1e-5)
    assert read[0].within is None and read[0].null is None and read[0].groups_known is None


def test_what_a_verdict_needs_beside_the_score_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    x, one = rng.normal(size=(2, 30, 20))
    groups = np.repeat(["a", "b"], 15)
    within = mean_correlation(x, one, within=groups)
    null = null_scores(x, one, groups, draws=50)
    flat = mean_correlation(x, np.ones_like(x))
    save_scores({"r": Stored(flat, "u", False, None, (-1.0, 1.0), within, null, True)}, tmp_path / "units.npz")
    found = load_scores(tmp_path / "units.npz")["r"]
    assert (found.higher, found.chance, found.bounds, found.groups_known) == (False, None, (-1.0, 1.0), True)
    assert not found.score.plays and found.within.value == within.value
    assert found.null == pytest.approx(null, rel=1e-6)


def test_the_null_of_a_mean_over_seeds_is_the_mean_of_their_nulls():
    """Oracle: the permutations of both at once."""
    rng = np.random.default_rng(1)
    x, one, other = rng.normal(size=(3, 24, 10))
    groups = np.arange(24) % 3
    null = (null_scores(x, one, groups, 80) + null_scores(x, other, groups, 80)) / 2
    together = permuted_within(x, [one, other], groups, 80)
    assert null.mean() == pytest.approx(together.mean)
    assert share_above(together.value, null) == pytest.approx(together.p)


def test_other_units_are_told_apart():
    assert digest(["x", "y"]) != digest(["y", "x"])
    assert digest(["x", "y"], [1.0, 2.0]) != digest(["x", "y"], [1.0, 2.5])  # other targets of the same units


def test_what_is_no_file_of_scores(tmp_path):
    (tmp_path / "x.npz").write_text("nothing")
    for name in ("x.npz", "y.npz"):
        with pytest.raises(InputError, match="no scores of a run"):
            load_scores(tmp_path / name)
