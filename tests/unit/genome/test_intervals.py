"""Intervals of a BED file as tools write it, within the genome."""

import gzip

import pytest
from glmflow.errors import InputError
from glmflow.genome.intervals import bed_lines, read_intervals
from glmflow.text_files import write_bytes

CONTIGS = {"one": 500, "chr2": 37}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\t10\n", r"x\.bed:1: not chrom, start and end"),
        ("one\t1\t5\n\none\t1e2\t500\n", r"x\.bed:3: not chrom, start and end"),
        ("one\t1_0\t20\n", r"x\.bed:1: not chrom, start and end"),
        ("one\t-1\t20\n", r"x\.bed:1: not chrom, start and end"),
        ("one\t20\t10\n", r"x\.bed:1: one:20-10 ends before it starts"),
        ("one\t20\t20\n", r"x\.bed:1: one:20-20 is not within one \(0-500\)"),
        ("one\t1\t5\nfour\t1\t5\n", r"x\.bed:2: no contig four; the genome has one, chr2\."),
        ("2\t30\t38\n", r"x\.bed:1: 2:30-38 is not within chr2 \(0-37\)\."),
        ("#\n", "no interval"),
        ("", "no interval"),
    ],
)
def test_intervals_that_are_none(text, message, tmp_path):
    bed = tmp_path / "x.bed"
    bed.write_text(text)
    with pytest.raises(InputError, match=message):
        read_intervals(bed, CONTIGS)


@pytest.mark.parametrize(
    "text",
    [
        "one\t1\t5\tpeak\t0\t+\n2\t30\t37\n",
        "one 1 5 peak\n2   30 37",
        "browser position one:1-5\ntrack name=x description=y\n#chrom\tstart\tend\none\t1\t5\tpeak\n\n2\t30\t37\n",
        "chrom\tstart\tend\tname\none\t1\t5\tpeak\n2\t30\t37\t\n",
        "\ufeffone\t1\t5\tpeak\r\n2\t30\t37\t\t\r\n",
    ],
)
@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
def test_intervals_as_they_are_met(text, kind, tmp_path):
    bed = tmp_path / "x.bed.gz"  # known by its content, not by its name
    content = text.encode()
    if kind == "bgzip":
        with write_bytes(bed, packed=True) as handle:
            handle.write(content)
    else:
        bed.write_bytes(gzip.compress(content) if kind == "gzip" else content)
    assert read_intervals(bed, CONTIGS) == [("one", 1, 5, "peak"), ("chr2", 30, 37, "chr2:30-37")]


def test_a_contig_named_track_is_a_contig(tmp_path):
    bed = tmp_path / "x.bed"
    bed.write_text("track1\t1\t5\n")
    assert [line.chrom for line in bed_lines(bed)] == ["track1"]


def test_what_is_no_text_is_refused(tmp_path):
    bed = tmp_path / "x.bed"
    for content, message in [
        ("one\t1\t5\n".encode("utf-16"), "not UTF-8 text"),
        (b"one\t1\t5\t\xe9t\xe9\n", "not UTF-8 text"),
        (gzip.compress(b"one\t1\t5\n" * 1000, mtime=0)[:-9], "damaged or cut short"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8 text"),
    ]:
        bed.write_bytes(content)
        with pytest.raises(InputError, match=rf"x\.bed: {message}"):
            read_intervals(bed, CONTIGS)
