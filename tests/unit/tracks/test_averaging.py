"""The mean of replicates equals float32 of the float64 mean at every base, however it is computed."""

import numpy as np
import pyBigWig
import pytest
from glmflow.errors import InputError
from glmflow.tracks import averaging
from glmflow.tracks.averaging import average, union_of_contigs
from glmflow.tracks.bigwig import BigWig, writer
from glmflow.tracks.reading import check_track_sign
from glmflow.tracks.writing import write_bigwig
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
            values = rng.choice([0.1, 1 / 3, 7, -2, 1e-30, 3e38, NAN, INF, 0], len(edges))
            entries += [(chrom, *run) for run in zip(edges[:-1], edges[1:], values) if rng.random() < 0.7]
        paths.append(write(folder / f"{number}.bw", CONTIGS, entries))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "_WIDEST", data.draw(st.sampled_from([1, 7, 32, 1 << 20])))
        patch.setattr(averaging, "_MOST_SECTIONS", data.draw(st.sampled_from([1, 2, 1024])))
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
    check_track_sign(paths[1], negate=True)
    with pytest.raises(InputError, match="coverage is positive"):
        check_track_sign(write(tmp_path / "d.bw", {"c": 100}, [("c", 0, 10, 3)]), negate=True)


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


def test_few_sections_begin_in_a_place_however_dense_the_tracks_are(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_ITEMS", 10)
    monkeypatch.setattr(averaging, "_MOST_SECTIONS", 6)
    bases = np.arange(1_000)
    paths, contigs, names = [tmp_path / f"{number}.bw" for number in range(4)], {"c": 1_000, "d": 50}, []
    for path, step in zip(paths, (1, 1, 4, 1_000)):
        starts = bases[::step]
        write_bigwig(path, contigs, [("c", starts, starts + 1, starts % 7 + 1.0)])
        names.append({"c": "c", "d": "d"})
    sections = [at for path in paths for at in BigWig(path).section_starts("c").tolist()]
    assert sections == [*range(0, 1_000, 10)] * 2 + [*range(0, 1_000, 40), 0]
    places = averaging._places(paths, names, contigs)
    assert [place for place in places if place.chrom == "d"] == [(1, "d", 0, 50)]
    of_c = [place for place in places if place.chrom == "c"]
    assert [place.start for place in of_c] + [1_000] == [0] + [place.end for place in of_c]
    assert max(sum(place.start <= at < place.end for at in sections) for place in of_c) <= 6
    # Sections of all files at one base make a place of their own, not an endless number of empty ones.
    monkeypatch.setattr(averaging, "_MOST_SECTIONS", 1)
    assert all(place.end > place.start for place in averaging._places(paths, names, contigs))


def test_the_file_does_not_depend_on_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(averaging, "_WIDEST", 1_000)
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
        ((at, size),) = file._sections(0, 0, 100)
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
