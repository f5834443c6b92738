"""Longest exact matches against a search of every substring."""

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.dna.exact_matches import Collection


def drawn(length, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def plain(query, target):
    """Return the longest common substring, by trying."""
    best = 0
    for start in range(len(query)):
        while start + best < len(query) and query[start : start + best + 1] in target:
            best += 1
    return best


@pytest.mark.parametrize("seed", range(6))
def test_as_a_search_of_every_substring(seed):
    target = drawn(400, seed)
    cut = 37 + 11 * seed
    query = drawn(50, seed + 100) + target[100 : 100 + cut] + drawn(30, seed + 200) + other_strand(target[200:240])
    match = Collection([target]).match(query)
    assert match.forward == plain(query, target)
    assert match.reverse == plain(query, other_strand(target))


@pytest.mark.parametrize("place", [0, 368])
def test_at_the_ends_of_the_collection(place):
    target = drawn(400, 1)
    for length in (5, 12, 20, 31):
        part = target[place : place + length] if not place else target[-length:]
        query = "A" * 40 + part + "A" * 40
        assert Collection([target]).match(query).forward == plain(query, target)


def test_a_training_copy_matches_all_along_on_either_strand():
    genome = drawn(5000, 3)
    collection = Collection([drawn(500, 4), genome])
    copy = genome[1000:3500]
    for sequence, strand in ((copy, "forward"), (other_strand(copy), "reverse")):
        match = collection.match(sequence)
        assert getattr(match, strand) == match.longest == 2500
        assert match.covered(32) == match.covered(50) == 2500


def test_pieces_and_n_end_a_match():
    first, second = drawn(100, 5), drawn(100, 6)
    collection = Collection([first, second, "ACGT"])
    assert collection.bases == 200
    assert collection.match(first + second).longest == 100
    assert collection.match(first[:60] + "N" + first[61:]).longest == 60
    assert Collection([first[:60] + "N" + first[61:]]).match(first).longest == 60
    assert collection.match(first.lower()).longest == 100


def test_coverage_counts_the_bases_of_long_matches():
    genome = drawn(3000, 7)
    query = drawn(100, 8) + genome[500:540] + drawn(100, 9) + genome[900:980]
    match = Collection([genome]).match(query)
    assert match.longest == pytest.approx(80, abs=2)  # a base more may match by chance
    assert match.covered(32) == pytest.approx(120, abs=4)
    assert match.covered(50) == pytest.approx(80, abs=2)


def test_nothing_to_match():
    assert Collection(["ACGT"]).match("ACGTACGT").longest == 0
    assert Collection([drawn(100, 1)]).match("").longest == 0
    assert Collection([drawn(100, 1)]).match("NNN").longest == 0
