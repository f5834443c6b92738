"""The table of the smallest study of labelled sequences."""

import numpy as np
import pandas as pd


def write_sites(path):
    """Write 100 random sequences of two classes in three splits."""
    rng = np.random.default_rng(0)
    splits = np.repeat(["train", "dev", "test"], [60, 20, 20])
    sequences = ["".join(rng.choice(list("ACGT"), rng.integers(50, 90))) for _ in splits]
    labels = rng.permutation(np.arange(len(splits)) % 2)
    pd.DataFrame({"sequence": sequences, "label": np.array(["none", "site"])[labels], "split": splits}).to_csv(
        path, index=False
    )
