"""Regions from peaks: bedtools as the oracle, of toy samples (expected/universe.json) and of 153,759 real peaks."""

import json
import time

import numpy as np
import pandas as pd
import pybedtools
import pytest
from glmflow.binding.peak_files import Peaks, read_peaks, read_samples
from glmflow.binding.region_universe import (
    binned_universe,
    by_key,
    clusters_within,
    given_universe,
    labels_by_overlap,
    labels_by_summit,
    lost_peaks,
    merged_regions,
    merged_universe,
    replicate_agreement,
    subset,
    summit_regions,
)
from glmflow.errors import InputError


def peaks_of(rows, samples=None):
    """Peaks from (sample, chrom, start, end[, summit])."""
    table = pd.DataFrame(
        [(*row, (row[2] + row[3]) // 2)[:5] if len(row) == 4 else row for row in rows],
        columns=["sample", "chrom", "start", "end", "summit"],
    )
    count = table["sample"].max() + 1
    names = samples or [(f"cell{number}", "X") for number in range(count)]
    frame = pd.DataFrame(names, columns=["cell", "tf"])
    return Peaks(
        frame.assign(sample=[f"s{i}" for i in range(len(frame))], key=frame["cell"] + "_" + frame["tf"]), table
    )


def names_of(regions):
    return [f"{row.chrom}:{row.start}-{row.end}" for row in regions.itertuples()]


def test_the_universe_of_the_hackathon_is_that_of_its_notebooks(test_data):
    fixture = json.loads((test_data / "seq2cellxtf/expected/universe.json").read_text())
    expected = fixture["expected"]
    kept = [sample for sample in fixture["samples"] if sample["tf"] not in fixture["drop_tf"]]
    rows = [(n, peak[0], peak[1], peak[2]) for n, sample in enumerate(kept) for peak in sample["peaks"]]
    peaks = peaks_of(rows, [(sample["cell"], sample["tf"]) for sample in kept])
    assert names_of(merged_regions(peaks.table)) == expected["merged"]
    universe = merged_universe(peaks, fixture["min_regions"])
    ids = np.array([sample["id"] for sample in kept])
    assert sorted(ids[~universe.labels.any(axis=1)]) == sorted(expected["dropped_samples"])
    assert names_of(universe.regions) == expected["kept_regions"]
    part, used = subset(universe, peaks.samples, fixture["keep_chrom"], fixture["keep_tf"])
    assert ids[used].tolist() == expected["subset_samples"]
    keys, labels = by_key(part.labels, peaks.samples["key"][used])
    assert names_of(part.regions) == expected["subset_regions"]
    assert keys == sorted(expected["labels"])
    for key, own in zip(keys, labels):
        assert own.astype(int).tolist() == expected["labels"][key]


def test_peaks_in_no_region_are_counted_by_sample():
    peaks = pd.DataFrame(
        [(0, "c1", 0, 10), (0, "c1", 20, 30), (1, "c1", 30, 31), (1, "c2", 5, 6), (1, "c3", 0, 9)],
        columns=["sample", "chrom", "start", "end"],
    )
    regions = pd.DataFrame([("c1", 9, 20), ("c1", 2, 18), ("c1", 40, 50), ("c2", 0, 6)], columns=list(peaks)[1:])
    assert lost_peaks(regions, Peaks(pd.DataFrame({"sample": "abc"}, index=range(3)), peaks)).tolist() == [1, 2, 0]


@pytest.mark.slow
def test_real_peaks_merge_as_with_bedtools(test_data):
    folder = test_data / "seq2cellxtf/dream_chr20_chr22/peaks"
    files = sorted(folder.glob("*.narrowPeak.gz"))
    samples = pd.DataFrame(
        [(str(path), *path.name.split(".")[0].rsplit("_", 1)) for path in files], columns=["file", "cell", "tf"]
    )
    began = time.process_time()
    peaks = read_peaks(samples.assign(sample=[path.name for path in files]))
    assert len(peaks.table) == 153_759
    regions = merged_regions(peaks.table)
    assert len(regions) == 26_806 and time.process_time() - began < 5
    oracle = pybedtools.BedTool.from_dataframe(peaks.table[["chrom", "start", "end"]]).sort().merge()
    assert names_of(regions) == [f"{one.chrom}:{one.start}-{one.end}" for one in oracle]
    width = regions["end"] - regions["start"]
    assert int(width.median()) == 376 and width.max() == 5727


def test_touching_intervals_merge_and_those_one_base_apart_do_not():
    peaks = peaks_of([(0, "c", 10, 20), (0, "c", 20, 30), (0, "c", 31, 40), (0, "c", 12, 15), (0, "d", 0, 5)])
    assert names_of(merged_regions(peaks.table)) == ["c:10-30", "c:31-40", "d:0-5"]


def test_labels_need_one_shared_base_or_a_share():
    regions = pd.DataFrame({"chrom": "c", "start": [0, 50, 100], "end": [100, 150, 200]})
    peaks = peaks_of([(0, "c", 99, 101), (1, "c", 100, 160), (2, "c", 200, 300), (2, "e", 0, 100)])
    assert labels_by_overlap(regions, peaks).tolist() == [[True, True, True], [False, True, True], [False] * 3]
    assert labels_by_overlap(regions, peaks, 0.5).tolist()[1] == [False, True, True]


def test_labels_of_regions_that_lie_in_others_are_those_of_a_loop():
    rng = np.random.default_rng(4)
    start = np.sort(rng.integers(0, 2000, 60))
    regions = pd.DataFrame({"chrom": "c", "start": start, "end": start + rng.integers(1, 400, 60)})
    own = rng.integers(0, 2300, 40)
    rows = [
        (number % 3, "c", int(at), int(at + size))
        for number, (at, size) in enumerate(zip(own, rng.integers(1, 90, 40)))
    ]
    found = labels_by_overlap(regions, peaks_of(rows))
    for number, row in enumerate(regions.itertuples()):
        for sample in range(3):
            shared = any(one == sample and at < row.end and row.start < end for one, _, at, end in rows)
            assert found[sample, number] == shared


def test_windows_around_summits_have_one_width_and_the_labels_of_their_summits():
    peaks = peaks_of(
        [(0, "c", 900, 1300, 1000), (1, "c", 1000, 1200, 1100), (1, "c", 1200, 1400, 1260), (0, "c", 0, 9, 3)]
    )
    regions = summit_regions(peaks, {"c": 5000}, width=200, within=150)
    assert names_of(regions) == ["c:950-1150", "c:1160-1360"]  # that around 3 would leave the contig
    assert labels_by_summit(regions, peaks, 150).tolist() == [[True, False], [True, True]]


def test_clusters_end_at_the_distance_from_their_first():
    assert clusters_within(np.array([0, 100, 150, 151, 400, 550, 551]), 150).tolist() == [0, 0, 0, 1, 2, 2, 3]


def test_bins_are_bound_by_half_and_ambiguous_where_touched():
    peaks = peaks_of([(0, "c", 100, 200)])
    relaxed = peaks_of([(0, "c", 100, 320)])
    universe = binned_universe(peaks, {"c": 500}, relaxed, size=200, step=100)
    assert universe.regions["start"].tolist() == [0, 100, 200, 300]
    assert universe.labels.tolist() == [[True, True, False, False]]
    assert universe.ambiguous.tolist() == [[False, False, True, True]]


def test_given_regions_are_sorted():
    universe = given_universe(
        pd.DataFrame({"chrom": "c", "start": [100, 0], "end": [200, 50]}), peaks_of([(0, "c", 49, 60)])
    )
    assert universe.regions["start"].tolist() == [0, 100] and universe.labels.tolist() == [[True, False]]


def test_replicates_agree_as_far_as_their_worst_pair():
    labels = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]], bool)
    assert replicate_agreement(labels, ["A_X", "A_X", "A_X", "B_X"]) == {"A_X": 0.5}


