"""Questions about the variants of a VCF: both alleles as the genome has them."""

import argparse

import numpy as np
import pytest
from glmflow.apply.answer_command import add_answer_command, run_answer
from glmflow.apply.variant_questions import questions_about
from glmflow.errors import InputError
from glmflow.genome.reasons import Reason

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def files(tmp_path):
    """A genome of two contigs, and a VCF whose third record is no change of it."""
    bases = "".join(np.random.default_rng(1).choice(list("ACGT"), 60))
    (tmp_path / "genome.fa").write_text(f">chr1\n{bases}\n>chr2\nACGTACGT\n")
    other = next(letter for letter in "ACGT" if letter != bases[29])
    records = [
        ("1", 30, bases[29], f"{other},{bases[29]}TT"),
        ("chr1", 3, bases[2:5], bases[2]),
        ("chr2", 4, "A", "C"),
        ("chr2", 8, "T", "<DEL>"),
    ]
    rows = "".join(f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t.\t.\t.\n" for chrom, pos, ref, alt in records)
    (tmp_path / "calls.vcf").write_text(HEADER + rows)
    return tmp_path, bases, other


def test_alleles_are_cut_out_of_the_genome(files):
    folder, bases, other = files
    found = questions_about(folder / "calls.vcf", folder / "genome.fa", "Which disease?", 10)
    assert found.left_out == {Reason.REF_MISMATCH: 1, Reason.SYMBOLIC: 1}
    snv, insertion, deletion = found.rows
    assert snv["variant"] == f"chr1:30:{bases[29]}:{other}" and {row["question"] for row in found.rows} == {
        "Which disease?"
    }
    assert snv["reference_sequence"] == bases[19:40]
    assert snv["variant_sequence"] == bases[19:29] + other + bases[30:40]
    assert insertion["variant_sequence"] == bases[20:30] + "TT" + bases[30:40]
    assert deletion["reference_sequence"] == bases[:15], "the contig begins before"
    assert deletion["variant_sequence"] == bases[:3] + bases[5:15]


def test_one_variant_is_asked_about_by_its_name(files):
    folder, bases, other = files
    given = folder / "calls.vcf", folder / "genome.fa", "Which?", 10
    for name in (f"chr1:30:{bases[29]}:{other}", f"1:30:{bases[29]}:{other}".lower()):
        (row,) = questions_about(*given, name).rows
        assert row["variant_sequence"][10] == other
    with pytest.raises(InputError, match="has no chr1:31:A:C"):
        questions_about(*given, "chr1:31:A:C")
    with pytest.raises(InputError, match="reference allele is not what the genome has"):
        questions_about(*given, "chr2:4:A:C")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ([], "not clear"),
        (["--table", "a.tsv", "--vcf", "b.vcf"], "not clear"),
        (["--table", "a.tsv", "--question", "Which?"], "--question is for --vcf"),
        (["--vcf", "b.vcf", "--question", "Which?"], "alone is no question"),
    ],
)
def test_what_is_asked_has_to_be_clear(more, what):
    parser = argparse.ArgumentParser()
    add_answer_command(parser.add_subparsers())
    given = parser.parse_args(["answer", "--model", "m", "--output", "o.tsv", *more])
    with pytest.raises(InputError, match=what):
        run_answer(given)
