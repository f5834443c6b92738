"""Shuffles keep exactly what they say and nothing else; draws follow the chain they come from."""

from collections import Counter

import numpy as np
import pytest
from glmflow.dna.kmer_tables import counts
from glmflow.dna.markov import Chain
from glmflow.dna.shuffles import dinucleotide_shuffled, mutated, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=60, deadline=None)
@given(st.text("ACGTN", max_size=60), st.integers(0, 2**31))
def test_counts_stay(sequence, seed):
    generator = np.random.default_rng(seed)
    assert Counter(shuffled(sequence, generator)) == Counter(sequence)
    turned = dinucleotide_shuffled(sequence, generator)
    assert (counts([turned], 2) == counts([sequence], 2)).all()
    assert Counter(turned) == Counter(sequence)
    assert [place for place, base in enumerate(turned) if base == "N"] == [
        place for place, base in enumerate(sequence) if base == "N"
    ]


def test_every_order_with_the_same_dinucleotides_is_as_likely():
    sequence = "ACAGATA"  # A goes to C, G, T in any order: 6 sequences
    generator = np.random.default_rng(1)
    found = Counter(dinucleotide_shuffled(sequence, generator) for _ in range(3000))
    assert len(found) == 6
    assert sum((n - 500) ** 2 / 500 for n in found.values()) < 20.5  # chi-square, 5 degrees, p = 0.001


def test_last_edges_are_drawn_evenly():
    # AACCA, ACCAA: with AA, AC, CC, CA once each and the ends as they are, both are there, equally often.
    generator = np.random.default_rng(2)
    found = Counter(dinucleotide_shuffled("AACCA", generator) for _ in range(2000))
    assert set(found) == {"AACCA", "ACCAA"}
    assert abs(found["AACCA"] - 1000) < 4 * np.sqrt(500)


def test_more_than_dinucleotides_does_not_stay():
    sequence = "ACGTTGCA" * 200
    assert (counts([dinucleotide_shuffled(sequence, np.random.default_rng(0))], 3) != counts([sequence], 3)).any()


def test_mutated_share():
    sequence = "ACGT" * 5000
    for share in (0.0, 0.05, 0.2, 1.0):
        turned = mutated(sequence, share, np.random.default_rng(0))
        differ = np.mean([one != other for one, other in zip(sequence, turned)])
        assert differ == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(sequence)) + 1e-12)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_draws_have_the_conditional_shares_of_the_chain(order):
    source = "".join(np.random.default_rng(3).choice(list("ACGT"), 3000, p=[0.4, 0.1, 0.2, 0.3]))
    chain = Chain([source], order)
    drawn = chain.draw(60_000, np.random.default_rng(4))
    assert len(drawn) == 60_000
    own = Chain([drawn], order).table
    wanted = chain.table / chain.table.sum(1, keepdims=True)
    found = own / own.sum(1, keepdims=True)
    tolerance = 5 * np.sqrt(0.25 / own.sum(1, keepdims=True))
    assert (np.abs(found - wanted) < tolerance).all()


def test_a_chain_goes_on_from_a_start_and_draws_nothing_unseen():
    chain = Chain(["ACACACAC"], 1)
    assert chain.draw(6, np.random.default_rng(0), "A") == "CACACA"
    assert chain.likeliest(4, "GGC") == "ACAC"
    assert (
        len(chain.draw(50, np.random.default_rng(0), "GG")) == 50
    )  # G was never seen: all bases alike, then the chain
    assert Chain(["ACGT"], 2).draw(0, np.random.default_rng(0)) == ""


def test_bits_of_a_chain_by_hand():
    chain = Chain(["AAAC"], 1)  # A: A twice, C once
    assert chain.bits("AAC") == pytest.approx([-np.log2(3 / 7), -np.log2(2 / 7)])
    assert chain.bits("ANA").size == 0
    assert np.isnan(chain.bits_per_base(["A", ""]))
    assert Chain([], 0).bits_per_base(["ACGT"]) == pytest.approx(2.0)
