"""What keys and regions give away: copies under two names."""

import numpy as np
import pandas as pd
from glmflow.binding.binding_data import BindingData
from glmflow.tasks.seq2cellxtf.binding_audit import copied_keys


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
