"""The reference: every fetch equals the FASTA read naively, whatever its layout; bad files are refused in one line."""

import gzip
import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pysam
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference, contig_lengths, match_contigs, prepare_reference
from glmflow.text_files import write_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

CONTIGS = {"chrA": "ACGTNacgtnRYKMSWBDHVryk" * 11, "chrB": "GATTACA", "c": "ACGTACGT" * 15}


def write_fasta(path, contigs, line=60, end="\n"):
    text = ""
    for name, bases in contigs.items():
        text += f">{name} a description > with more{end}"
        text += "".join(bases[i : i + line] + end for i in range(0, len(bases), line))
    path.write_bytes(text.encode())
    return path


def expected(bases, start, end):
    """Read naively: upper case, anything but A C G T is N, and N past the ends."""
    return "".join(
        base if 0 <= i < len(bases) and (base := bases[i].upper()) in "ACGT" else "N" for i in range(start, end)
    )


@settings(max_examples=60, deadline=None)
@given(line=st.integers(1, 70), end=st.sampled_from(["\n", "\r\n"]), data=st.data())
def test_fetch_equals_the_text_of_the_file(tmp_path_factory, line, end, data):
    path = write_fasta(tmp_path_factory.mktemp("fasta") / "g.fa", CONTIGS, line, end)
    reference = Reference(path)
    assert reference.contigs == {name: len(bases) for name, bases in CONTIGS.items()}
    for name, bases in CONTIGS.items():
        start = data.draw(st.integers(-20, len(bases) + 20))
        stop = data.draw(st.integers(start, len(bases) + 40))
        assert reference.fetch_string(name, start, stop) == expected(bases, start, stop)


def test_bgzip_reads_as_the_plain_file(tmp_path):
    path = write_fasta(tmp_path / "g.fa", CONTIGS)
    pysam.tabix_compress(str(path), str(tmp_path / "g.fa.gz"))
    plain, packed = Reference(path), Reference(tmp_path / "g.fa.gz")
    assert packed.contigs == plain.contigs
    for name, length in plain.contigs.items():
        np.testing.assert_array_equal(packed.fetch(name, -3, length + 3), plain.fetch(name, -3, length + 3))


def test_reading_writes_nothing_beside_the_file(tmp_path):
    path = write_fasta(tmp_path / "g.fa", CONTIGS)
    pysam.tabix_compress(str(path), str(tmp_path / "g.fa.gz"))
    for name in ("g.fa", "g.fa.gz"):
        Reference(tmp_path / name).fetch("chrB", 0, 4)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["g.fa", "g.fa.gz"]


def test_an_index_made_by_samtools_is_used(tmp_path):
    path = write_fasta(tmp_path / "g.fa", CONTIGS, line=13)
    pysam.faidx(str(path))
    reference = Reference(path)
    assert reference.fetch_string("c", 5, 40) == CONTIGS["c"][5:40]


def test_a_stale_index_is_not_used(tmp_path):
    path = write_fasta(tmp_path / "g.fa", {"chrB": "ACGT"})
    pysam.faidx(str(path))
    write_fasta(path, CONTIGS)
    os.utime(f"{path}.fai", (1, 1))
    assert Reference(path).contigs["chrA"] == len(CONTIGS["chrA"])


def test_an_index_of_another_file_is_refused(tmp_path):
    path = write_fasta(tmp_path / "g.fa", CONTIGS)
    pysam.faidx(str(path))
    fai = Path(f"{path}.fai")
    content = fai.read_text()
    write_fasta(path, {"other": "ACGT"})
    fai.write_text(content)
    os.utime(path, (1, 1))
    with pytest.raises(InputError, match=r"g\.fa\.fai.*index"):
        Reference(path)


def test_fetched_bases_are_the_callers_own(tmp_path):
    reference = Reference(write_fasta(tmp_path / "g.fa", CONTIGS))
    reference.fetch("chrB", 0, 7)[:] = 0
    assert reference.fetch_string("chrB", 0, 7) == "GATTACA"
    assert reference.fetch("chrB", 2, 2).shape == (0,)


def read_in_worker(reference):
    return reference.fetch_string("chrB", 0, 7)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("packed", [False, True])
def test_workers_open_their_own_handles(tmp_path, method, packed):
    path = write_fasta(tmp_path / "g.fa", CONTIGS)
    if packed:
        pysam.tabix_compress(str(path), f"{path}.gz")
        path = tmp_path / "g.fa.gz"
    reference = Reference(path)
    assert reference.fetch_string("chrB", 0, 7) == "GATTACA"
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(read_in_worker, [reference] * 4) == ["GATTACA"] * 4
    assert read_in_worker(pickle.loads(pickle.dumps(reference))) == "GATTACA"


