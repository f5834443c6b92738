"""Reading tracks: what is not there is 0, in every process; what is no track of this genome is refused."""

import gzip
import multiprocessing
import pickle
import struct
from functools import partial

import numpy as np
import pyBigWig
import pytest
from glmflow.errors import InputError
from glmflow.genome.labels import gather_labels
from glmflow.tracks.reading import TrackReader, check_track_matches
from hypothesis import given, settings
from hypothesis import strategies as st
from tracks_for_tests import write

CONTIGS = {"chr1": 100, "chrM": 30}
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracks")
    a = [("chr1", 10, 20, 1.5), ("chr1", 20, 25, NAN), ("chr1", 90, 100, 2.0), ("chrM", 0, 30, 7)]
    b = [("1", 15, 30, -3), ("1", 30, 31, INF), ("1", 31, 32, -INF), ("1", 99, 100, 4)]
    return [
        write(folder / "a.bw", CONTIGS, a),
        write(folder / "b.bw", {"1": 100}, b),
        write(folder / "empty.bw", CONTIGS),
    ]


def dense():
    """The same tracks written out base by base."""
    chr1 = np.zeros((3, 100), np.float32)
    chr1[0, 10:20], chr1[0, 90:] = 1.5, 2
    chr1[1, 15:30], chr1[1, 99] = -3, 4
    return {"chr1": chr1, "chrM": np.array([[7.0] * 30, [0] * 30, [0] * 30], np.float32)}


@settings(deadline=None)
@given(data=st.data())
def test_reads_equal_the_dense_tracks_padded_with_zeros(paths, data):
    reader = TrackReader(paths)
    chrom = data.draw(st.sampled_from(["chr1", "chrM"]))
    start = data.draw(st.integers(-20, 140))
    end = data.draw(st.integers(start, 150))
    padded = np.pad(dense()[chrom], ((0, 0), (50, 200)))
    coverage = reader.read(chrom, start, end)
    assert coverage.dtype == np.float32
    np.testing.assert_array_equal(coverage, padded[:, 50 + start : 50 + end])


@st.composite
def maps(draw):
    """Return the map of a window: padding, stretches of the reference with bases lost or inserted between, padding."""
    position, at = [-2] * draw(st.integers(0, 3)), draw(st.integers(0, 60))
    for _ in range(draw(st.integers(0, 6))):
        position += range(at, at := min(at + draw(st.integers(0, 25)), 100))
        at = min(at + draw(st.integers(0, 4)), 100)
        position += [-1] * draw(st.integers(0, 3))
    return np.array([*position, *[-2] * draw(st.integers(0, 3))], np.int32)


@settings(deadline=None, max_examples=200)
@given(position=maps(), inserted=st.sampled_from(["masked", "repeat5p"]))
def test_labels_of_a_haplotype_are_the_dense_tracks_at_its_places(paths, position, inserted):
    single = np.random.default_rng(1).random(100).astype(np.float32)
    single[40:43] = np.nan, np.inf, 0
    path = paths[0].parent / "single.bw"
    if not path.exists():
        with pyBigWig.open(str(path), "w") as file:  # a value a base, which is kept in another form
            file.addHeader(list(CONTIGS.items()))
            file.addEntries("chr1", 0, values=single, span=1, step=1)
    tracks = np.concatenate([dense()["chr1"], np.nan_to_num(single, posinf=0)[None]])
    source = position.copy()
    if inserted == "repeat5p":
        for n in range(1, len(source)):
            if source[n] == -1:
                source[n] = source[n - 1]
    reader = TrackReader([*paths, path])
    values, labelled = gather_labels(position, partial(reader.along, "chr1"), inserted)
    np.testing.assert_array_equal(labelled, source >= 0)
    np.testing.assert_array_equal(values, np.where(source >= 0, tracks[:, source], 0))
    assert values.dtype == np.float32 and values.flags.writeable


def test_a_contig_that_no_track_has_is_zero(paths):
    reader = TrackReader(paths)
    assert not reader.read("chr7", 0, 5).any()
    assert len(reader) == 3
    assert reader.contigs == {"chr1": 100, "chrM": 30, "1": 100}


def read_in_worker(reader):
    return reader.read("chr1", 5, 40)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_open_their_own_handles(paths, method):
    reader = TrackReader(paths)
    here = reader.read("chr1", 5, 40)
    with multiprocessing.get_context(method).Pool(2) as pool:
        for there in pool.map(read_in_worker, [reader] * 4):
            np.testing.assert_array_equal(there, here)
    np.testing.assert_array_equal(read_in_worker(pickle.loads(pickle.dumps(reader))), here)


def test_a_track_of_this_genome_passes(paths):
    assert check_track_matches(paths[0], CONTIGS) == {"chr1": "chr1", "chrM": "chrM"}
    assert check_track_matches(paths[1], CONTIGS) == {"chr1": "1"}


def test_a_track_of_another_build_is_refused(tmp_path):
    hg38 = {"chr1": 248_956_422}
    path = write(tmp_path / "hg19.bw", {"chr1": 249_250_621})
    with pytest.raises(InputError) as raised:
        check_track_matches(path, hg38)
    assert all(word in str(raised.value) for word in (str(path), "chr1", "249,250,621", "248,956,422"))


def test_a_track_of_another_species_is_refused(tmp_path):
    path = write(tmp_path / "worm.bw", {"I": 1000})
    with pytest.raises(InputError, match=r"worm\.bw: no contig of the genome"):
        check_track_matches(path, CONTIGS)


def test_what_is_no_bigwig_is_refused_in_one_line(tmp_path, paths, capfd):
    whole = paths[0].read_bytes()
    cases = {
        "text.bw": (b"chr1\t1\t2\t3\n", "text, not a bigWig"),
        "page.bw": (b"<html>not found</html>", "not a bigWig"),
        "empty_file.bw": (b"", "an empty file"),
        "packed.bw": (gzip.compress(whole), "compressed with gzip"),
        "genes.bb": (struct.pack("<I", 0x8789F2EB) + whole[4:], "bigBed"),
        "half.bw": (whole[: len(whole) // 2], "truncated"),
        "head.bw": (whole[:60], "truncated"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=words) as raised:
            TrackReader([tmp_path / name])
        assert name in str(raised.value)
    with pytest.raises(InputError, match="no such bigWig"):
        TrackReader([tmp_path / "none.bw"])
    assert capfd.readouterr().err == ""  # the C library would have said it in its own words
