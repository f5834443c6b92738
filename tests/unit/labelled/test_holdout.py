"""Splits that keep together what belongs together, subsets without leaks, parts of the training rows."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.packed import pack
from glmflow.labelled.holdout import carve_validation, deal, split_rows
from glmflow.labelled.label_efficiency import part_of_training
from glmflow.labelled.near_pairs import near_pairs
from glmflow.labelled.subsets import column_of, leak_free
from hypothesis import given, settings
from hypothesis import strategies as st

SHARES = {"validation": 0.1, "test": 0.2}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=60, max_size=300), st.integers(0, 5))
def test_groups_are_dealt_whole_and_shares_come_near(groups, seed):
    groups = np.array(groups)
    if np.bincount(groups).max() > len(groups) / 2 or len(np.unique(groups)) < 10:
        return
    split = deal(groups, None, SHARES, seed)
    owners = pd.DataFrame({"group": groups, "split": split}).groupby("group")["split"].nunique()
    assert (owners == 1).all()
    largest = np.bincount(groups).max()
    for name, share in {**SHARES, "train": 0.7}.items():
        assert abs((split == name).sum() - share * len(groups)) <= largest + 1


def test_classes_have_their_shares_in_every_split():
    generator = np.random.default_rng(0)
    target = generator.choice(3, 3000, p=[0.7, 0.2, 0.1])
    groups = np.concatenate([np.repeat(np.arange(200), 5), np.arange(200, 2200)])
    split = deal(groups, target, SHARES, seed=1)
    for name, share in SHARES.items():
        assert (split == name).mean() == pytest.approx(share, abs=0.01)
        held = np.bincount(target[split == name], minlength=3) / (split == name).sum()
        assert held == pytest.approx(np.bincount(target) / 3000, abs=0.02)


def test_two_processes_give_the_same_split():
    code = (
        "import numpy as np\nfrom glmflow.labelled.holdout import deal\n"
        "g = np.random.default_rng(0).integers(0, 90, 500).astype(str)\n"
        "print(''.join(s[:2] for s in deal(g, np.arange(500) % 3, {'validation': .1, 'test': .2}, 7)))"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(runs) == 1 and len(runs.pop()) == 1001


def test_one_group_cannot_be_parted():
    with pytest.raises(InputError, match="one group holds 60 of 100 rows"):
        deal([0] * 60 + list(range(1, 41)), None, SHARES, 0)


def mutated(generator, sequence, rate):
    letters = np.array(list(sequence))
    where = generator.random(len(letters)) < rate
    letters[where] = generator.choice(list("ACGT"), where.sum())
    return "".join(letters)


@pytest.fixture
def families():
    """100 families of three near copies each, two classes."""
    generator = np.random.default_rng(0)
    founders = ["".join(generator.choice(list("ACGT"), 150)) for _ in range(100)]
    sequences = [mutated(generator, founder, 0.01) for founder in founders for _ in range(3)]
    rows = pd.DataFrame({"example": np.arange(300).astype(str), "chrom": "1", "start": np.arange(300) * 100})
    rows = rows.assign(end=rows["start"] + 150, group=np.repeat(np.arange(100), 3).astype(str), strand="+")
    return rows, pack(sequences), np.repeat(np.arange(100) % 2, 3)


def test_near_copies_stay_together_by_similarity_and_not_by_chance(families):
    rows, packed, target = families
    near = near_pairs(packed)
    for by, leaks in (("similarity", False), ("group", False), ("random", True)):
        split = split_rows(rows, {"by": by, "seed": 1, **SHARES}, target, packed).split
        first, second = near.table["first"].to_numpy(), near.table["second"].to_numpy()
        assert bool((split[first] != split[second]).any()) == leaks
        assert set(split) == {"train", "validation", "test"}


def test_a_library_of_mutants_cannot_be_split_by_similarity():
    generator = np.random.default_rng(0)
    packed = pack([mutated(generator, "ACGTTGCAAC" * 8, 0.1) for _ in range(100)])
    rows = pd.DataFrame({"example": range(100), "mutations": generator.integers(0, 4, 100)})
    with pytest.raises(InputError, match=r"variants of one sequence .* one component that cannot be parted"):
        split_rows(rows, {"by": "similarity", **SHARES}, None, packed)
    split = split_rows(
        rows, {"by": "column", "column": "mutations", "test": ["3"], "validation": ["2"]}, None, packed
    ).split
    assert set(rows.loc[split == "test", "mutations"]) == {3} and set(rows.loc[split == "train", "mutations"]) == {0, 1}
    with pytest.raises(InputError, match="no row with mutations = 9"):
        split_rows(rows, {"by": "column", "column": "mutations", "test": ["9"]}, None, packed)


def test_contigs_and_blocks(families):
    rows, _, target = families
    rows = rows.assign(chrom=np.repeat(["1", "2", "3"], 100))
    found = split_rows(rows, {"by": "contig", "test": ["3"], "validation": ["2"]}, target)
    assert found.split.tolist() == ["train"] * 100 + ["validation"] * 100 + ["test"] * 100
    with pytest.raises(InputError, match="no row lies on contig 9"):
        split_rows(rows, {"by": "contig", "test": ["9"]}, target)
    one = rows.assign(chrom="1")
    settings_ = {"by": "block", "block": 3000, "gap": 500, "seed": 1, **SHARES}
    found = split_rows(one, settings_, target, contigs={"1": 31_000})
    held, known = (one[found.split == name] for name in ("test", "train"))
    distance = np.abs(held["start"].to_numpy()[:, None] - known["start"].to_numpy())
    assert len(held) and distance.min() >= 500
    assert "left out" in found.notes[0]
    with pytest.raises(InputError, match="no chrom, start and end"):
        split_rows(rows[["example"]], {"by": "contig", "test": ["1"]}, target)


def test_validation_comes_out_of_training_rows_alone(families):
    rows, packed, target = families
    split = np.array((["train"] * 240) + ["test"] * 60, object)
    near = near_pairs(packed)
    found = carve_validation(split, rows.drop(columns=["chrom"]), near.component, target)
    assert (found.split[240:] == "test").all() and (found.split == "validation").sum() == pytest.approx(24, abs=6)
    owners = pd.Series(found.split[:240]).groupby(near.component[:240]).nunique()
    assert (owners == 1).all() and "near copies together" in found.notes[0]
    contigs = rows.assign(chrom=np.tile([f"c{i}" for i in range(12)], 25))
    whole = carve_validation(split, contigs, near.component, target)
    assert "whole contigs" in whole.notes[0]
    by_contig = pd.Series(whole.split[:240]).groupby(contigs["chrom"][:240].to_numpy()).nunique()
    assert (by_contig == 1).all()
    given_one = np.where(np.arange(300) < 10, "validation", split)
    assert (carve_validation(given_one, rows, None, target).split == given_one).all()


def test_leak_free_subsets(families):
    rows, packed, target = families
    rows, packed, target = (
        pd.concat([rows] * 2, ignore_index=True),
        packed.take(np.tile(np.arange(300), 2)),
        np.tile(target, 2),
    )
    generator = np.random.default_rng(5)
    fresh = pack(["".join(generator.choice(list("ACGT"), 150)) for _ in range(250)])
    packed = pack([*packed.each(), *fresh.each()])
    more = pd.DataFrame({"example": [f"n{i}" for i in range(250)], "chrom": "2", "start": np.arange(250) * 200})
    rows = pd.concat([rows, more.assign(end=more["start"] + 150)], ignore_index=True)
    target = np.concatenate([target, np.arange(250) % 2])
    split = np.array(["train"] * 500 + ["test"] * 350, object)
    near = near_pairs(packed)
    found = leak_free(rows, split, near, target)
    assert found["no_near_copy"].rows.sum() == 250 and not found["no_near_copy"].refused
    assert found["no_overlap"].rows.sum() == 250
    names = column_of(found, len(rows))
    assert names[-1] == "no_near_copy;no_overlap" and names[510] == ""
    few = leak_free(rows, np.where(np.arange(850) < 790, "train", split), near, target)
    assert few["no_near_copy"].refused == "60 rows; 100 are needed"
    one = leak_free(rows, split, near, np.where(np.arange(850) < 600, target, 1))
    assert one["no_near_copy"].refused == "its 250 rows are of one class"


def test_parts_of_the_training_rows_lie_in_each_other_and_keep_every_class():
    target = np.array([0] * 900 + [1] * 95 + [2] * 5)
    rows = np.arange(1000) + 7
    parts = [set(part_of_training(rows, target, share, seed=1)) for share in (0.01, 0.1, 0.5, 1.0)]
    assert parts[0] < parts[1] < parts[2] < parts[3] == set(rows)
    assert [len(part) for part in parts] == [11, 101, 500, 1000]
    assert {target[row - 7] for row in parts[0]} == {0, 1, 2}
    assert set(part_of_training(rows, target, 0.1, seed=2)) != parts[1]
    with pytest.raises(InputError, match="a share of 0"):
        part_of_training(rows, target, 0, 1)
