"""The level of a track and the agreement of its replicates, from the bases written out."""

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.tracks.statistics import nonzero_mean, outlying_replicates, replicate_correlation
from scipy.stats import pearsonr
from tracks_for_tests import write

NAN, INF = float("nan"), float("inf")
CONTIGS = {"chr1": 100, "chr2": 50}


def regions(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


@pytest.fixture
def track(tmp_path):
    entries = [
        ("chr1", 0, 10, 2),
        ("chr1", 10, 20, 0),
        ("chr1", 30, 40, NAN),
        ("chr1", 40, 50, INF),
        ("chr1", 60, 90, 4),
        ("chr2", 0, 50, 100),
    ]
    return write(tmp_path / "t.bw", CONTIGS, entries)


def test_the_mean_is_over_the_bases_that_are_not_zero(track):
    assert nonzero_mean(track, regions(("chr1", 0, 100))) == (10 * 2 + 30 * 4) / 40


def test_regions_that_are_held_out_do_not_count(track):
    assert nonzero_mean(track, regions(("chr1", 5, 70))) == (5 * 2 + 10 * 4) / 15
    assert nonzero_mean(track, regions(("chr1", 5, 10), ("chr1", 80, 100))) == (5 * 2 + 10 * 4) / 15
    assert nonzero_mean(track, regions(("1", 0, 100), ("chrX", 0, 10))) == (10 * 2 + 30 * 4) / 40


def test_a_track_without_signal_in_training_is_refused(track):
    with pytest.raises(InputError, match=r"t\.bw: the track is 0 throughout the training regions"):
        nonzero_mean(track, regions(("chr1", 10, 60)))


def test_correlations_are_those_of_log_bin_means(tmp_path):
    rng = np.random.default_rng(1)
    contigs = {"a": 1_002_500, "b": 700}
    coverage = {name: {chrom: np.zeros(n, np.float32) for chrom, n in contigs.items()} for name in "xyz"}
    paths = []
    for name in "xyz":
        entries = []
        for chrom, length in contigs.items():
            for at in np.sort(rng.choice(length // 100, length // 500, replace=False)) * 100:
                value = np.float32(rng.gamma(0.3, 20) * (-1 if name == "z" and chrom == "b" else 1))
                coverage[name][chrom][at : at + 60] = value
                entries.append((chrom, at, at + 60, value))
        paths.append(write(tmp_path / f"{name}.bw", contigs, entries))

    def log_means(name):
        means = [
            values[at : at + 1_000].astype(float).mean()
            for values in coverage[name].values()
            for at in range(0, len(values), 1_000)
        ]
        return np.sign(means) * np.log1p(np.abs(means))

    table = replicate_correlation(paths)
    assert list(table) == ["replicate_a", "replicate_b", "r"]
    assert table[["replicate_a", "replicate_b"]].values.tolist() == [
        [str(paths[a]), str(paths[b])] for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    for (a, b), r in zip(("xy", "xz", "yz"), table["r"]):
        assert r == pytest.approx(pearsonr(log_means(a), log_means(b))[0], abs=1e-6)


def test_a_replicate_without_signal_correlates_with_none(tmp_path, track):
    table = replicate_correlation([track, write(tmp_path / "empty.bw", CONTIGS)])
    assert table["r"].tolist() == [0.0]


def table(r):
    """Return the table of a symmetric matrix of correlations."""
    names = [f"rep{number}" for number in range(len(r))]
    rows = [(names[a], names[b], r[a][b]) for a in range(len(r)) for b in range(a + 1, len(r))]
    return pd.DataFrame(rows, columns=["replicate_a", "replicate_b", "r"])


def test_the_odd_replicate_is_pointed_out():
    r = np.full((6, 6), 0.9)
    r[2, :] = r[:, 2] = 0.3
    assert outlying_replicates(table(r)) == ["rep2"]
    three = np.array([[1, 0.9, 0.3], [0.9, 1, 0.3], [0.3, 0.3, 1]])
    assert outlying_replicates(table(three)) == ["rep2"]


@pytest.mark.parametrize(
    ("ab", "ac", "bc", "odd"),
    [
        (0.9, 0.2, 0.4, ["rep2"]),
        (0.35, 0.95, 0.5, ["rep1"]),
        (0.0, 0.3, 0.9, ["rep0"]),
        (0.6, 0.5, 0.4, []),
        (0.9, 0.85, 0.2, []),  # a chain: rep0 is like both
        (0.99, 0.95, 0.96, []),
    ],
)
def test_of_three_the_one_apart_from_the_best_pair_is_odd(ab, ac, bc, odd):
    assert outlying_replicates(table(np.array([[1, ab, ac], [ab, 1, bc], [ac, bc, 1]]))) == odd


def test_alike_replicates_are_left_alone():
    rng = np.random.default_rng(2)
    noisy = np.clip(0.85 + rng.normal(0, 0.02, (8, 8)), 0, 1)
    assert outlying_replicates(table(np.triu(noisy) + np.triu(noisy, 1).T)) == []
    slightly = np.full((5, 5), 0.98)
    slightly[0, :] = slightly[:, 0] = 0.93
    assert outlying_replicates(table(slightly)) == []


def test_of_two_replicates_neither_is_odd():
    assert outlying_replicates(table(np.array([[1, 0.1], [0.1, 1]]))) == []
    assert outlying_replicates(table(np.ones((1, 1)))) == []


@pytest.mark.real
def test_real_replicates_agree_and_a_shuffled_one_does_not(test_data, tmp_path):
    paths = sorted((test_data / "brainspan_chr21").glob("*.bw"))[:4]
    found = replicate_correlation(paths)
    assert found["r"].min() > 0.5
    rng = np.random.default_rng(1)
    entries = [("chr21", at, at + 500, rng.gamma(1.0)) for at in range(0, 48_000_000, 20_000)]
    other = write(tmp_path / "other.bw", {"chr21": 48_129_895}, entries)
    assert outlying_replicates(replicate_correlation([*paths, other])) == [str(other)]
