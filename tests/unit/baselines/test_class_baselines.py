"""Baselines of classes: probabilities, those of the training shares, and logistic regression as scikit-learn has it."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.bases import other_strand
from glmflow.genome.packed import pack
from glmflow.labelled.composition import kmer_table
from tiny_sequences import toy_study


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("toy"))


@pytest.mark.parametrize("model", ["majority", "kmers"])
def test_probabilities_of_all_held_out_sequences_sum_to_1(toy, tmp_path, model):
    _, settings, examples, files = toy
    run_baseline(settings[model, "baseline"], examples, files, tmp_path)
    found = pd.read_parquet(tmp_path / "predictions.parquet").merge(examples, on="example")
    assert len(found) == (examples["split"] != "train").sum() and set(found["split"]) == {"validation", "test"}
    shares = found[["prediction_with", "prediction_without"]].to_numpy()
    assert (shares >= 0).all() and shares.sum(axis=1) == pytest.approx(1)
    if model == "majority":
        assert shares == pytest.approx(0.5)  # half of the training rows hold the motif
        assert json.loads((tmp_path / "cost.json").read_text())["notes"] == []  # nothing is chosen
    else:
        assert re.fullmatch(r"k \d, c [\d.]+", json.loads((tmp_path / "cost.json").read_text())["notes"][0])
        assert ((shares[:, 0] > 0.5) == (found["target"] == "with")).mean() > 0.9


def test_shares_are_those_of_training_alone(toy, tmp_path):
    _, settings, examples, files = toy
    training = examples[examples["split"] == "train"]
    rare = training[training["target"] == "with"].index[40:]
    run_baseline(settings["majority", "baseline"], examples.drop(rare), files, tmp_path)
    found = pd.read_parquet(tmp_path / "predictions.parquet")
    assert found["prediction_with"].to_numpy() == pytest.approx(40 / 120)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_kmers_are_those_of_each_sequence(k):
    sequences = ["ACGTNACG", "", "TTTTTTNNT", "A", "GATTACA", "N"]
    words = ["".join(word) for word in itertools.product("ACGT", repeat=k)]
    wanted = [[sum(text[i:].startswith(word) for i in range(len(text))) for word in words] for text in sequences]
    assert kmer_table(pack(sequences), k).tolist() == wanted


def test_kmers_of_both_strands_are_counted_together():
    sequences = ["ACGTTGCA", "AACCGGTTNA", "A"]
    found = kmer_table(pack(sequences), 2, both_strands=True)
    np.testing.assert_allclose(found, kmer_table(pack([other_strand(text) for text in sequences]), 2, True))
    assert found.shape[1] == 10 and found.sum(axis=1).tolist() == [7, 7, 0]  # one base holds no 2-mer
