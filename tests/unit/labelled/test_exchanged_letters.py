"""Copies whose letters were exchanged, which share no k-mer with what they are copies of."""

import numpy as np
import pytest
from glmflow.genome.packed import pack
from glmflow.labelled.exchanged_letters import exchanged


def test_exchanged_letters_are_found_on_either_strand_and_nothing_else():
    rng = np.random.default_rng(0)
    known = ["".join(rng.choice(list("ACGT"), int(length))) for length in rng.integers(64, 200, 30)]
    transitions, amino = str.maketrans("ACGT", "GTAC"), str.maketrans("ACGT", "CATG")
    other = known[2].translate(str.maketrans("ACGT", "TGCA"))[::-1].translate(transitions)
    few = known[3][:50] + known[3][50:60].translate(transitions) + known[3][60:]  # a near copy, named as such
    strangers = ["".join(rng.choice(list("ACGT"), 100)) for _ in range(20)]
    tests = [known[0].translate(transitions), known[1].translate(amino), other, few, known[4], *strangers]
    split = np.array(["train"] * 29 + ["validation"] + ["test"] * len(tests), object)
    assert exchanged(pack(known + tests), split).tolist() == [30, 31, 32]
    assert not len(exchanged(pack(["ACGT", "GTAC"]), np.array(["train", "test"], object)))


def test_ends_of_thousands_of_rows_are_looked_at_some_at_a_time(monkeypatch):
    rng = np.random.default_rng(1)
    known = ["".join(rng.choice(list("ACGT"), 80)) for _ in range(50)]
    longer = known[7][:40] + "ACGTACGT" + known[7][40:]  # its ends are those of a row of another length
    tests = [text.translate(str.maketrans("ACGT", "GTAC")) for text in (known[49], known[0], longer)]
    split = np.array(["train"] * 50 + ["test"] * 3, object)
    whole = exchanged(pack(known + tests), split).tolist()
    monkeypatch.setattr("glmflow.labelled.exchanged_letters.AT_ONCE", 3)
    assert whole == exchanged(pack(known + tests), split).tolist() == [50, 51]


@pytest.mark.parametrize(
    "name", ["a random 12-mer ten times", "a random 20-mer ten times", "A and G alone", "A and C alone"]
)
def test_rows_of_low_complexity_are_alike_by_chance(name):
    """Where there are 4,096 patterns of purines and of 12-mers, some of 700 random ones are the same."""
    rng = np.random.default_rng(2)
    bases = {"A and G alone": "AG", "A and C alone": "AC"}.get(name, "ACGT")
    times = 1 if "alone" in name else 10
    length = 120 if times == 1 else int(name.split()[2][:2])
    texts = ["".join(rng.choice(list(bases), length)) * times for _ in range(700)]
    split = np.array(["train"] * 420 + ["validation"] * 140 + ["test"] * 140, object)
    assert not len(exchanged(pack(texts), split))


def test_copies_of_rows_that_repeat_themselves_in_part_are_found():
    rng = np.random.default_rng(3)
    known = ["".join(rng.choice(list("ACGT"), 50)) + "CA" * 35 for _ in range(20)]
    tests = [text.translate(str.maketrans("ACGT", "GTAC")) for text in known[:3]]
    split = np.array(["train"] * 20 + ["test"] * 3, object)
    assert exchanged(pack(known + tests), split).tolist() == [20, 21, 22]
