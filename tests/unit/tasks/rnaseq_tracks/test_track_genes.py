"""Coverage of genes, fold changes between biosamples, and deviations."""

import numpy as np
import pandas as pd
import pytest
from glmflow.tasks.rnaseq_tracks.track_genes import gene_table, score_deviations, score_fold_changes
from tracks_in_memory import TRACKS, written


def test_genes_are_read_on_their_strand_and_only_where_whole_in_the_scored_bases(tmp_path):
    observed, predicted, truth, guess = written(tmp_path)
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
    table = gene_table(genes, exons, tiles, truth, guess, TRACKS)
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
    value = pd.DataFrame(score_fold_changes(genes, TRACKS, 20)).set_index("metric")["value"]
    assert value["fold_change_pearson"] == 0
    perfect = genes.assign(predicted_exons=genes["observed_exons"])
    value = pd.DataFrame(score_fold_changes(perfect, TRACKS, 20)).set_index("metric")["value"]
    assert value["fold_change_pearson"] == pytest.approx(1)


def test_perfect_predictions_deviate_nowhere():
    rng = np.random.default_rng(1)
    level = rng.lognormal(0, 2, 500) * (rng.random(500) > 0.45)
    genes = pd.DataFrame({"track": "t", "observed": level, "predicted": level})
    rows = pd.DataFrame(score_deviations(genes)).set_index("metric")["value"]
    assert rows["gene_deviation_fourfold"] == 0 and rows["gene_deviation_tested"] == 500
    noisy = genes.assign(predicted=level * rng.lognormal(0, 2, 500))
    rows = pd.DataFrame(score_deviations(noisy)).set_index("metric")["value"]
    assert rows["gene_deviation_significant"] <= rows["gene_deviation_expressed"] < 500
    assert rows["gene_deviation_significant"] < rows["gene_deviation_fourfold"]
