import numpy as np
import pandas as pd
import pyBigWig
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.tasks import rnaseq_tracks as task
from glmflow.tracks.reading import TrackReader
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, roc_auc_score

LENGTH = 5000
TRACKS = {
    "a_plus": {"biosample": "a", "strand": "+"},
    "b_plus": {"biosample": "b", "strand": "+"},
}


def write(path, values):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", LENGTH), ("chr2", 10)])
        file.addEntries("chr1", 0, values=values.astype(np.float32), span=1, step=1)
    return str(path)


@pytest.fixture
def signal(tmp_path):
    rng = np.random.default_rng(0)
    observed = rng.poisson(1.5, (2, LENGTH)).astype(np.float32)
    predicted = (0.5 * observed + rng.gamma(1, 1, (2, LENGTH))).astype(np.float32)
    readers = [
        TrackReader([write(tmp_path / f"{name}{i}.bw", values[i]) for i in range(2)])
        for name, values in (("observed", observed), ("predicted", predicted))
    ]
    return observed, predicted, *readers


@pytest.fixture
def windows():
    starts = [0, 500, 1000, 1500, 3500, 4000]
    return pd.DataFrame({"chrom": "chr1", "start": starts, "end": [start + 1000 for start in starts]})


def test_contigs_that_the_genome_lacks_stop_the_examples(tmp_path):
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{'ACGT' * 50}\n" for name in ("chr1", "chr2", "chr3")))
    genome, windows = Reference(tmp_path / "genome.fa"), {"size": 50, "overlap": 0, "max_n_fraction": 0.0}
    splits = {"by": "contig", "train": ["chr1"], "test": ["chr2"]}
    made = task.examples(genome, ["chr2", "chr1"], windows, splits, 50)
    assert made.table["chrom"].value_counts().to_dict() == {"chr1": 4, "chr2": 4}
    for contigs in (["1", "2"], ["chr1", "chr2", "2"]):
        with pytest.raises(InputError, match=r"no contig .*'2'\. The genome has chr1, chr2, chr3"):
            task.examples(genome, contigs, windows, splits, 50)


def test_tiles_cover_the_scored_bases_once(windows):
    tiles = task.scored_tiles(windows, size=700, trim=100)
    covered = np.zeros(LENGTH, int)
    for tile in tiles.itertuples():
        covered[tile.start : tile.end] += 1
        assert tile.end - tile.start <= 700
    expected = np.zeros(LENGTH, int)
    for window in windows.itertuples():
        expected[window.start + 100 : window.end - 100] = 1
    assert np.array_equal(covered, expected)


def test_base_scores_equal_the_libraries(signal, windows):
    observed, predicted, truth, guess = signal
    tiles = task.scored_tiles(windows, 1000, 100)
    rows = pd.DataFrame(task.score_bases(task.read_coverage(tiles, truth, guess), list(TRACKS), draws=50))
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
    assert mean["value"] == pytest.approx(both.mean())
    assert mean["ci_low"] <= mean["value"] <= mean["ci_high"] and mean["n"] == len(tiles)


def test_genes_are_read_on_their_strand_and_only_where_whole_in_the_scored_bases(signal):
    observed, predicted, truth, guess = signal
    tiles = pd.DataFrame({"chrom": ["chr1"] * 2, "start": [100, 1100], "end": [1100, 2000]})
    genes = pd.DataFrame(
        {
            "gene_id": ["inside", "cut", "minus"],
            "gene_name": ["inside", "cut", "minus"],
            "chrom": "chr1",
            "start": [900, 1900, 200],
            "end": [1500, 2100, 300],
            "strand": ["+", "+", "-"],
        }
    )
    exons = pd.DataFrame(
        {"gene_id": ["inside", "inside"], "chrom": "chr1", "start": [900, 1400], "end": [1000, 1500], "strand": "+"}
    )
    table = task.gene_table(genes, exons, tiles, truth, guess, TRACKS)
    assert list(table["gene_id"]) == ["inside", "inside"] and list(table["track"]) == list(TRACKS)
    row = table.iloc[1]
    assert row["observed"] == pytest.approx(observed[1, 900:1500].mean(), rel=1e-6)
    spans = np.r_[900:1000, 1400:1500]
    assert row["predicted_exons"] == pytest.approx(predicted[1, spans].mean(), rel=1e-6)


def test_a_model_that_predicts_the_same_for_both_biosamples_has_no_fold_change_skill():
    rng = np.random.default_rng(2)
    a, b = rng.gamma(1, 5, 40), rng.gamma(1, 5, 40)
    genes = pd.DataFrame(
        {
            "gene_id": [*range(40), *range(40)],
            "strand": "+",
            "track": ["a_plus"] * 40 + ["b_plus"] * 40,
            "observed_exons": [*a, *b],
            "predicted_exons": [*(a + b), *(a + b)],
        }
    )
    value = pd.DataFrame(task.score_fold_changes(genes, TRACKS, 20)).set_index("metric")["value"]
    assert value["fold_change_pearson"] == 0
    perfect = genes.assign(predicted_exons=genes["observed_exons"])
    value = pd.DataFrame(task.score_fold_changes(perfect, TRACKS, 20)).set_index("metric")["value"]
    assert value["fold_change_pearson"] == pytest.approx(1)


def test_perfect_predictions_deviate_nowhere():
    rng = np.random.default_rng(1)
    level = rng.lognormal(0, 2, 500) * (rng.random(500) > 0.45)
    genes = pd.DataFrame({"track": "t", "observed": level, "predicted": level})
    rows = pd.DataFrame(task.score_deviations(genes)).set_index("metric")["value"]
    assert rows["gene_deviation_fourfold"] == 0 and rows["gene_deviation_tested"] == 500
    noisy = genes.assign(predicted=level * rng.lognormal(0, 2, 500))
    rows = pd.DataFrame(task.score_deviations(noisy)).set_index("metric")["value"]
    assert rows["gene_deviation_significant"] <= rows["gene_deviation_expressed"] < 500
    assert rows["gene_deviation_significant"] < rows["gene_deviation_fourfold"]