def test_an_unknown_contig_is_named(tmp_path):
    reference = Reference(write_fasta(tmp_path / "g.fa", CONTIGS))
    with pytest.raises(InputError, match=r"no contig 'chrZ'.*chrA"):
        reference.fetch("chrZ", 0, 1)
    with pytest.raises(ValueError, match="ends before"):
        reference.fetch("chrB", 3, 2)


BAD = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n", "empty"),
    "page": (b"<!DOCTYPE html><html>Not found</html>", "web page"),
    "table": (b"chr1\t100\t200\n", "does not begin with '>'"),
    "twice": (b">a\nACGT\n>b\nAC\n>a\nAC\n", "twice"),
    "hollow": (b">a\nACGT\n>b\n>c\nAC\n", "no bases"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_genome_is_refused(tmp_path, case):
    content, words = BAD[case]
    path = tmp_path / "bad.fa"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        prepare_reference(path, tmp_path / "out" / "genome.fa")
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.rglob("genome.fa*")) and not list(tmp_path.rglob(".tmp*"))
    for read in (Reference, contig_lengths):
        with pytest.raises(InputError, match=words) as raised:
            read(path)
        assert str(raised.value).startswith(f"{path}: ")


def test_a_contig_twice_in_a_bgzip_file(tmp_path):
    """samtools leaves the second one out, with a remark."""
    path = tmp_path / "bad.fa.gz"
    with write_bytes(path, packed=True) as handle:
        handle.write(BAD["twice"][0])
    with pytest.raises(InputError, match="contig 'a' comes twice") as raised:
        Reference(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_bgzip_file_that_was_cut_or_damaged_is_refused(tmp_path):
    path, bases = tmp_path / "g.fa.gz", np.random.default_rng(1).choice(list(b"ACGT"), 300_000).astype(np.uint8)
    with write_bytes(path, packed=True) as handle:
        handle.write(b">a\n" + bases.tobytes() + b"\n")
    whole = path.read_bytes()
    reference = Reference(path)
    path.write_bytes(whole[:-28])
    for read in (Reference, contig_lengths, lambda path: prepare_reference(path, tmp_path / "copy.fa")):
        with pytest.raises(InputError, match=r"g\.fa\.gz: cut short"):
            read(path)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x10
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"g\.fa\.gz: (damaged|cannot be indexed)"):
        Reference(path).fetch("a", 0, 300_000)
    with pytest.raises(InputError, match=r"g\.fa\.gz: "):
        reference.fetch("a", 0, 300_000)


