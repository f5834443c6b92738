"""What a language model loses that has learned nothing."""

import json
from math import log

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.genome.reference import Reference
from glmflow.models import new_model
from glmflow.training.chance import base_composition, chance_loss
from glmflow.training.language_loss import IGNORE, MASKED_AS, language_batch
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import GenomeSource

MODEL = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 64}


def test_the_composition_of_some_regions_without_n(tmp_path):
    (tmp_path / "genome.fa").write_text(">a\nAAAACCGTNN\n>b\nTTTTTTTT\n")
    pysam.faidx(str(tmp_path / "genome.fa"))
    regions = pd.DataFrame([("a", 2, 10), ("b", 0, 2)], columns=["chrom", "start", "end"])
    found = base_composition(regions, Reference(tmp_path / "genome.fa"))
    assert found.tolist() == [2 / 8, 2 / 8, 1 / 8, 3 / 8]  # AACCGT and TT


def test_the_next_base_costs_the_entropy_of_the_composition():
    assert chance_loss(np.full(4, 0.25)) == pytest.approx(log(4))
    assert chance_loss(np.array([0.5, 0.25, 0.25, 0])) == pytest.approx(0.5 * log(2) + 0.5 * log(4))


def test_a_masked_base_costs_less_as_some_are_shown():
    """Of five in a hundred each: shown as it is 1 in 10, as any base 1 in 10; of what is seen 5 in 8 are true."""
    shown = -(5 / 8 * log(5 / 8) + 3 * 1 / 8 * log(1 / 8))
    assert chance_loss(np.full(4, 0.25), MASKED_AS) == pytest.approx(0.8 * log(4) + 0.2 * shown)


def test_no_table_of_what_is_seen_beats_chance_on_the_batches_that_models_are_asked():
    """The best guess from the token in its place, counted from a million bases, loses what is reckoned."""
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    rng = np.random.default_rng(0)
    items = [
        {"sequence": "".join(rng.choice(list("ACGT"), 1000, p=shares)), "noise": rng.random((2, 1000))}
        for _ in range(1000)
    ]
    batch = language_batch(items, new_model("small", {**MODEL, "context": 1000, "causal": False}), mask=0.5)
    asked = batch["labels"] != IGNORE
    pairs = np.stack([batch["input_ids"][asked].numpy(), batch["labels"][asked].numpy()])
    (seen, _), counts = np.unique(pairs, axis=1, return_counts=True)
    totals = np.array([counts[seen == token].sum() for token in seen])
    assert chance_loss(shares, MASKED_AS) == pytest.approx(
        -(counts * np.log(counts / totals)).sum() / counts.sum(), abs=2e-3
    )


@pytest.mark.parametrize("causal", [True, False])
def test_a_pretraining_records_what_chance_loses(tmp_path, causal):
    bases = "ACGGTTTT" * 40  # shares 1, 1, 2 and 4 in 8
    (tmp_path / "genome.fa").write_text(f">a\n{bases}\n>b\n{'A' * 320}\n")
    pysam.faidx(str(tmp_path / "genome.fa"))
    regions = pd.DataFrame(
        [("a", 0, 320, "train"), ("b", 0, 320, "validation")], columns=["chrom", "start", "end", "split"]
    )
    settings = {"family": "small", "config": {**MODEL, "causal": causal}, "length": 64, "steps": 2, "batch": 4}
    pretrain(settings, GenomeSource(regions, tmp_path / "genome.fa"), 1, tmp_path / "training", tmp_path / "model")
    cost = json.loads((tmp_path / "training/cost.json").read_text())
    entropy = 2 * 1 / 8 * log(8) + 1 / 4 * log(4) + 1 / 2 * log(2)
    assert cost["chance_loss"] == pytest.approx(entropy) if causal else 0 < cost["chance_loss"] < entropy
