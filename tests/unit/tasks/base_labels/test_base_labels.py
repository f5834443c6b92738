"""Labels of bases and bins, and their scores, against plain loops and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.tasks.base_labels.base_label_scores import confusions, per_sequence, pooled_curves, pooled_scores
from glmflow.tasks.base_labels.base_segments import (
    bin_labels,
    class_order,
    label_windows,
    runs_of,
    tiled_windows,
    window_kmers,
)
from sklearn import metrics


@pytest.fixture
def segments():
    return pd.DataFrame(
        [("1", 5, 12, "exon", "+"), ("1", 10, 15, "intron", "+"), ("1", 28, 40, "exon", "-"), ("2", 0, 3, "exon", "+")],
        columns=["chrom", "start", "end", "label", "strand"],
    )


def test_bases_have_the_class_of_their_segment(segments):
    classes = class_order(segments)
    assert classes == ["none", "exon", "intron"]
    windows = tiled_windows({"1": 40, "2": 20}, 20)
    labels, counts = label_windows(segments, windows, classes)
    expected = np.zeros((3, 20), int)
    expected[0, 5:10], expected[0, 10:12], expected[0, 12:15] = 1, -1, 2
    expected[1, 8:20] = 1
    expected[2, 0:3] = 1
    assert labels.tolist() == expected.tolist()
    assert counts == {"bases": 60, "two_classes": 2, "unscored_n": 0, "unscored_edge": 0}
    again = runs_of(labels, windows, classes)
    assert again["start"].tolist() == [5, 12, 28, 0] and again["label"].tolist() == ["exon", "intron", "exon", "exon"]


def test_strands_edges_and_unknown_bases(segments, tmp_path):
    genome = tmp_path / "g.fa"
    genome.write_text(">1\n" + "ACGTN" * 8 + "\n>2\n" + "ACGT" * 5 + "\n")
    windows = tiled_windows({"1": 40}, 20)
    classes = ["none", "exon", "exon-", "intron"]
    labels, counts = label_windows(segments, windows, classes, Reference(genome), edge=2, by_strand=True)
    assert set(labels[1, 8:18].tolist()) == {2, -1} and (labels[:, [0, 1, 18, 19]] == -1).all()
    assert (labels[:, 4::5] == -1).all() and counts["unscored_n"] == 8
    with pytest.raises(InputError, match="no class 'exon-'"):
        label_windows(segments, windows, ["none", "exon", "intron"], by_strand=True)


def test_bins_by_any_base_and_by_share():
    labels = np.array([[0, 0, 1, 0, -1, -1, -1, -1, 2, 2, 0, -1, 1]], np.int8)
    assert bin_labels(labels, 4).tolist() == [[1, -1, 2]]
    mean = bin_labels(labels, 4, "mean")
    assert mean[0, 0] == 0.25 and np.isnan(mean[0, 1]) and mean[0, 2] == pytest.approx(2 / 3)


def test_pooled_scores_are_those_of_all_bases():
    generator = np.random.default_rng(0)
    observed = generator.integers(-1, 3, (40, 50)).astype(np.int8)
    chosen = np.where(generator.random((40, 50)) < 0.6, np.maximum(observed, 0), generator.integers(0, 3, (40, 50)))
    tables = confusions(observed, chosen, 3)
    found = pooled_scores(tables, np.arange(40) // 2, 200)
    y, p = observed[observed >= 0], chosen[observed >= 0]
    assert found["mcc"].value == pytest.approx(metrics.matthews_corrcoef(y, p))
    assert found["f1_2"].value == pytest.approx(metrics.f1_score(y, p, average=None)[2])
    assert found["mcc"].low < found["mcc"].value < found["mcc"].high and found["mcc"].n == 20
    own = observed[7] >= 0
    assert per_sequence(tables)[7] == pytest.approx(metrics.matthews_corrcoef(observed[7][own], chosen[7][own]))


def test_curves_over_all_bases_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    positive = generator.random((30, 400)) < 0.1
    score = generator.normal(positive * 1.0)
    score[:, :5] = np.nan
    found = pooled_curves(positive, score, np.arange(30), 100)
    y, p = positive[:, 5:].ravel(), score[:, 5:].ravel()
    assert found["auroc"].value == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-3)
    assert found["auprc"].value == pytest.approx(metrics.average_precision_score(y, p), abs=5e-3)


def test_kmers_around_a_base():
    found = window_kmers(np.frombuffer(b"ACGTN", np.uint8), 2, 1)
    assert found.tolist() == [[-1, 1, 6], [1, 6, 11], [6, 11, -1], [11, -1, -1], [-1, -1, -1]]
