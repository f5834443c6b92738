"""What keys and regions give away: copies under two names."""

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_data import BindingData
from glmflow.tasks.seq2cellxtf.binding_audit import binding_checks, copied_keys


def test_a_held_out_key_that_is_a_replicate_of_a_training_key_is_found():
    """Jaccard indices by a loop: of 40 bound regions 39 are shared by the copy, 20 by a key that is only alike."""
    labels = np.zeros((4, 200), bool)
    labels[0, :40], labels[1, 1:40], labels[2, 20:60] = True, True, True
    split = ["train", "test", "validation", "test"]
    keys = pd.DataFrame({"key": ["K562_MAX", "K562b_MAX", "HepG2_MAX", "HepG2_MYC"], "split": split})
    data = BindingData(pd.DataFrame(), keys, labels, {})
    jaccard = [(labels[0] & own).sum() / (labels[0] | own).sum() for own in labels[1:]]
    assert [value > 0.9 for value in jaccard] == [True, False, False]
    assert copied_keys(data, keys) == (1, 3)
    assert copied_keys(data, keys.assign(split=["test", "train", "train", "train"])) == (1, 1)
    assert copied_keys(data, keys.assign(split=["test", "validation", "train", "train"])) == (0, 2)


@pytest.mark.parametrize(("extra", "leak"), [([], "yes"), ([[0, 0, 0]], "no"), ([[0, 0, 0], [1, 0, 0]], "no")])
def test_regions_that_are_there_for_held_out_keys_alone_are_a_leak(extra, leak):
    """Of three regions one is bound by a test key alone and one by a validation key alone; where some is bound by none, none is sure."""
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], *extra]
    labels = np.array(rows, bool).T
    regions = pd.DataFrame({"chrom": "c", "start": np.arange(len(rows)) * 100}).assign(
        end=lambda table: table["start"] + 50
    )
    names = ["A_X", "B_X", "C_X"]
    keys = pd.DataFrame({"key": names, "tf": "X", "split": ["train", "test", "validation"], "kind": ["", "a", "a"]})
    data = BindingData(regions, keys, labels, {})
    copies = pd.DataFrame({"split": []})
    found = binding_checks(data, keys.assign(relation=""), np.full(len(rows), "test", object), copies).table()
    row = found.set_index("check").loc["test regions that no training key binds"]
    assert row["found"] == 2 + len(extra) - sum(own[0] for own in extra) and row["leak"] == leak
    assert ("made_from: train" in row["detail"]) == (leak == "yes") == (row["status"] == "WARN")
