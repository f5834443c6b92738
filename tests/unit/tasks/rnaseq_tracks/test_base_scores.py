"""Scores of single bases against scipy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from glmflow.tasks.rnaseq_tracks.base_scores import read_coverage, score_bases, scored_tiles
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, roc_auc_score
from tracks_in_memory import LENGTH, TRACKS, written


@pytest.fixture
def windows():
    starts = [0, 500, 1000, 1500, 3500, 4000]
    return pd.DataFrame({"chrom": "chr1", "start": starts, "end": [start + 1000 for start in starts]})


def test_tiles_cover_the_scored_bases_once(windows):
    tiles = scored_tiles(windows, size=700, trim=100)
    covered = np.zeros(LENGTH, int)
    for tile in tiles.itertuples():
        covered[tile.start : tile.end] += 1
        assert tile.end - tile.start <= 700
    expected = np.zeros(LENGTH, int)
    for window in windows.itertuples():
        expected[window.start + 100 : window.end - 100] = 1
    assert np.array_equal(covered, expected)


def test_base_scores_equal_the_libraries(tmp_path, windows):
    observed, predicted, truth, guess = written(tmp_path)
    tiles = scored_tiles(windows, 1000, 100)
    found, scores = score_bases(read_coverage(tiles, truth, guess), list(TRACKS), draws=50)
    rows = pd.DataFrame(found)
    scored = np.concatenate([np.arange(tile.start, tile.end) for tile in tiles.itertuples()])
    x, y = observed[0, scored].astype(float), predicted[0, scored].astype(float)
    value = rows[rows["track"] == "a_plus"].set_index("metric")["value"]
    assert value["base_pearson"] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-9)
    assert value["base_log1p_pearson"] == pytest.approx(stats.pearsonr(np.log1p(x), np.log1p(y))[0], abs=1e-6)
    assert value["base_spearman"] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-9)
    assert value["base_mse"] == pytest.approx(mean_squared_error(x, y), rel=1e-9)
    assert value["base_mae"] == pytest.approx(mean_absolute_error(x, y), rel=1e-6)
    assert value["base_zero_auroc"] == pytest.approx(roc_auc_score(x == 0, -y), abs=1e-9)
    assert value["base_zero_ratio"] == pytest.approx((x == 0).mean())
    assert value["base_nonzero_pearson"] == pytest.approx(stats.pearsonr(x[x > 0], y[x > 0])[0], abs=1e-9)
    assert value["base_nonzero_spearman"] == pytest.approx(stats.spearmanr(x[x > 0], y[x > 0])[0], abs=1e-9)
    assert value["base_nonzero_mae"] == pytest.approx(mean_absolute_error(x[x > 0], y[x > 0]), rel=1e-6)
    assert value["base_nonzero_mse"] == pytest.approx(mean_squared_error(x[x > 0], y[x > 0]), rel=1e-9)
    expressed = rows[(rows["track"] == "a_plus") & rows["metric"].str.startswith("base_nonzero_p")]
    assert ((expressed["ci_low"] < expressed["value"]) & (expressed["value"] < expressed["ci_high"])).all()
    assert (expressed["n"] <= len(tiles)).all()
    per_tile = [
        stats.pearsonr(observed[0, tile.start : tile.end], predicted[0, tile.start : tile.end])[0]
        for tile in tiles.itertuples()
    ]
    assert value["window_pearson"] == pytest.approx(np.mean(per_tile), abs=1e-6)
    mean = rows[(rows["metric"] == "base_pearson") & (rows["track"] == "mean")].iloc[0]
    both = rows[(rows["metric"] == "base_pearson") & (rows["track"] != "mean")]["value"]
    assert mean["value"] == pytest.approx(both.mean()) == pytest.approx(scores["base_pearson"].value)
    assert len(scores["base_pearson"].influence) == len(tiles)
    assert mean["ci_low"] <= mean["value"] <= mean["ci_high"] and mean["n"] == len(tiles)
