"""Two methods compared: seed by seed, or window by window where they share one seed."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.tasks.context_extension.losses_by_context import Cell
from glmflow.tasks.context_extension.paired import compare, compare_all, difference_over_windows, paired_difference
from scipy import stats


def test_paired_difference_is_the_paired_t_test():
    one, other = [1.0, 2.0, 4.0, 3.5], [0.5, 1.8, 3.1, 3.0]
    found = paired_difference(one, other)
    oracle = stats.ttest_rel(one, other)
    interval = oracle.confidence_interval(0.95)
    assert found.p == pytest.approx(oracle.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx(0.525) and found.seeds == 4
    assert np.isnan(paired_difference([1.0], [2.0]).p)


def test_methods_are_compared_seed_by_seed():
    rng = np.random.default_rng(0)
    seeds = rng.normal(size=5)  # a seed shifts all methods alike: only a paired test sees the small difference
    noise = rng.normal(scale=0.01, size=5)
    rows = [
        {"model": model, "seed": seed, "metric": "loss", "subset": "all", "context_bp": 512, "value": value}
        for model, values in {"yarn": seeds, "ours": seeds - 0.1 + noise, "pi": seeds + noise}.items()
        for seed, value in enumerate(values)
    ]
    table = compare(pd.DataFrame(rows), "yarn").set_index("model")
    assert list(table.index) == ["ours", "pi"]
    assert table.loc["ours", "high"] < 0 and table.loc["ours", "p_holm"] < 0.01
    assert table.loc["pi", "low"] < 0 < table.loc["pi", "high"]
    assert table.loc["ours", "p_holm"] == pytest.approx(2 * table.loc["ours", "p"])
    with pytest.raises(InputError, match="no result of 'clex'"):
        compare(pd.DataFrame(rows), "clex")


def test_every_two_methods_are_compared_both_ways():
    rows = [
        {
            "model": model,
            "seed": seed,
            "metric": "loss",
            "subset": "all",
            "context_bp": 64,
            "value": value + seed * (0.1 if model == "one" else 0.11),
        }
        for model, value in {"one": 1.0, "two": 1.5}.items()
        for seed in (1, 2, 3)
    ]
    table = compare_all(pd.DataFrame(rows)).set_index(["model", "reference"])
    assert table.loc[("one", "two"), "mean"] == pytest.approx(-0.52)
    assert table.loc[("two", "one"), "mean"] == pytest.approx(0.52)


def cell(nats, bases, subset="repeat"):
    names = np.array([f"window{index}" for index in range(len(nats))])
    return Cell("loss", subset, 512, names, np.stack([nats, bases], axis=1).astype(float))


def test_with_as_many_bases_in_every_window_it_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    one, other = rng.normal(1, 0.3, 40), rng.normal(1.1, 0.3, 40)
    found = difference_over_windows(cell(8 * one, np.full(40, 8)), cell(8 * other, np.full(40, 8)))
    oracle = stats.ttest_rel(one, other)
    interval = oracle.confidence_interval(0.95)
    assert found.p == pytest.approx(oracle.pvalue) and (found.seeds, found.windows) == (1, 40)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(one - other), *interval))


def test_the_error_over_uneven_windows_is_that_of_resampling_them():
    rng = np.random.default_rng(1)
    bases = rng.integers(1, 60, 200)
    nats = bases * rng.gamma(4, 0.25, 200)
    other = nats * rng.normal(0.9, 0.2, 200)
    found = difference_over_windows(cell(nats, bases), cell(other, bases))
    draws = rng.integers(0, 200, (4000, 200))
    resampled = (nats - other)[draws].sum(axis=1) / bases[draws].sum(axis=1)
    assert found.mean == pytest.approx((nats - other).sum() / bases.sum())
    assert (found.low, found.high) == pytest.approx(np.percentile(resampled, [2.5, 97.5]), abs=0.006)


def test_windows_are_matched_by_name():
    one = cell(np.array([1.0, 2.0, 4.0]), np.ones(3))
    other = cell(np.array([0.5, 1.0, 2.0]), np.ones(3))
    shuffled = other._replace(windows=other.windows[::-1], sums=other.sums[::-1])
    assert difference_over_windows(one, shuffled) == difference_over_windows(one, other)


def test_methods_of_one_seed_are_paired_over_windows_and_others_over_seeds():
    rng = np.random.default_rng(0)
    rows, windows = [], {}
    gains = {"none": ([1], 0), "pi": ([1], 0.2), "pi_tuned": ([1, 2], 0.3), "yarn_tuned": ([1, 2], 0.4)}
    for model, (seeds, gain) in gains.items():
        for seed in seeds:
            nats = np.linspace(1, 2, 30) - gain + rng.normal(0, 0.02, 30)
            windows[model, seed] = [cell(nats, np.ones(30))]
            key = {"metric": "loss", "subset": "repeat", "context_bp": 512}
            rows.append({"model": model, "seed": seed, **key, "value": nats.mean()})
    table = compare_all(pd.DataFrame(rows), windows=windows).set_index(["model", "reference"])
    zero_shot = table.loc[("pi", "none")]
    assert (zero_shot["seeds"], zero_shot["windows"]) == (1, 30)
    assert zero_shot["p"] < 1e-6 and zero_shot["low"] < -0.2 < zero_shot["high"]
    assert table.loc[("pi_tuned", "none"), "windows"] == 30
    tuned = table.loc[("yarn_tuned", "pi_tuned")]
    assert (tuned["seeds"], tuned["windows"]) == (2, 0) and not np.isnan(tuned["p"])
    assert np.isnan(compare_all(pd.DataFrame(rows)).set_index(["model", "reference"]).loc[("pi", "none"), "p"])


def test_a_single_method_gives_an_empty_table():
    rows = [{"model": "one", "seed": 1, "metric": "loss", "subset": "all", "context_bp": 512, "value": 1.0}]
    table = compare_all(pd.DataFrame(rows))
    assert table.empty and {"model", "reference", "p", "p_holm", "windows"} <= set(table.columns)
