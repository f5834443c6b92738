"""Alleles to edits and reasons: the specification's rules, written out a second time."""

import numpy as np
import pytest
from glmflow.genome.alleles import minimal_edit
from glmflow.genome.edits import Records, edits_of
from glmflow.genome.reasons import Reason
from hypothesis import given
from hypothesis import strategies as st
from toy_models import Sequences

GENOME = Sequences(chr1="ACGTACGTNNACGTTTGCA", chr2="GGGGG")


def one(chrom, pos, ref, alt, info=".", symbolic=False, genome=GENOME):
    return edits_of(Records([chrom], [pos - 1], [ref], [alt], info=[info]), genome, symbolic)


def trimmed(pos, ref, alt):
    """Spec 1.1: the shared end while both have more than a base, the shared beginning, what is still shared at the end."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return pos, pos + len(ref), alt


@given(st.text("ACGT", min_size=1, max_size=6), st.text("ACGT", min_size=1, max_size=6))
def test_the_smallest_edit_is_that_of_the_specification(ref, alt):
    if ref != alt:
        assert tuple(minimal_edit(5, ref, alt)) == trimmed(5, ref, alt)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (("chr9", 1, "A", "C"), "missing_contig"),
        (("chr1", 20, "A", "C"), "outside_contig"),
        (("chr1", 18, "CAG", "C"), "outside_contig"),
        (("chr1", 0, "A", "C"), "outside_contig"),
        (("chr1", 1, "A", "."), "no_alt"),
        (("chr1", 1, "A", "<NON_REF>"), "no_alt"),
        (("chr1", 1, "A", "<*>"), "no_alt"),
        (("chr1", 1, "AC", "*"), "spanning_deletion"),
        (("chr1", 1, "A", "*"), "spanning_deletion"),
        (("chr1", 1, "A", "<DEL>"), "symbolic"),
        (("chr1", 1, "A", "A[chr2:4["), "symbolic"),
        (("chr1", 1, "A", "AT."), "symbolic"),
        (("chr1", 1, "A", "R"), "not_acgt"),
        (("chr1", 1, "A", "AN"), "not_acgt"),
        (("chr1", 1, "A", "-"), "not_acgt"),
        (("chr1", 1, "C", "G"), "ref_mismatch"),
        (("chr1", 7, "GTN", "G"), "n_in_allele"),
        (("chr1", 9, "A", "C"), "n_in_allele"),
        (("chr1", 9, "R", "C"), "n_in_allele"),
        (("chr1", 1, "N", "C"), "ref_mismatch"),
        (("chr1", 7, "AT", "A"), "ref_mismatch"),
        (("chr1", 1, "A", "a"), "no_change"),
        (("chr1", 1, "AC", "ac"), "no_change"),
        (("chr1", 1, "a", "c"), ""),
        (("chr1", 19, "A", "AC"), ""),
    ],
)
def test_each_reason(record, reason):
    found = one(*record)
    assert Reason(int(found.reason[0])).label == reason
    assert (found.start[0] >= 0) == (reason == "")


def test_alternatives_keep_their_order_and_each_has_its_own_reason():
    found = edits_of(Records(["chr1", "chr2"], [0, 1], ["AC", "G"], ["AG,A,*,ACT", "T"]), GENOME)
    assert found.record.tolist() == [0, 0, 0, 0, 1]
    assert [Reason(int(code)).label for code in found.reason] == ["", "", "spanning_deletion", "", ""]
    assert found.start.tolist() == [1, 1, -1, 2, 1] and found.end.tolist() == [2, 2, -1, 2, 2]
    assert [found.bases[i] for i in (0, 1, 3, 4)] == ["G", "", "T", "T"]


def test_likely_causes_of_mismatches_are_counted_and_the_first_is_shown():
    records = Records(["chr1"] * 3, [0, 1, 2], ["C", "G", "A"], ["A", "T", "T"])
    found = edits_of(records, GENOME)  # swapped; complement; neither
    assert (found.notes["swapped"], found.notes["complement"]) == (1, 1)
    assert found.examples[Reason.REF_MISMATCH] == "chr1:1:C:A, the genome has A"


@pytest.mark.parametrize(
    ("info", "end"), [("END=6", 6), ("AC=1;END=6;AN=2", 6), ("SVLEN=-4", 6), ("SVLEN=4", 6), ("CIEND=1", None)]
)
def test_a_symbolic_deletion_is_the_deletion_behind_its_anchor(info, end):
    assert Reason(int(one("chr1", 2, "C", "<DEL>", info).reason[0])) is Reason.SYMBOLIC
    found = one("chr1", 2, "C", "<DEL>", info, symbolic=True)
    if end is None:
        assert Reason(int(found.reason[0])) is Reason.SYMBOLIC
    else:
        assert (found.start[0], found.end[0], found.bases[0]) == (2, end, "")


def test_a_symbolic_deletion_beyond_the_contig_and_one_with_another_reference():
    assert Reason(int(one("chr1", 2, "C", "<DEL>", "END=50", True).reason[0])) is Reason.OUTSIDE_CONTIG
    assert Reason(int(one("chr1", 2, "G", "<DEL>", "END=6", True).reason[0])) is Reason.REF_MISMATCH


def test_each_symbolic_deletion_of_a_record_has_its_own_length():
    found = edits_of(Records(["chr1"], [1], ["C"], ["<DEL>,T,<DEL>"], info=["SVLEN=-4,.,-2"]), GENOME, True)
    assert found.start.tolist() == [2, 1, 2] and found.end.tolist() == [6, 2, 4]
    assert Reason(int(one("chr1", 2, "C", "<DEL>", "SVLEN=.", True).reason[0])) is Reason.SYMBOLIC


def test_a_symbolic_deletion_of_n_is_refused_as_the_same_deletion_in_letters():
    for ref, alt, info in (("GTNNA", "G", "."), ("G", "<DEL>", "END=11"), ("G", "<DEL>", "SVLEN=-4")):
        assert Reason(int(one("chr1", 7, ref, alt, info, True).reason[0])) is Reason.N_IN_ALLELE


@pytest.mark.parametrize("pos", [10**9, 2**62, 10**30, -(10**30)])
def test_a_position_of_any_size_is_outside_its_contig(pos):
    assert Reason(int(one("chr1", pos, "C", "T", "").reason[0])) is Reason.OUTSIDE_CONTIG
    assert Reason(int(one("chr1", 2, "C", "<DEL>", f"END={abs(pos)}", True).reason[0])) is Reason.OUTSIDE_CONTIG


@given(st.lists(st.tuples(st.integers(0, 18), st.integers(1, 4)), min_size=1, max_size=30))
def test_references_are_compared_wherever_records_lie(places):
    text = GENOME.text["chr1"]
    refs = [text[pos : pos + width] for pos, width in places]
    records = Records(["chr1"] * len(places), [pos for pos, _ in places], refs, ["<INS>"] * len(places))
    assert (edits_of(records, GENOME).reason == Reason.SYMBOLIC).all()
    wrong = [ref[:-1] + ("A" if ref[-1] != "A" else "C") for ref in refs]
    records = Records(["chr1"] * len(places), [pos for pos, _ in places], wrong, ["GGGGG"] * len(places))
    known = np.array([ref[-1] != "N" for ref in refs])
    assert (edits_of(records, GENOME).reason[known] == Reason.REF_MISMATCH).all()
