"""Writing tracks: what is read back is what was given, in as few intervals as can be."""

from itertools import pairwise

import numpy as np
import pyBigWig
import pytest
from glmflow.bigwig import runs_of, track_file, write_bigwig
from glmflow.errors import InputError
from glmflow.tracks import predictions
from glmflow.tracks.predictions import accumulate_windows, write_windows
from hypothesis import given, settings
from hypothesis import strategies as st

CONTIGS = {"chr2": 50, "chr10": 40, "chr1": 10}


def intervals(path, chrom):
    with pyBigWig.open(str(path)) as file:
        return [(start, end, value) for start, end, value in file.intervals(chrom) or ()]


@settings(deadline=None)
@given(st.sets(st.integers(0, 40)), st.data())
def test_runs_are_the_longest_stretches_of_one_value(positions, data):
    positions = np.array(sorted(positions), np.int64)
    values = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=len(positions), max_size=len(positions)))
    found = runs_of(positions, np.array(values, np.float32))
    back = {}
    for start, end, value in zip(*found):
        assert start < end
        for base in range(start, end):
            assert base not in back
            back[base] = value
    assert back == dict(zip(positions.tolist(), values))
    touching = found.ends[:-1] == found.starts[1:]
    assert np.all(found.values[:-1][touching] != found.values[1:][touching])


def test_intervals_are_read_back_as_written(tmp_path):
    path = tmp_path / "sub" / "track.bw"
    write_bigwig(
        path,
        CONTIGS,
        [
            ("chr2", [0, 5], [5, 8], [1.0, 0.0]),
            ("chr2", [8, 20], [20, 30], [0.0, 2.0]),
            ("chr2", [30], [50], [2.0]),
            ("chr10", [], [], []),
            ("chr1", [0], [10], [2.0]),
        ],
    )
    with pyBigWig.open(str(path)) as file:
        assert file.chroms() == CONTIGS
    assert intervals(path, "chr2") == [(0, 5, 1.0), (5, 20, 0.0), (20, 50, 2.0)]
    assert intervals(path, "chr10") == []
    assert intervals(path, "chr1") == [(0, 10, 2.0)]


def test_a_track_without_intervals_can_be_read(tmp_path):
    write_bigwig(tmp_path / "empty.bw", CONTIGS, [])
    with pyBigWig.open(str(tmp_path / "empty.bw")) as file:
        assert file.chroms() == CONTIGS


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_file_does_not_depend_on_the_blocks(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("blocks")
    values = np.array(data.draw(st.lists(st.sampled_from([1, 1, 2, 3]), min_size=40, max_size=40)), np.float32)
    bases = np.arange(40)
    whole = runs_of(bases, values)
    cuts = [0, *sorted(data.draw(st.sets(st.integers(1, 39)))), 40]
    pieces = [("chr10", *runs_of(bases[a:b], values[a:b])) for a, b in pairwise(cuts)]
    write_bigwig(folder / "whole.bw", CONTIGS, [("chr10", *whole)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_file, "_BATCH", data.draw(st.sampled_from([1, 4, 1000])))
        write_bigwig(folder / "pieces.bw", CONTIGS, pieces)
    expected = list(zip(*(column.tolist() for column in whole)))
    assert intervals(folder / "whole.bw", "chr10") == expected
    assert intervals(folder / "pieces.bw", "chr10") == expected


BAD = {
    "unknown contig": [("chr3", [0], [1], [1.0])],
    "past the end": [("chr1", [5], [11], [1.0])],
    "before the start": [("chr1", [-1], [1], [1.0])],
    "overlap": [("chr2", [0, 4], [5, 8], [1.0, 2.0])],
    "overlap of blocks": [("chr2", [0, 4], [1, 9], [1.0, 2.0]), ("chr2", [8], [10], [3.0])],
    "unsorted": [("chr2", [5, 0], [6, 1], [1.0, 2.0])],
    "unsorted contigs": [("chr1", [0], [1], [1.0]), ("chr2", [0], [1], [1.0])],
    "empty interval": [("chr2", [5], [5], [1.0])],
    "not finite": [("chr2", [0], [5], [np.nan])],
}


@pytest.mark.parametrize("case", BAD)
def test_a_failed_write_leaves_nothing(tmp_path, case):
    path = tmp_path / "track.bw"
    path.write_bytes(b"earlier")
    with pytest.raises(ValueError, match="chr"):
        write_bigwig(path, CONTIGS, BAD[case])
    assert [file.name for file in tmp_path.iterdir()] == ["track.bw"]
    assert path.read_bytes() == b"earlier"


@given(
    starts=st.lists(st.integers(-10, 70), max_size=12),
    size=st.integers(1, 30),
    length=st.integers(1, 60),
    seed=st.integers(0, 99),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_overlapping_windows_are_averaged_base_by_base(starts, size, length, seed, data):
    trim = data.draw(st.integers(0, (size - 1) // 2))
    predicted = np.random.default_rng(seed).random((len(starts), size)).astype(np.float32)
    values: dict[int, list[float]] = {}
    for window, start in zip(predicted, starts):
        for offset in range(trim, size - trim):
            if 0 <= start + offset < length:
                values.setdefault(start + offset, []).append(float(window[offset]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictions, "_CHUNK", data.draw(st.sampled_from([1, 7, 1 << 18])))
        blocks = list(accumulate_windows(predicted, np.array(starts, int), length, trim))
    found = {base: value for block in blocks for start, end, value in zip(*block) for base in range(start, end)}
    assert found.keys() == values.keys()
    for base, at in values.items():
        assert found[base] == pytest.approx(np.float32(sum(at) / len(at)), rel=1e-6)


def test_predictions_of_zero_are_kept_and_bases_without_one_are_absent(tmp_path):
    blocks = accumulate_windows(np.zeros((2, 4)), np.array([20, 2]), 50)
    write_bigwig(tmp_path / "p.bw", CONTIGS, (("chr2", *block) for block in blocks))
    assert intervals(tmp_path / "p.bw", "chr2") == [(2, 6, 0.0), (20, 24, 0.0)]


@pytest.mark.parametrize(("shape", "starts", "trim"), [((2, 4), [0], 0), ((1, 4), [0], 2), ((1, 4), [0], -1)])
def test_windows_that_do_not_fit_together_are_refused(shape, starts, trim):
    with pytest.raises(ValueError, match="windows"):
        list(accumulate_windows(np.zeros(shape), np.array(starts), 10, trim))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_refused_and_nothing_is_written(tmp_path, value):
    windows = [("chr2", at, at + 10, np.ones((2, 10), np.float32)) for at in (0, 10, 20)]
    windows[1][3][1, 4] = value
    with pytest.raises(InputError, match=r"predicted coverage is NaN or infinite at chr2:11-20"):
        write_windows(windows, [tmp_path / "a.bw", tmp_path / "b.bw"], CONTIGS)
    assert not list(tmp_path.iterdir())
