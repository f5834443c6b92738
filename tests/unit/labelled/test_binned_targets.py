"""CAGE of the Genomics Long-Range Benchmark as it lies on disk: coordinates in a table, tracks in bins in files of arrays."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.labelled.binned_targets import central_bins
from glmflow.tasks.sequences import examples
from glmflow.tasks.tables import Division

BINS, SIZE, TRACKS = 896, 128, 50
ROWS = {"train": 5, "validation": 3, "test": 4}


@pytest.mark.parametrize("length", [256, 8192, 49_152, BINS * SIZE])
def test_bins_of_a_window_are_cropped_alike_on_both_sides(length):
    aside = (BINS * SIZE - length) // 2 // SIZE  # as the benchmark's own script has it
    assert central_bins(BINS, SIZE, length) == slice(aside, BINS - aside)


def test_bins_that_a_window_cuts_are_left_out_and_longer_windows_have_all():
    assert central_bins(10, 128, 8 * 128 - 1) == slice(2, 8)
    assert central_bins(10, 128, 5000) == slice(0, 10)


@pytest.fixture
def benchmark(tmp_path):
    """Intervals on a genome; bin b of track t of array n is `1000 n + b + t`, the first one far more, of test rows negative."""
    span = BINS * SIZE
    bases = np.random.default_rng(0).choice(list("ACGT"), sum(ROWS.values()) * span + 2)
    (tmp_path / "g.fa").write_text(">chr1\n" + "".join(bases) + "\n")
    (tmp_path / "targets_subset").mkdir()
    table, start = [], 1
    for split, count in ROWS.items():
        word = "valid" if split == "validation" else split
        arrays = {}
        for number in range(count):
            values = 1000.0 * number + np.arange(BINS)[:, None] + np.arange(TRACKS)
            values[0] += 100 * BINS
            arrays[f"target-{word}-{number}.npy"] = (-values if split == "test" else values)[None].astype(np.float32)
            table.append(("chr1", start, start + span, split, number))
            start += span
        names = list(arrays)
        for first, last in ((0, 1), (2, count - 1)):
            part = {name: arrays[name] for name in names[first : last + 1]}
            np.savez(tmp_path / "targets_subset" / f"targets-{word}-{first}-{last}.npz", **part)
    rows = pd.DataFrame(table, columns=["chrom", "start", "stop", "split", "npy_idx"])
    rows = rows.sample(frac=1, random_state=0)  # files are found by number, never by the order of rows
    rows.to_csv(tmp_path / "sequences_coordinates.csv", index=False)
    return tmp_path, rows.reset_index(drop=True)


def made(folder, **settings):
    table = str(folder / "sequences_coordinates.csv")
    task = Sequences(kind="sequences", table=table, preset="lrb/cage_prediction", bootstrap=20, **settings)
    return examples(task, {"genome": folder / "g.fa"}, Division())


@pytest.mark.parametrize("length", [2048, BINS * SIZE])
def test_targets_are_means_over_the_bins_of_the_window_of_their_row(benchmark, length):
    folder, rows = benchmark
    found = made(folder, length=length)
    columns = [f"target_{track}" for track in range(TRACKS)]
    middle = (BINS - 1) / 2  # of the numbers of all bins, and of those in the middle
    expected = (1000.0 * rows["npy_idx"].to_numpy() + middle)[:, None] + np.arange(TRACKS)
    expected += 100 * (length == BINS * SIZE)  # the first bin lies in the longest window alone
    expected *= np.where(rows["split"] == "test", -1, 1)[:, None]
    assert found.table[columns].to_numpy() == pytest.approx(expected)
    assert found.table["split"].tolist() == rows["split"].tolist()
    first = rows["start"] - 1 + (BINS * SIZE - length) // 2
    assert found.table["start"].tolist() == first.tolist()
    assert (found.table["end"] - found.table["start"] == length).all()
    notes = " ".join(found.facts["sources.tsv"]["note"])
    assert f"the mean of the bins of 128 bases inside of the middle {length:,} bases" in notes


def test_what_is_missing_or_damaged_is_one_line(benchmark):
    folder, rows = benchmark
    with pytest.raises(InputError, match=r"windows of 200 bases hold no bin of 128"):
        made(folder, length=200)
    test = folder / "targets_subset" / "targets-test-2-3.npz"
    content = test.read_bytes()
    test.write_bytes(content[:1000])
    with pytest.raises(InputError, match=r"targets-test-2-3\.npz: cannot be read"):
        made(folder, length=2048)
    test.unlink()
    with pytest.raises(
        InputError, match=r"no file targets-test-\*\.npz has array [23] of row \d+ \(nor those of 1 more\)"
    ):
        made(folder, length=2048)
    test.write_bytes(content)
    rows.drop(columns="npy_idx").to_csv(folder / "sequences_coordinates.csv", index=False)
    with pytest.raises(InputError, match="no column 'npy_idx'"):
        made(folder, length=2048)
    for path in (folder / "targets_subset").iterdir():
        path.unlink()
    rows.to_csv(folder / "sequences_coordinates.csv", index=False)
    with pytest.raises(InputError, match="no folder of targets-"):
        made(folder, length=2048)
