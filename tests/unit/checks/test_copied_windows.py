"""Copies of training windows are found among windows of a genome, wherever they begin and on whatever strand."""

import numpy as np
import pandas as pd
import pytest
from glmflow.checks.audit import FAIL, PASS, WARN, worst
from glmflow.checks.copied_windows import copied_windows
from glmflow.genome.canonical import opposite_strand
from glmflow.genome.window_sequences import cut
from planted_copies import BASES, mutated

SIZE, STEP = 4_000, 2_000


def genome(seed=0):
    """Two contigs, 120 kb to learn from and 60 kb to test on, with an Alu-like repeat in 400 places."""
    rng = np.random.default_rng(seed)
    contigs = {"1": rng.choice(BASES, 120_000), "2": rng.choice(BASES, 60_000)}
    repeat = rng.choice(BASES, 280)
    for name, count in (("1", 270), ("2", 130)):
        for place in rng.choice(len(contigs[name]) // 440, count, replace=False) * 440:
            contigs[name][place : place + 280] = mutated(rng, repeat, 0.08)
    return rng, contigs


def audit_of(contigs):
    rows = [
        (chrom, start, start + SIZE, "train" if chrom == "1" else "test")
        for chrom, bases in contigs.items()
        for start in range(0, len(bases) - SIZE + 1, STEP)
    ]
    windows = pd.DataFrame(rows, columns=["chrom", "start", "end", "split"])
    return windows, copied_windows(lambda chrom, start, end: contigs[chrom][start:end], windows)


def test_repeats_alone_are_no_copies():
    windows, found = audit_of(genome()[1])
    assert found.table.empty and worst(found.audits) == PASS
    assert np.nanmax(found.copied) < 0.05
    assert np.isnan(found.copied[windows["split"] == "train"]).all()


# Length of the copy, where it begins in both contigs, substitutions, strand; whether a window of 4 kb is a copy or holds one.
PLANTED = {
    "whole windows": (8_000, 30_000, 20_000, 0.0, "+", FAIL),
    "from an odd base on": (7_300, 31_237, 20_411, 0.0, "+", FAIL),
    "other strand, 2 %": (6_000, 50_123, 11_900, 0.02, "-", FAIL),
    "5 %": (8_000, 70_001, 33_333, 0.05, "+", FAIL),
    "a stretch of 900 bp": (900, 90_777, 41_060, 0.01, "-", WARN),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_copies_are_found_with_their_place_and_strand(name):
    length, source, place, share, strand, status = PLANTED[name]
    rng, contigs = genome(1)
    copy = mutated(rng, contigs["1"][source : source + length], share)
    contigs["2"][place : place + length] = opposite_strand(copy) if strand == "-" else copy
    windows, found = audit_of(contigs)
    assert worst(found.audits) == status
    touched = (windows["chrom"] == "2") & (windows["start"] < place + length) & (windows["end"] > place)
    inside = (windows["chrom"] == "2") & (windows["start"] >= place) & (windows["end"] <= place + length)
    assert (found.copied[inside] > 0.9).all() and (found.copied[~touched & (windows["chrom"] == "2")] < 0.05).all()
    best = found.table.iloc[0]
    assert best["chrom"] == "2" and best["start"] < place + length and best["end"] > place
    assert best["training_chrom"] == "1" and best["strand"] == strand
    assert best["training_start"] < source + length and best["training_end"] > source
    bases = (windows["end"].clip(upper=place + length) - windows["start"].clip(lower=place))[touched]
    # Pieces of 1 kb at either end of the copy may count or not.
    assert np.abs(found.copied[touched] * SIZE - bases).max() <= 1_000


def test_pieces_cover_each_base_of_a_split_once():
    windows = pd.DataFrame(
        {
            "chrom": ["a", "a", "a", "b"],
            "start": [0, 500, 9_000, 7],
            "end": [2_600, 3_100, 9_200, 1_407],
            "split": ["test", "test", "test", "train"],
        }
    )
    pieces = cut(windows)
    sizes = pieces["end"] - pieces["start"]
    assert sizes.groupby(pieces["split"]).sum().to_dict() == {"test": 3_100 + 200, "train": 1_400}
    assert sizes.min() >= 200 and sizes.max() <= 1_500
    assert (pieces["end"].iloc[:2].to_numpy() == pieces["start"].iloc[1:3].to_numpy()).all()


def test_without_training_windows_nothing_is_compared():
    windows = pd.DataFrame({"chrom": ["a"], "start": [0], "end": [100], "split": ["test"]})
    found = copied_windows(None, windows)
    assert not found.audits and np.isnan(found.copied).all()
