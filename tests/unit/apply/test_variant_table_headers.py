"""Tables of variants under any usual header: taken and said, or asked about; never read as something else."""

import logging

import numpy as np
import pandas as pd
import pytest
from glmflow.apply.variants.variant_sources import TableSource
from glmflow.errors import InputError
from glmflow.genome.edits import edits_of
from glmflow.genome.reasons import Reason


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


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_columns_are_told_by_the_header_whatever_the_file_is_called(tmp_path, separator):
    path = tmp_path / "in.tsv"
    path.write_text(
        "\n".join(separator.join(cells) for cells in (("chrom", "pos", "ref", "alt"), ("c", "5", "A", "C")))
    )
    (records,) = TableSource(path).parts(10)
    assert (records.chrom, records.pos, records.ref, records.alt) == (["c"], [4], ["A"], ["C"])


def test_a_whole_number_is_a_position_however_it_is_written(tmp_path):
    path = tmp_path / "in.tsv"
    values = ["100", "100.0", " 100 ", "1e2", "100.5", "", "nan", "inf", "x"]
    path.write_text("chrom\tpos\tref\talt\n" + "".join(f"c\t{value}\tA\tC\n" for value in values))
    (records,) = TableSource(path).parts(100)
    assert records.pos == [99] * 4 + [-1] * 5 and sorted(records.broken) == [4, 5, 6, 7, 8]
    pd.DataFrame({"chrom": "c", "pos": [100.0, np.nan, np.inf], "ref": "A", "alt": "C"}).to_parquet(
        tmp_path / "in.parquet"
    )
    (records,) = TableSource(tmp_path / "in.parquet").parts(100)
    assert records.pos == [99, -1, -1] and sorted(records.broken) == [1, 2]


def test_a_sequence_that_is_none_is_its_rows_matter_alone(tmp_path):
    path = tmp_path / "in.tsv"
    path.write_text("sequence\toffset\tref\talt\nACGT\t1\tC\tG\nAC!T\t1\tC\tG\n\t0\tA\tC\nACGT\t0\tA\tC\n")
    first, second = TableSource(path).parts(2)
    assert list(first.broken) == [1] and "row 2: character '!'" in first.broken[1]
    assert second.broken == {0: "row 3: empty sequence"}
    for records in (first, second):
        found = [Reason(int(code)).label for code in edits_of(records, records.genome).reason]
        assert sorted(found) == ["", "not_a_record"]


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
