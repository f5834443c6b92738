"""The mean of replicates equals float32 of the float64 mean at every base, however it is computed."""

import gc
import subprocess
import sys
import warnings

import numpy as np
import pyBigWig
import pytest
from glmflow.bigwig import Runs, Writer, encode
from glmflow.errors import InputError
from glmflow.tracks import averaging
from glmflow.tracks.averaging import average, check_coverage, union_of_contigs
from glmflow.tracks.reading import check_track_sign
from hypothesis import given, settings
from hypothesis import strategies as st
from tracks_for_tests import write

NAN, INF = float("nan"), float("inf")
CONTIGS = {"a": 100, "b": 40}


def dense(path, contigs):
    """Read every base with pyBigWig; what is missing or not finite is 0."""
    with pyBigWig.open(str(path)) as file:
        values = {}
        for chrom, length in contigs.items():
            if chrom in file.chroms():
                found = np.array(file.values(chrom, 0, length), np.float64)
                values[chrom] = np.where(np.isfinite(found), found, 0) if len(found) else np.zeros(length)
            else:
                values[chrom] = np.zeros(length)
    return values


def expected(paths, contigs):
    tracks = [dense(path, contigs) for path in paths]
    return {
        chrom: np.mean(np.stack([track[chrom] for track in tracks]), axis=0, dtype=np.float64).astype(np.float32)
        for chrom in contigs
    }


def assert_exact(output, paths, contigs):
    found = dense(output, contigs)
    for chrom, mean in expected(paths, contigs).items():
        np.testing.assert_array_equal(found[chrom].astype(np.float32), mean)


@given(data=st.data(), cores=st.sampled_from([1, 1, 1, 1, 2]))
@settings(max_examples=25, deadline=None)
def test_the_mean_is_exact_at_every_base(tmp_path_factory, data, cores):
    folder = tmp_path_factory.mktemp("mean")
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    paths = []
    for number in range(data.draw(st.integers(1, 5))):
        entries = []
        for chrom, length in CONTIGS.items():
            edges = np.sort(rng.choice(length + 1, rng.integers(0, 20), replace=False))
            values = rng.choice([0.1, 1 / 3, 7, -2, 1e-30, 1e-45, 3e38, NAN, INF, 0], len(edges))
            entries += [(chrom, *run) for run in zip(edges[:-1], edges[1:], values) if rng.random() < 0.7]
        paths.append(write(folder / f"{number}.bw", CONTIGS, entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "_WIDE", data.draw(st.sampled_from([1, 7, 32, 1 << 20])))
        patch.setattr(averaging, "_MOST_RUNS", data.draw(st.sampled_from([1, 10_000, 1 << 18])))
        counts = average(paths, folder / "mean.bw", cores)
    assert_exact(folder / "mean.bw", paths, CONTIGS)
    written = []
    for path in paths:
        with pyBigWig.open(str(path)) as file:
            written += [run for chrom in CONTIGS for run in file.intervals(chrom) or ()]
    assert counts == {
        "files": len(paths),
        "non_finite": sum(end - start for start, end, value in written if not np.isfinite(value)),
        "negative": sum(end - start for start, end, value in written if np.isfinite(value) and value < 0),
        "bases": sum(int(np.count_nonzero(mean)) for mean in expected(paths, CONTIGS).values()),
    }


def test_the_tail_is_kept_and_the_sum_divided_by_the_number_of_files(tmp_path):
    paths = [
        write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, 3), ("c", 99, 100, 6)]),
        write(tmp_path / "b.bw", {"c": 100}, [("c", 5, 10, 3)]),
        write(tmp_path / "c.bw", {"c": 100}),
    ]
    average(paths, tmp_path / "mean.bw")
    with pyBigWig.open(str(tmp_path / "mean.bw")) as file:
        assert file.intervals("c") == ((0, 5, 1.0), (5, 10, 2.0), (99, 100, 2.0))


