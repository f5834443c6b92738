"""Held-out keys and what training knows of them; how alike motifs are."""

import itertools

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.key_splits import classify, split_keys, unlike_the_rest
from glmflow.binding.motif_files import Motif
from glmflow.binding.motif_similarity import motif_clusters, similarity, tf_similarity
from glmflow.errors import InputError

CELLS, TFS = ["A", "B", "C", "D"], ["X1", "X2", "Y1", "Y2", "Z"]
UNITS = {
    "family": {"X1": "X", "X2": "X", "Y1": "Y", "Y2": "Y", "Z": "Z"},
    "motif_cluster": {"X1": "X1", "X2": "X2", "Y1": "Y1", "Y2": "Y1", "Z": "Z"},
}


@pytest.fixture
def keys():
    rows = [(f"{cell}_{tf}", cell, tf) for cell, tf in itertools.product(CELLS, TFS)]
    return pd.DataFrame(rows, columns=["key", "cell", "tf"])


def test_kinds_say_what_training_holds(keys):
    split = split_keys(keys, {"cells": ["D"], "tfs": ["X1"], "families": ["Z"], "pairs": 0.2}, UNITS)
    found = keys.assign(split=split).join(classify(keys, split, UNITS)).set_index("key")
    assert found.loc["D_Y1", "kind"] == "a" and found.loc["A_X1", "kind"] == "b" and found.loc["D_X1", "kind"] == "d"
    assert found.loc["A_X1", "relation"] == "sibling" and found.loc["A_Z", "relation"] == "new_family"
    pairs = found[(found["split"] == "test") & ~found["cell"].eq("D") & ~found["tf"].isin(["X1", "Z"])]
    assert len(pairs) == round(0.2 * 9) and (pairs["kind"] == "c").all() and (pairs["relation"] == "").all()
    assert (found.loc[found["split"] == "train", "kind"] == "").all()


def test_units_of_tfs_and_groups_of_cells_are_held_out_whole(keys):
    split = split_keys(
        keys, {"tfs": ["Y1"], "by": "motif_cluster", "cells": ["A"], "cell_groups": {"g": ["A", "B"]}}, UNITS
    )
    assert set(keys["tf"][split == "train"]) == {"X1", "X2", "Z"} and set(keys["cell"][split == "train"]) == {"C", "D"}
    for seed in range(5):
        split = split_keys(keys, {"tfs": 1, "by": "family", "seed": seed}, UNITS)
        families = keys["tf"].map(UNITS["family"])
        assert not set(families[split == "train"]) & set(families[split == "test"])


def test_validation_keys_leave_every_cell_and_tf_a_training_key(keys):
    split = split_keys(keys, {"cells": 1, "validation": 0.9}, UNITS)
    training = keys[split == "train"]
    assert set(training["tf"]) == set(TFS) and training["cell"].nunique() == 3
    assert (classify(keys, split, UNITS)["kind"][split == "validation"] == "c").all()


def test_the_same_seed_gives_the_same_split(keys):
    one, other = (split_keys(keys, {"cells": 1, "tfs": 1, "pairs": 0.1, "seed": 4}, UNITS) for _ in range(2))
    assert one.equals(other)


def test_wrong_names_are_said(keys):
    with pytest.raises(InputError, match="no key has E"):
        split_keys(keys, {"cells": ["E"]}, UNITS)
    with pytest.raises(InputError, match="no key is held out"):
        split_keys(keys, {}, UNITS)
    with pytest.raises(InputError, match="4 of 4 held out"):
        split_keys(keys, {"cells": 4}, UNITS)


def test_keys_of_another_kind_than_their_trial_are_named():
    names = ["P_REST", "H_ZS", "K_REST", "H_MYC"]
    keys = pd.DataFrame({"key": names, "split": ["validation", "test", "test", "test"], "kind": ["a", "b", "c", "c"]})
    assert unlike_the_rest(keys) == [
        "1 test key is an unseen TF (H_ZS)",
        "1 validation key is an unseen cell (P_REST)",
    ]


def motif(text, name="M"):
    counts = np.full((len(text), 4), 0.5)
    counts[np.arange(len(text)), ["ACGT".index(base) for base in text]] = 20
    return Motif(name, name, counts)


def test_motifs_are_alike_on_either_strand_and_shifted():
    one = motif("CACGTGAC")
    assert similarity(one, one) == pytest.approx(1)
    assert similarity(one, motif("GTCACGTG")) == pytest.approx(1)  # its reverse complement
    assert 0.8 < similarity(one, motif("TCACGTGA")) < 1 > similarity(one, motif("CACGTGAT")) > 0.8
    assert similarity(one, motif("TTTTTATA")) < 0.4
    assert similarity(one, motif("TTTTTATA")) == pytest.approx(similarity(motif("TTTTTATA"), one))


def test_clusters_hold_tfs_of_one_motif():
    alike = tf_similarity(
        {"A": [motif("CACGTGAC")], "B": [motif("GTCACGTG")], "C": [motif("TTTTTATA"), motif("CCCCCCCC")]}
    )
    assert motif_clusters(alike) == {"A": "A", "B": "A", "C": "C"}
