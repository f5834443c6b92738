"""One sample under two names, relatives in two splits, and groups that leave nothing to train on."""

import numpy as np
import pytest
from glmflow.checks.relations import relations, require_shares
from glmflow.errors import InputError
from glmflow.genome.relatives import Kinship


def haplotypes(rng, count, variants):
    return (rng.random((count, variants)) < np.random.default_rng(9).uniform(0.1, 0.5, variants)).astype(int)


def cohort(rng, variants=4000):
    """40 unrelated samples; one again with 10 % of its genotypes wrong; a child of two of them."""
    people = [haplotypes(rng, 2, variants) for _ in range(40)]
    child = np.array([people[0][rng.integers(0, 2, variants), np.arange(variants)],
                      people[1][rng.integers(0, 2, variants), np.arange(variants)]])  # fmt: skip
    dosages = np.array([person.sum(axis=0) for person in [*people, child]])
    twin = dosages[2].copy()
    wrong = rng.random(variants) < 0.1
    twin[wrong] = (twin[wrong] + rng.integers(1, 3, wrong.sum())) % 3
    kinship = Kinship(42)
    kinship.add(np.vstack([dosages, twin]))
    return kinship.estimate()


NAMES = [*(f"p{number}" for number in range(40)), "child", "other name"]


def test_a_person_under_another_name_is_found_in_spite_of_errors():
    split = ["train"] * 38 + ["test"] * 4
    found = relations(cohort(np.random.default_rng(0)), NAMES, split)
    same = found.pairs[found.pairs["relation"] == "same person"]
    assert same[["one", "other"]].to_numpy().tolist() == [["p2", "other name"]]
    parents = found.pairs[found.pairs["relation"] != "same person"]
    assert sorted(parents["one"]) == ["p0", "p1"] and set(parents["other"]) == {"child"}
    assert [audit.status for audit in found.audits] == ["FAIL", "WARN", "PASS"]
    assert "2 pairs" in found.audits[1].sentence and "2 of them in different splits" in found.audits[1].sentence


def test_in_one_split_they_are_no_leak():
    found = relations(cohort(np.random.default_rng(0)), NAMES, ["train"] * 42)
    assert [audit.status for audit in found.audits] == ["WARN", "PASS", "PASS"]


def test_kinship_over_little_of_the_genome_is_said_to_be_chance():
    found = relations(cohort(np.random.default_rng(0), variants=40), NAMES)
    assert found.noise > 0.05 and found.audits[2].status == "WARN" and "chance" in found.audits[2].sentence
    # Pairs that chance explains are not named.
    assert (found.pairs["kinship"] > 0.3).all() and len(found.pairs) <= 4


def test_groups_that_swallow_a_split_stop_with_the_shares():
    asked = {"train": 0.7, "validation": 0.1, "test": 0.2}
    split = ["train"] * 5 + ["validation"] * 16 + ["test"] * 139
    with pytest.raises(InputError, match=r"leave 5 for train \(3% for 70%\).*largest group has 139 of 160 samples"):
        require_shares(split, asked, [0] * 139 + list(range(1, 22)), "samples", "people.kinship", "Raise it.")
    good = ["train"] * 110 + ["validation"] * 17 + ["test"] * 33
    assert require_shares(good, asked, range(160), "samples", "people", "").status == "PASS"
    poor = ["train"] * 120 + ["validation"] * 10 + ["test"] * 30  # 6 % where 10 % were asked for
    assert require_shares(poor, asked, range(160), "samples", "people", "").status == "WARN"
