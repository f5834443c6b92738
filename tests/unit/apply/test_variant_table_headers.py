"""Tables of variants under any usual header: taken and said, or asked about; never read as something else."""

import logging

import pytest
from glmflow.apply.variants.variant_sources import TableSource
from glmflow.errors import InputError


def source(tmp_path, header, values, name="in.tsv"):
    path = tmp_path / name
    separator = "," if name.endswith(".csv") else "\t"
    path.write_text(f"{separator.join(header)}\n{separator.join(values)}\n")
    return TableSource(path)


@pytest.mark.parametrize(
    "header",
    [
        ("chrom", "pos", "ref", "alt"),
        ("#CHROM", "POS", "REF", "ALT"),
        ("Chromosome", "Position", "Reference Allele", "Alternate.Allele"),
        ("seqnames", "bp", "ref_base", "alt-base"),
        ("element", "pos", "ref", "alt"),
    ],
)
def test_one_variant_under_many_headers(tmp_path, caplog, header):
    with caplog.at_level(logging.WARNING):
        (records,) = source(tmp_path, header, ("chr1", "5", "A", "C")).parts(10)
    assert (records.chrom, records.pos, records.ref, records.alt) == (["chr1"], [4], ["A"], ["C"])
    assert ("is taken for `chrom`" in caplog.text) == (header[0] not in ("chrom", "element"))


def test_positions_from_zero_and_from_one(tmp_path):
    for header, values in (
        (("chr", "chromStart", "ref", "alt"), ("chr1", "4", "A", "C")),
        (("chr", "start", "end", "pos", "ref", "alt"), ("chr1", "0", "9", "5", "A", "C")),
        (("chrom", "pos", "start_codon", "sequence_id", "ref", "alt"), ("chr1", "5", "7", "x", "A", "C")),
    ):
        (records,) = source(tmp_path, header, values).parts(10)
        assert (records.chrom, records.pos) == (["chr1"], [4])


def test_rows_with_sequences(tmp_path):
    for header, values in (
        (("seq", "Offset", "REF", "ALT", "chromatin", "ID"), ("ACGTACGT", "4", "A", "C", "open", "one")),
        (("chrom", "start", "pos", "sequences", "ref", "alt", "name"), ("c", "0", "5", "ACGTACGT", "A", "C", "one")),
    ):
        found = source(tmp_path, header, values)
        (records,) = found.parts(10)
        assert found.own_sequences and records.pos == [4] and records.genome.contigs == {"0": 8}
        assert found.columns["name"] == header[-1]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (("chrom", "positon", "ref", "alt"), "may be meant for `pos`"),
        (("chromosme", "pos", "ref", "alt"), "may be meant for `chrom`"),
        (("chrom", "pos", "referense", "alt"), "may be meant for `ref`"),
        (("chrom", "pos", "ref", "alternat"), "may be meant for `alt`"),
        (("sequense", "offset", "ref", "alt"), "may be meant for `sequence`"),
        (("sequence", "ofset", "ref", "alt"), "may be meant for `offset`"),
        (("chrom", "pos", "POS", "ref", "alt"), "have the same name"),
        (("chrom", "pos", "ref"), "do not make variants"),
        (("sequence", "ref", "alt"), "do not make variants"),
    ],
)
def test_near_misses_are_asked_about(tmp_path, header, words):
    with pytest.raises(InputError, match=words):
        source(tmp_path, header, ("x",) * len(header), "in.csv")