def test_a_sample_table_names_files_beside_it(tmp_path):
    (tmp_path / "one.bed").write_text("1\t10\t20\n1\t30\t30\n")
    (tmp_path / "two.narrowPeak").write_text("1\t10\t40\t.\t0\t.\t8.5\t-1\t3\t4\n1\t50\t60\t.\t0\t.\t2.5\t-1\t3\t-1\n")
    (tmp_path / "samples.tsv").write_text("file\tcell\ttf\none.bed\tneural cell\tREST\ntwo.narrowPeak\tK562\tMAX\n")
    samples = read_samples(tmp_path / "samples.tsv")
    peaks = read_peaks(samples, {"chr1": 100})
    assert peaks.samples["key"].tolist() == ["neural cell_REST", "K562_MAX"]
    assert peaks.table.to_numpy().tolist() == [
        [0, "chr1", 10, 20, 15],
        [1, "chr1", 10, 40, 14],
        [1, "chr1", 50, 60, 55],
    ]
    assert len(read_peaks(samples.iloc[1:], min_signal=5).table) == 1
    with pytest.raises(InputError, match=r"one\.bed:1: no column of signal"):
        read_peaks(samples, min_signal=5)
    with pytest.raises(InputError, match="beyond the end of chr1"):
        read_peaks(samples, {"chr1": 50})
    with pytest.raises(InputError, match="no contig of the genome"):
        read_peaks(samples, {"scaffold_7": 50})


def test_columns_of_bed_with_blocks_are_no_summit_and_no_signal(tmp_path):
    (tmp_path / "A_X.bed").write_text("c\t100\t200\tp\t0\t+\t100\t200\t0\t1\t100\t0\n")
    samples = read_samples(tmp_path)
    assert read_peaks(samples).table["summit"].tolist() == [150]
    with pytest.raises(InputError, match="no column of signal"):
        read_peaks(samples, min_signal=5)


def test_a_key_listed_twice_is_named(tmp_path):
    (tmp_path / "samples.tsv").write_text("file\tcell\ttf\na.bed\tK562\tREST\nb.bed\tK562\tREST\n")
    with pytest.raises(InputError, match="key K562_REST listed more than once"):
        read_samples(tmp_path / "samples.tsv")
