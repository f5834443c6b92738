import numpy as np
import pytest
from glmflow.statistics import bootstrap, correlation, moments
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_squared_error, r2_score


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    x = rng.gamma(1.0, 5.0, 4000)
    return x, 0.5 * x + rng.gamma(1.0, 3.0, 4000)


def test_pooled_sums_give_the_scores_of_the_libraries(pair):
    x, y = pair
    tiles = np.array([moments.sums(a, b) for a, b in zip(np.array_split(x, 7), np.array_split(y, 7))])
    total = tiles.sum(axis=0)
    assert moments.pearson(total) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    assert moments.mse(total) == pytest.approx(mean_squared_error(x, y), rel=1e-12)
    assert moments.r2(total) == pytest.approx(r2_score(x, y), abs=1e-12)


def test_correlations_equal_scipy(pair):
    x, y = pair
    assert correlation.pearson(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    assert correlation.spearman(x.round(), y.round()) == pytest.approx(
        stats.spearmanr(x.round(), y.round())[0], abs=1e-12
    )


@given(st.floats(-1e6, 1e6), st.integers(2, 50))
def test_a_constant_prediction_scores_zero(value, n):
    x = np.arange(n, dtype=float)
    y = np.full(n, np.float32(value))
    assert correlation.pearson(x, y) == 0
    assert correlation.spearman(x, y) == 0
    assert moments.pearson(moments.sums(x, y)) == 0


def test_samples_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        moments.sums([1, 2], [1])


def test_interval_of_a_mean_has_the_width_of_its_standard_error():
    values = np.random.default_rng(0).normal(size=2000)
    value, low, high, n = bootstrap.interval_of_mean(values, draws=2000)
    assert n == 2000 and value == pytest.approx(values.mean())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2000), rel=0.1)


def test_interval_over_tiles_covers_the_truth_and_widens_with_fewer_tiles():
    rng = np.random.default_rng(1)

    def tiles(count):
        rows = []
        for _ in range(count):
            x = rng.normal(size=50)
            rows.append(moments.sums(x, x + rng.normal(size=50)))
        return np.array(rows)

    many = bootstrap.interval_of_sums(tiles(400), moments.pearson, 500)
    few = bootstrap.interval_of_sums(tiles(25), moments.pearson, 500)
    assert many.low < np.sqrt(0.5) < many.high
    assert few.high - few.low > 2 * (many.high - many.low)
