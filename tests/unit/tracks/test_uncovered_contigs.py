"""Contigs of which a track has no value: named before they are scored as silence, unless they are too small to tell."""

import numpy as np
import pytest
from glmflow.bigwig import write_bigwig
from glmflow.tracks.reading import check_track_matches
from glmflow.tracks.uncovered_contigs import contigs_without_values, uncovered_contigs
from tracks_for_tests import write

LENGTHS = {"chr1": 100_000, "chr2": 100_000, "chr3": 100_000, "scaffold": 5_000}
SPLITS = {"train": ["chr1", "scaffold"], "validation": ["chr2"], "test": ["chr3"]}
EVERY = [("chr1", at, at + 10, 1.0) for at in range(0, 100_000, 100)]


def on(chrom):
    return [(chrom, *rest) for _, *rest in EVERY]


def test_a_contig_that_is_not_listed_or_has_no_data_is_named(tmp_path):
    tracks = {
        "whole": [write(tmp_path / "whole.bw", LENGTHS, EVERY + on("chr2") + on("chr3"))],
        "half": [
            write(tmp_path / "half.bw", {"chr1": 100_000, "chr2": 100_000}, EVERY + on("chr2")),
            write(tmp_path / "listed.bw", LENGTHS, EVERY + on("chr2")),
        ],
        "first": [write(tmp_path / "first.bw", {"1": 100_000}, [("1", *rest) for _, *rest in EVERY])],
    }
    found = uncovered_contigs(tracks, SPLITS, LENGTHS)
    assert [(one.track, one.path.name, one.split, one.contigs, one.whole) for one in found] == [
        ("half", "half.bw", "test", ["chr3"], True),
        ("half", "listed.bw", "test", ["chr3"], True),
        ("first", "first.bw", "validation", ["chr2"], True),
        ("first", "first.bw", "test", ["chr3"], True),
    ]
    assert str(found[0].error()).startswith(f"{tmp_path}/half.bw: no value on any contig of splits.test (chr3)")
    (one,) = uncovered_contigs({"half": tracks["half"][:1]}, {"test": ["chr2", "chr3"]}, LENGTHS)
    assert not one.whole and "no value on contig of splits.test (chr3)" in str(one.error())


def test_zeros_are_no_values_and_small_scaffolds_may_be_silent(tmp_path):
    values = np.zeros(100_000, np.float32)
    values[::50] = 3
    zeros = ("chr2", np.array([0]), np.array([100_000]), np.zeros(1))
    starts = np.arange(100_000)
    intervals = [("chr1", starts, starts + 1, values), zeros, ("chr3", starts, starts + 1, values)]
    write_bigwig(tmp_path / "t.bw", LENGTHS, intervals)
    # 2 in 100 bases have a value: 2,000 of chr2 should, 100 of the scaffold
    assert contigs_without_values(tmp_path / "t.bw", LENGTHS) == ["chr2"]


@pytest.mark.slow
def test_a_hundred_thousand_scaffolds_are_compared_in_seconds(tmp_path):
    lengths = {f"scaffold_{number}": 2_000 for number in range(100_000)}
    one = ("scaffold_7", np.array([0]), np.array([1_500]), np.ones(1))
    write_bigwig(tmp_path / "t.bw", lengths, [one])
    theirs = {f"chrscaffold_{number}": 2_000 for number in range(100_000)}  # some programs put it before every name
    assert len(check_track_matches(tmp_path / "t.bw", lengths)) == 100_000
    assert len(check_track_matches(tmp_path / "t.bw", theirs)) == 100_000
    assert len(contigs_without_values(tmp_path / "t.bw", theirs)) == 99_999


@pytest.mark.parametrize("lengths", [LENGTHS, {"chr1": 100_000}])
def test_a_file_without_any_value_lacks_all_that_is_large(tmp_path, lengths):
    write(tmp_path / "t.bw", lengths)
    assert contigs_without_values(tmp_path / "t.bw", LENGTHS) == ["chr1", "chr2", "chr3", "scaffold"]