def test_contigs_of_what_can_be_copied_but_not_read_at_random(tmp_path):
    contents = {
        "gzip": gzip.compress(b">a x\nACGT\nAC\n>b\nACG\n"),
        "lines": b">a\nA\nCGT\nAC\n\n\n>b\r\nACG\r\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert contig_lengths(tmp_path / name) == {"a": 6, "b": 3}
        prepare_reference(tmp_path / name, tmp_path / "copy.fa")
        assert Reference(tmp_path / "copy.fa").contigs == {"a": 6, "b": 3}
    with pytest.raises(InputError, match="no such file"):
        contig_lengths(tmp_path / "none.fa")


def test_lines_of_unequal_length_need_a_prepared_copy(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\nAC\nACGTACG\n\n>b\nTT\n")
    with pytest.raises(InputError, match=r"g\.fa"):
        Reference(path)
    prepare_reference(path, tmp_path / "genome.fa")
    assert Reference(tmp_path / "genome.fa").fetch_string("a", 0, 13) == "ACGTACACGTACG"


@pytest.mark.parametrize("content", [b">a\nACGT\n\n\n>b\nAC\n", b">a\nAC\n\n\n\nGT\n>b\nAC\n"])
def test_blank_lines_within_a_genome_are_copied_away_and_no_traceback(tmp_path, content):
    path = tmp_path / "g.fa"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"g\.fa: cannot be indexed .*blank lines"):
        Reference(path)
    assert contig_lengths(path) == {"a": 4, "b": 2}
    prepare_reference(path, tmp_path / "copy.fa")
    assert Reference(tmp_path / "copy.fa").fetch_string("a", 0, 4) == "ACGT"


@pytest.mark.parametrize("content", [b">p\nMKVLEF\n", b">a\nAC-GT\n", b">a\nAC GT\n"])
def test_a_protein_a_gap_or_a_blank_is_no_nucleotide(tmp_path, content):
    path = tmp_path / "g.fa"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no nucleotide"):
        prepare_reference(path, tmp_path / "genome.fa")
    with pytest.raises(InputError, match="is no nucleotide"):
        reference = Reference(path)
        reference.fetch(*reference.contigs, 0, 5)


def test_missing_truncated_and_plainly_gzipped_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Reference(tmp_path / "none.fa")
    packed = tmp_path / "g.fa.gz"
    packed.write_bytes(gzip.compress(b">a\nACGT\n"))
    with pytest.raises(InputError, match="gzip"):
        Reference(packed)
    prepare_reference(packed, tmp_path / "genome.fa")
    assert Reference(tmp_path / "genome.fa").fetch_string("a", 0, 4) == "ACGT"
    bases = np.random.default_rng(1).choice(list(b"ACGT"), 20_000).astype(np.uint8).tobytes()
    packed.write_bytes(gzip.compress(b">a\n" + bases + b"\n")[:-2000])
    with pytest.raises(InputError, match="damaged"):
        prepare_reference(packed, tmp_path / "genome.fa")


@pytest.mark.parametrize("line", [1, 59, 60, 61, 1000])
@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_a_prepared_copy_holds_the_same_bases(tmp_path, monkeypatch, line, block):
    monkeypatch.setattr("glmflow.genome.fasta._BLOCK", block)
    contigs = CONTIGS | {"sixty": "A" * 60, "more": "C" * 121}
    counts = prepare_reference(write_fasta(tmp_path / "g.fa", contigs, line, "\r\n"), tmp_path / "genome.fa")
    text = "".join(contigs.values())
    assert counts == {
        "contigs": 5,
        "bases": len(text),
        "n_bases": sum(base not in "acgtACGT" for base in text),
        "ambiguous": sum(base not in "acgtnACGTN" for base in text),
        "soft_masked": sum(base in "acgtn" for base in text),
    }
    copy = Reference(tmp_path / "genome.fa")
    with pysam.FastaFile(str(tmp_path / "genome.fa")) as independent:
        for name, bases in contigs.items():
            assert copy.fetch_string(name, 0, len(bases)) == expected(bases, 0, len(bases))
            assert independent.fetch(name) == expected(bases, 0, len(bases))


def test_the_index_of_a_copy_is_that_of_samtools(tmp_path):
    prepare_reference(write_fasta(tmp_path / "g.fa", {"a": "ACGT" * 100, "b": "T" * 60}), tmp_path / "genome.fa")
    written = Path(tmp_path / "genome.fa.fai").read_text()
    pysam.faidx(str(tmp_path / "genome.fa"), "--fai-idx", str(tmp_path / "samtools.fai"))
    assert written == Path(tmp_path / "samtools.fai").read_text()


def test_equal_names_come_first():
    assert match_contigs(["chr1", "chrM"], ["chrM", "1", "chr1"]) == {"chr1": "chr1", "chrM": "chrM"}


@pytest.mark.parametrize(
    ("ours", "theirs", "pairs"),
    [
        (["chr1", "chrX", "chrM"], ["1", "X", "MT"], {"chr1": "1", "chrX": "X", "chrM": "MT"}),
        (["1", "MT"], ["chrM", "chr1"], {"1": "chr1", "MT": "chrM"}),
        (["chr1", "chr2"], ["2"], {"chr2": "2"}),
    ],
)
def test_the_usual_differences_are_mapped_and_said(caplog, ours, theirs, pairs):
    assert match_contigs(ours, theirs, where="cohort.vcf.gz") == pairs
    assert "cohort.vcf.gz" in caplog.text
    assert all(f"{b} is {a}" in caplog.text for a, b in pairs.items())


def test_names_that_could_mean_two_contigs_are_refused():
    with pytest.raises(InputError, match=r"tracks\.bw.*M.*MT"):
        match_contigs(["chrM"], ["M", "MT"], where="tracks.bw")


def test_another_genome_is_refused():
    with pytest.raises(InputError, match="no contig of the genome: it has I, II, the genome chr1"):
        match_contigs(["chr1"], ["I", "II"])


@pytest.mark.real
def test_the_real_region_reads_as_its_text(test_data):
    path = test_data / "human_chr20" / "genome.fa"
    text = "".join(path.read_text().splitlines()[1:]).upper()
    reference = Reference(path)
    assert reference.contigs == {"chr20w": 1_000_000}
    assert reference.fetch_string("chr20w", 0, 1_000_000) == text
    assert reference.fetch_string("chr20w", 123_457, 156_225) == text[123_457:156_225]
