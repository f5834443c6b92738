"""The other strand of a sequence."""

import numpy as np
from glmflow.bases import other_strand, reverse_complement
from hypothesis import given, settings
from hypothesis import strategies as st


def codes(sequence):
    return np.frombuffer(sequence.encode(), np.uint8)


def test_reverse_complement():
    assert reverse_complement(codes("AACGTN")).tobytes() == b"NACGTT"
    assert reverse_complement(codes("AACGT")).tobytes() == b"ACGTT"
    assert reverse_complement(codes("acgtnRY-")).tobytes() == b"-YRnacgt"


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="ACGTN", min_size=1, max_size=60))
def test_reverse_complement_is_its_own_inverse(sequence):
    assert reverse_complement(reverse_complement(codes(sequence))).tobytes().decode() == sequence
    assert other_strand(other_strand(sequence)) == sequence
    assert other_strand(sequence) == reverse_complement(codes(sequence)).tobytes().decode()