def test_coverage_written_as_negative_numbers_is_turned(tmp_path):
    paths = [
        write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, -3)]),
        write(tmp_path / "b.bw", {"c": 100}, [("c", 5, 10, -1), ("c", 20, 21, 4)]),
    ]
    for cores in (1, 2):
        counts = average(paths, tmp_path / f"mean{cores}.bw", cores, sign=-1)
        assert counts == {"files": 2, "non_finite": 0, "negative": 1, "bases": 11}
        with pyBigWig.open(str(tmp_path / f"mean{cores}.bw")) as file:
            assert file.intervals("c") == ((0, 5, 1.5), (5, 10, 2.0), (20, 21, -2.0))
    with pytest.raises(InputError, match=r"coverage is negative \(its sum is -30\).*negate: true"):
        check_track_sign(paths[0], negate=False)
    check_track_sign(paths[0], negate=True)
    for negate in (True, False):
        with pytest.raises(InputError, match=r"b\.bw: values from -1 to 4, positive and negative: two strands"):
            check_track_sign(paths[1], negate)
    # pyBigWig writes the least number there is for the largest value where values fall from the first one on.
    falling = write(tmp_path / "e.bw", {"c": 100}, [("c", 5, 10, 4), ("c", 20, 21, -1)])
    assert pyBigWig.open(str(falling)).header()["maxVal"] == 0
    with pytest.raises(InputError, match=r"e\.bw: values from -1 to 4, positive and negative: two strands"):
        check_track_sign(falling, False)
    with pytest.raises(InputError, match="coverage is positive"):
        check_track_sign(write(tmp_path / "f.bw", {"c": 100}, [("c", 0, 9, 3), ("c", 9, 10, 2)]), negate=True)
    with pytest.raises(InputError, match="coverage is positive"):
        check_track_sign(write(tmp_path / "d.bw", {"c": 100}, [("c", 0, 10, 3)]), negate=True)


def test_negative_coverage_is_named_by_its_track(tmp_path):
    path = write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, -3), ("c", 20, 21, 4)])
    with pytest.raises(InputError, match=r"a\.bw: coverage of liver is negative at 10 bases"):
        check_coverage(average([path], tmp_path / "mean.bw"), "liver", [path])
    check_coverage(average([path], tmp_path / "mean.bw") | {"negative": 0}, "liver", [path])


def test_values_that_are_no_numbers_are_said_in_a_line_a_file(tmp_path, caplog):
    a = write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, NAN), ("c", 10, 20, 1), ("c", 30, 33, INF)])
    b = write(tmp_path / "b.bw", {"c": 100}, [("c", 0, 10, 3)])
    for cores in (1, 2):
        caplog.clear()
        average([a, b], tmp_path / "mean.bw", cores)
        assert [record.getMessage() for record in caplog.records] == [f"{a}: 13 bases hold NaN or infinity: taken as 0"]


def test_a_contig_that_a_file_lacks_is_zero_there(tmp_path):
    a = write(tmp_path / "a.bw", {"chr1": 10}, [("chr1", 0, 4, 2)])
    b = write(tmp_path / "b.bw", {"2": 20, "1": 10}, [("2", 3, 6, 8), ("1", 0, 4, 4)])
    assert union_of_contigs([a, b]) == {"chr1": 10, "2": 20}
    average([a, b], tmp_path / "mean.bw")
    with pyBigWig.open(str(tmp_path / "mean.bw")) as file:
        assert file.chroms() == {"chr1": 10, "2": 20}
        assert file.intervals("chr1") == ((0, 4, 3.0),)
        assert file.intervals("2") == ((3, 6, 4.0),)


def test_two_mitochondrial_contigs_of_one_file_stay_apart(tmp_path):
    both = {"chrM": 16_571, "chrMT": 16_569}
    a = write(tmp_path / "a.bw", both, [("chrM", 0, 1, 2), ("chrMT", 0, 1, 4)])
    b = write(tmp_path / "b.bw", {"chrM": 16_571}, [("chrM", 0, 1, 4)])
    average([a, b], tmp_path / "mean.bw")
    with pyBigWig.open(str(tmp_path / "mean.bw")) as file:
        assert file.chroms() == both
        assert (file.intervals("chrM"), file.intervals("chrMT")) == (((0, 1, 3.0),), ((0, 1, 2.0),))


