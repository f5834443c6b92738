"""Scaling laws: the constants of simulated runs, intervals, foretold runs, and too few runs."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from glmflow.errors import InputError
from glmflow.statistics.scaling_law import (
    ScalingLaw,
    bootstrap_laws,
    equal_budgets,
    fit_scaling_law,
    interval,
    left_out,
)

TRUTH = {"E": 1.7, "A": 8.0, "B": 60.0, "alpha": 0.32, "beta": 0.3}
SIZES, AMOUNTS = (1.2e6, 4.7e6, 18.9e6, 85e6, 302e6), (2e8, 1e9, 5e9, 2.5e10)


def runs(seed, noise=0.0015):
    N, D = (axis.ravel() for axis in np.meshgrid(SIZES, AMOUNTS, indexing="ij"))
    L = TRUTH["E"] + TRUTH["A"] * N ** -TRUTH["alpha"] + TRUTH["B"] * D ** -TRUTH["beta"]
    return N, D, L * np.exp(noise * np.random.default_rng(seed).standard_normal(len(L)))


def test_without_noise_the_constants_are_found():
    law = fit_scaling_law(*runs(0, noise=0))
    for name, value in TRUTH.items():
        assert getattr(law, name) == pytest.approx(value, rel=0.02)
    assert law.optimal_exponent == pytest.approx(0.3 / 0.62, rel=0.01)
    assert law.predict(1e9, 1e11) == pytest.approx(1.7 + 8 * 1e9**-0.32 + 60 * 1e11**-0.3, rel=1e-4)


def test_published_grids_of_runs():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("scaling_fit_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    for path in files:
        wanted = json.loads(path.read_text())
        law = fit_scaling_law(*np.array(wanted["rows_N_D_L"]).T)
        assert law.objective <= wanted["objective"] * 1.001
        assert pytest.approx(wanted["truth"]["E"], abs=0.02) == law.E
        for name in ("alpha", "beta"):
            assert getattr(law, name) == pytest.approx(wanted["truth"][name], abs=0.05)
        assert float(law.predict(1e9, 1e11)) == pytest.approx(wanted["truth_prediction"], rel=0.005)


def test_the_largest_runs_are_foretold_by_the_others():
    table = left_out(*runs(3), largest=3)
    assert table[-1, :2].tolist() == [SIZES[-1], AMOUNTS[-1]]
    np.testing.assert_allclose(table[:, 3], table[:, 2], rtol=0.01)


@pytest.mark.parametrize("chosen", [slice(0, 4), slice(0, 20, 4)])
def test_too_few_runs_are_refused(chosen):
    with pytest.raises(InputError, match="do not determine a scaling law"):
        fit_scaling_law(*(column[chosen] for column in runs(0)))


def test_intervals_need_twelve_runs():
    N, D, L = (column[:11] for column in runs(0))
    law = ScalingLaw(**TRUTH, objective=0.0)
    with pytest.raises(InputError, match="too few for intervals"):
        bootstrap_laws(law, N, D, L, draws=2)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_ninety_of_a_hundred_grids():
    covered = 0
    for seed in range(100):
        N, D, L = runs(seed)
        law = fit_scaling_law(N, D, L)
        low, high = interval([other.alpha for other in bootstrap_laws(law, N, D, L, draws=40, seed=seed)])
        covered += low <= TRUTH["alpha"] <= high
    assert covered >= 90


def test_the_best_size_of_equal_budgets_is_that_of_the_law():
    """Oracle: the lowest point of the law at a fixed product of parameters and bases (Hoffmann et al. 2022, equation 4)."""
    E, A, B, alpha, beta = 1.5, 40.0, 300.0, 0.35, 0.3
    sizes = np.geomspace(2e4, 5e7, 15)
    for flop in (1e14, 1e15):
        bases = flop / 6 / sizes
        losses = E + A / sizes**alpha + B / bases**beta
        best = (alpha * A / beta / B) ** (1 / (alpha + beta)) * (flop / 6) ** (beta / (alpha + beta))
        near = np.abs(np.log(sizes / best)) < 1.6  # where a parabola is near
        (found,) = equal_budgets(sizes[near], bases[near], losses[near])
        assert found.inside and found.runs == near.sum() and found.flop == pytest.approx(flop)
        assert found.parameters == pytest.approx(best, rel=0.15)


def test_budgets_are_of_several_sizes_and_say_where_the_best_is_at_the_border():
    sizes, bases = np.array([1e6, 2e6, 1e6, 2e6, 4e6]), np.array([4e8, 2e8, 1e9, 1e9, 1e8])
    (found,) = equal_budgets(sizes, bases, [1.9, 1.7, 1.6, 1.5, 1.8])
    # A parabola through (log N, loss) of 1, 2 and 4 million at one budget: lowest 7 / 6 doublings above the first.
    assert found.runs == 3 and found.inside and found.parameters == pytest.approx(1e6 * 2 ** (7 / 6), rel=1e-6)
    (found,) = equal_budgets(sizes[:2], bases[:2], [1.9, 1.8])
    assert not found.inside and (found.parameters, found.loss) == (2e6, 1.8)
    assert equal_budgets([1e6, 1e6], [1e8, 1e8], [1.9, 1.8]) == []
