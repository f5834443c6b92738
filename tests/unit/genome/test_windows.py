"""Windows cover every base, end with the contig, and are left out for stated reasons only."""

import shutil
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.genome.windows import filter_windows, make_windows, tile
from hypothesis import given, settings
from hypothesis import strategies as st

CHR19 = 58_617_616  # hg38


@pytest.mark.parametrize(("size", "overlap", "count"), [(32_000, 16_000, 3_663), (32_768, 16_384, 3_577)])
def test_the_published_number_of_windows_on_chromosome_19(size, overlap, count):
    starts = tile(CHR19, size, overlap)
    assert len(starts) == count
    assert starts[-1] + size == CHR19


@settings(deadline=None)
@given(length=st.integers(1, 500), size=st.integers(1, 80), data=st.data())
def test_windows_cover_a_contig_and_end_with_it(length, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    starts = tile(length, size, overlap)
    assert starts.dtype == np.int64
    if length < size:
        assert starts.tolist() == [0]
        return
    rest = (length - size) % (size - overlap)
    assert len(starts) == (length - size) // (size - overlap) + 1 + (rest > 0)
    seen = np.zeros(length, bool)
    for start in starts:
        assert 0 <= start <= length - size
        seen[start : start + size] = True
    assert seen.all()
    assert starts[-1] == length - size
    assert np.all(np.diff(starts)[:-1] == size - overlap)


@pytest.mark.parametrize(("size", "overlap"), [(10, 10), (10, 11), (10, -1), (0, 0)])
def test_an_overlap_as_large_as_the_window_is_refused(size, overlap):
    with pytest.raises(InputError, match="windows"):
        tile(100, size, overlap)


def test_windows_of_a_short_contig_end_with_it():
    windows = make_windows({"a": 25, "b": 7}, size=10, overlap=5)
    assert windows.to_dict("list") == {
        "chrom": ["a", "a", "a", "a", "b"],
        "start": [0, 5, 10, 15, 0],
        "end": [10, 15, 20, 25, 7],
    }


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(">chr1\n" + "ACGT" * 5 + "NNNNNNNNNN" + "ACGTACGTAC" * 2 + "\n>chr2\nNNNNNACGTA\n")
    return Reference(path)


def test_windows_with_too_many_unknown_bases_are_counted(genome):
    windows = make_windows(genome.contigs, size=10, overlap=0)
    kept, counts = filter_windows(windows, genome, max_n_fraction=0.5)
    assert kept[["chrom", "start"]].values.tolist() == [
        ["chr1", 0],
        ["chr1", 10],
        ["chr1", 30],
        ["chr1", 40],
        ["chr2", 0],
    ]
    assert counts == {"n_rich": 1, "blacklisted": 0, "pseudoautosomal": 0}
    kept, counts = filter_windows(windows, genome, max_n_fraction=0.49)
    assert counts["n_rich"] == 2
    assert "chr2" not in set(kept["chrom"])


needs_bedtools = pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")


@needs_bedtools
def test_a_window_that_shares_one_base_with_the_blacklist_is_left_out(genome, tmp_path):
    bed = tmp_path / "blacklist.bed"
    bed.write_text("track name=x\nchr1\t9\t10\tfirst\nchr1\t25\t31\tsecond\nchrUn\t0\t5\tnot_here\n")
    windows = make_windows(genome.contigs, size=10, overlap=0)
    kept, counts = filter_windows(windows, genome, max_n_fraction=0.5, blacklist=bed)
    assert kept[["chrom", "start"]].values.tolist() == [["chr1", 10], ["chr1", 40], ["chr2", 0]]
    assert counts == {"n_rich": 1, "blacklisted": 2, "pseudoautosomal": 0}  # the N-rich window at 20 is both
    assert list(kept.index) == [0, 1, 2]


@needs_bedtools
@settings(deadline=None)
@given(data=st.data())
def test_the_blacklist_agrees_with_a_mask_of_bases(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bed")
    (folder / "g.fa").write_text(">1\n" + "A" * 200 + "\n")
    regions = data.draw(st.lists(st.tuples(st.integers(0, 199), st.integers(1, 30)), max_size=4))
    (folder / "b.bed").write_text("".join(f"chr1\t{at}\t{at + length}\n" for at, length in regions))
    masked = np.zeros(300, bool)
    for at, length in regions:
        masked[at : at + length] = True
    windows = make_windows({"1": 200}, size=16, overlap=4)
    kept, counts = filter_windows(windows, Reference(folder / "g.fa"), 1.0, folder / "b.bed")
    clear = [not masked[start:end].any() for start, end in zip(windows["start"], windows["end"])]
    pd.testing.assert_frame_equal(kept, windows[clear].reset_index(drop=True))
    assert counts["blacklisted"] == len(windows) - sum(clear)


@needs_bedtools
def test_a_blacklist_with_blanks_or_reaching_behind_a_contig(genome, tmp_path):
    """UCSC allows blanks between the columns."""
    bed, windows = tmp_path / "b.bed", make_windows({"chr1": 40}, 10, 0)
    expected = None
    for text in ("chr1\t9\t10\tx\nchr1\t25\t40\n", "1 9 10 High Signal\n1  25 99999999999\n"):
        bed.write_text(text)
        kept, counts = filter_windows(windows, genome, max_n_fraction=1.0, blacklist=bed)
        assert counts["blacklisted"] == 3
        assert expected is None or kept.equals(expected)
        expected = kept


@needs_bedtools
def test_a_bad_blacklist_is_refused(genome, tmp_path):
    windows = make_windows(genome.contigs, size=10, overlap=0)
    with pytest.raises(InputError, match="no such file"):
        filter_windows(windows, genome, 0.5, tmp_path / "none.bed")
    (tmp_path / "bad.bed").write_text("chr1\tten\ttwenty\n")
    with pytest.raises(InputError, match=r"bad\.bed"):
        filter_windows(windows, genome, 0.5, tmp_path / "bad.bed")
    (tmp_path / "yeast.bed").write_text("chrXII\t1\t20\n")
    with pytest.raises(InputError, match=r"yeast\.bed.*no contig of the genome"):
        filter_windows(windows, genome, 0.5, tmp_path / "yeast.bed")


def test_windows_in_the_pseudoautosomal_regions_of_y_are_left_out_unless_they_are_kept():
    class Genome:
        contigs: ClassVar = {"chrY": 57_227_415, "chrX": 156_040_895}

        def fetch(self, chrom, start, end):
            return np.full(end - start, ord("A"), np.uint8)

    rows = [("chrY", 2_781_000, 2_781_400), ("chrY", 2_781_400, 2_781_480), ("chrY", 2_781_479, 2_781_900)]
    windows = pd.DataFrame([*rows, ("chrX", 100_000, 100_100)], columns=["chrom", "start", "end"])
    kept, counts = filter_windows(windows, Genome(), 0.1)
    assert kept["start"].tolist() == [2_781_479, 100_000] and counts["pseudoautosomal"] == 2
    kept, counts = filter_windows(windows, Genome(), 0.1, alternates="keep")
    assert len(kept) == 4 and counts["pseudoautosomal"] == 0