def test_bases_whose_mean_is_zero_are_not_written(tmp_path):
    smallest = float(np.nextafter(np.float32(0), np.float32(1)))
    paths = [
        write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, smallest), ("c", 20, 30, 1), ("c", 40, 50, 3)]),
        write(tmp_path / "b.bw", {"c": 100}, [("c", 20, 30, -1), ("c", 60, 70, -0.0)]),
        write(tmp_path / "c.bw", {"c": 100}),
    ]
    assert average(paths, tmp_path / "mean.bw")["bases"] == 10
    with pyBigWig.open(str(tmp_path / "mean.bw")) as file:
        assert file.intervals("c") == ((40, 50, 1.0),)


# As pyBigWig packs them: thousands of values a section in steps, and many a place.
DENSE = """
import sys
from pathlib import Path
from glmflow.tracks.averaging import average
average(sys.argv[2:], sys.argv[1])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""


@pytest.mark.slow
def test_dense_tracks_are_averaged_within_100_megabytes(tmp_path):
    length = 600_000
    paths = []
    for number in range(12):
        values = np.random.default_rng(number).integers(1, 200, length).astype(float)
        file = pyBigWig.open(str(tmp_path / f"{number}.bw"), "w")
        file.addHeader([("c", length)])
        file.addEntries("c", 0, values=values, span=1, step=1)
        file.close()
        paths.append(tmp_path / f"{number}.bw")
    command = [sys.executable, "-c", DENSE, str(tmp_path / "mean.bw"), *map(str, paths)]
    assert float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 100
    tracks = []
    for path in (*paths, tmp_path / "mean.bw"):
        with pyBigWig.open(str(path)) as file:
            tracks.append(file.values("c", 0, length, numpy=True))
    np.testing.assert_array_equal(tracks[-1], np.mean(tracks[:-1], axis=0, dtype=np.float64).astype(np.float32))


def test_many_sections_that_begin_at_one_base_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "_MOST_RUNS", 1)
    with (tmp_path / "a.bw").open("wb") as handle:
        file = Writer(handle, {"c": 1_000})
        for _ in range(40):
            file.add(encode(Runs(np.array([50]), np.array([60]), np.ones(1, np.float32)), 0))
        file.close()
    with pytest.raises(InputError, match="two values for the same bases of c"):
        average([tmp_path / "a.bw"], tmp_path / "mean.bw")


def test_a_contig_that_could_be_either_of_two_is_refused(tmp_path):
    a = write(tmp_path / "a.bw", {"M": 100}, [("M", 0, 1, 2)])
    b = write(tmp_path / "b.bw", {"chrM": 100, "MT": 100}, [("chrM", 0, 1, 4)])
    with pytest.raises(
        InputError, match=r"b\.bw: contig names chrM, MT do not tell which of the other tracks' M is meant"
    ):
        average([a, b], tmp_path / "mean.bw")


def test_tracks_without_a_common_contig_are_refused(tmp_path):
    a, b = write(tmp_path / "a.bw", {"chr1": 100}), write(tmp_path / "b.bw", {"chr2": 100})
    with pytest.raises(InputError, match=r"a\.bw: no contig of the other tracks: it has chr1, they chr2"):
        average([a, b], tmp_path / "mean.bw")
    both = write(tmp_path / "both.bw", {"chr1": 100, "chr2": 100})
    average([a, b, both], tmp_path / "mean.bw")


def test_mapped_names_are_said(tmp_path, caplog):
    a, b = write(tmp_path / "a.bw", {"chr1": 100}), write(tmp_path / "b.bw", {"1": 100})
    average([a, b], tmp_path / "mean.bw")
    assert "b.bw: contig names mapped: 1 is chr1" in caplog.text


def test_no_file_stays_open(tmp_path):
    path = write(tmp_path / "a.bw", {"c": 100}, [("c", 0, 10, 3)])
    (tmp_path / "bad.bw").write_bytes(b"no bigWig")
    gc.collect()  # what other tests of this process left open is not meant
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        average([path], tmp_path / "mean.bw")
        with pytest.raises(InputError):
            average([path, tmp_path / "bad.bw"], tmp_path / "mean.bw")
        gc.collect()
    assert not [warning for warning in caught if issubclass(warning.category, ResourceWarning)]


def test_the_file_does_not_depend_on_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "_WIDE", 1_000)
    rng = np.random.default_rng(1)
    paths = []
    for number in range(3):
        starts = np.sort(rng.choice(5_000, 200, replace=False)) * 10
        paths.append(write(tmp_path / f"{number}.bw", {"c": 50_000}, [("c", at, at + 9, at % 7) for at in starts]))
    for cores in (1, 2):
        average(paths, tmp_path / f"mean{cores}.bw", cores)
    assert (tmp_path / "mean1.bw").read_bytes() == (tmp_path / "mean2.bw").read_bytes()


def test_another_build_is_refused_with_both_lengths(tmp_path):
    a = write(tmp_path / "a.bw", {"chr1": 100})
    b = write(tmp_path / "b.bw", {"1": 101})
    with pytest.raises(InputError) as raised:
        average([a, b], tmp_path / "mean.bw")
    assert all(word in str(raised.value) for word in (str(b), str(a), "contig 1 ", "101", "100"))
    assert not (tmp_path / "mean.bw").exists()


def test_what_cannot_be_averaged_is_refused(tmp_path):
    a = write(tmp_path / "a.bw", CONTIGS, [("a", 0, 1, 1)])
    with pytest.raises(InputError, match="no tracks"):
        average([], tmp_path / "mean.bw")
    with pytest.raises(InputError, match="twice"):
        average([a, tmp_path / "." / "a.bw"], tmp_path / "mean.bw")
    with pytest.raises(InputError, match="also an input"):
        average([a], a)
    with pytest.raises(InputError, match="0 cores"):
        average([a], tmp_path / "mean.bw", cores=0)
    with pytest.raises(InputError, match=r"none\.bw"):
        average([a, tmp_path / "none.bw"], tmp_path / "mean.bw")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bw"]


def test_damage_found_late_leaves_nothing_behind(tmp_path):
    a = write(tmp_path / "a.bw", CONTIGS, [("a", 0, 50, 1), ("a", 60, 70, 2)])
    b = write(tmp_path / "b.bw", CONTIGS, [("a", 0, 50, 1), ("a", 60, 70, 2)])
    with averaging.BigWig(b) as file:
        ((node, _),) = file._index.leaves(0, 0, 100)
        at, size = int(node.offset[0]), int(node.size[0])
    content = bytearray(b.read_bytes())
    content[at : at + size] = bytes(size)
    b.write_bytes(content)
    for cores in (1, 2):
        with pytest.raises(InputError, match=r"b\.bw.*damaged"):
            average([a, b], tmp_path / "mean.bw", cores)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bw", "b.bw"]


@pytest.mark.real
def test_twelve_real_replicates_average_exactly(test_data, tmp_path):
    paths = sorted((test_data / "brainspan_chr21").glob("*.bw"))
    counts = average(paths, tmp_path / "mean.bw", cores=2)
    length, step, bases = 48_129_895, 4_000_000, 0
    files = [pyBigWig.open(str(path)) for path in paths]
    mean = pyBigWig.open(str(tmp_path / "mean.bw"))
    assert mean.chroms() == {"chr21": length}
    for start in range(0, length, step):
        end = min(start + step, length)
        total = np.zeros(end - start)
        for file in files:
            total += np.nan_to_num(file.values("chr21", start, end, numpy=True))
        found = np.nan_to_num(mean.values("chr21", start, end, numpy=True))
        np.testing.assert_array_equal(found, (total / len(files)).astype(np.float32))
        bases += np.count_nonzero(total)
    assert counts == {"files": 12, "non_finite": 0, "negative": 0, "bases": bases}
