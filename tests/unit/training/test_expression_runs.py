"""Whole runs on a tiny simulated cohort: every adaptation trains, predicts all held-out samples, and needs the variants."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.training.finetune import finetune
from glmflow.training.inputs.gene_haplotypes import genes_of, open_windows
from glmflow.training.inputs.mutation import VARIANT_COLUMNS
from glmflow.training.loop.distributed import call
from glmflow.training.predict import predict
from safetensors.torch import load_file
from tiny_genes import ADAPTATIONS, CNN, SMALL, TRAIN, settings_of

torch.set_num_threads(1)


def run(cohort, folder, name, states=None, **task):
    files, examples, _ = cohort
    settings = settings_of(*ADAPTATIONS[name], **task)
    finetune(settings, examples, files, None, folder, states)
    predict(settings, examples, files, folder / "model", folder, states)
    return pd.read_parquet(folder / "predictions.parquet").merge(examples, on="example")


@pytest.mark.parametrize("name", list(ADAPTATIONS))
def test_all_held_out_samples_are_predicted_and_differ(cohort, tmp_path, name):
    _, examples, _ = cohort
    found = run(cohort, tmp_path, name, combine="states" if name == "lora" else "predictions")
    assert sorted(found["example"]) == sorted(examples.loc[examples["split"] != "train", "example"])
    assert np.isfinite(found["prediction"]).all()
    assert found.groupby("group")["prediction"].nunique().max() > 1
    variants = pd.read_csv(tmp_path / "predicted/variants.tsv", sep="\t")
    assert list(variants) == list(VARIANT_COLUMNS) and variants["effect"].abs().max() > 0
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["trainable_parameters"] == cost["parameters"]) == (name == "full")
    assert set((cost["model"]["adapted"] or {"layers": {}})["layers"]) == ({"query", "up"} if name == "lora" else set())
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert any("eval_loss" in line for line in lines)


def test_a_probe_reads_what_an_earlier_run_of_its_encoder_computed(cohort, tmp_path, caplog):
    """States are found again by training, and by the model that was saved and loaded for prediction."""
    caplog.set_level("INFO", "glmflow.training.frozen_states")
    alone, first = run(cohort, tmp_path / "alone", "probe"), run(cohort, tmp_path / "a", "probe", tmp_path / "states")
    parts = set((tmp_path / "states").rglob("*.npy"))
    assert len({path.parent for path in parts}) == 1 and len(parts) == 4  # of training and of prediction
    caplog.clear()
    second = run(cohort, tmp_path / "b", "probe", tmp_path / "states")
    assert set((tmp_path / "states").rglob("*.npy")) == parts and ": 0 computed" in caplog.text
    pd.testing.assert_frame_equal(first, second)
    np.testing.assert_allclose(first["prediction"], alone["prediction"], rtol=1e-5)


@pytest.mark.parametrize("name", list(ADAPTATIONS))
def test_with_the_reference_for_everyone_no_two_samples_differ(cohort, tmp_path, name, caplog):
    with caplog.at_level("INFO"):
        found = run(cohort, tmp_path, name, control="reference")
    genes = found["group"].nunique()
    assert f"haplotypes predicted: {genes} distinct of {2 * len(found)} windows" in caplog.text
    # 2 updates of 2 genes with 5 training samples each; what is read ahead of them is read too.
    learned, read = map(
        int, re.search(r"learned from: (\d+) distinct of (\d+) windows: 10\.0 times", caplog.text).groups()
    )
    assert 4 <= learned <= genes and read == 10 * learned
    assert (found.groupby("group")["prediction"].nunique() == 1).all()
    assert len(pd.read_csv(tmp_path / "predicted/variants.tsv", sep="\t")) == 0


def test_a_task_of_common_variants_knows_no_rare_ones(cohort):
    files, examples, _ = cohort
    windows = {
        maf: open_windows({"variants": "all", "control": "none", "min_maf": maf}, files["store"], files["fasta"], examples)
        for maf in (0, 0.25)
    }  # fmt: skip
    varied = {0: 0, 0.25: 0}
    for gene in genes_of(examples):
        training = np.isin(gene.samples, examples.loc[examples["split"] == "train", "sample"])
        for maf, read in windows.items():
            frequency = read.alleles(gene).carried[training].mean(axis=(0, 1))
            varied[maf] += int(((frequency > 0) & (frequency < 1)).sum())
            if maf:
                assert not ((frequency > 0) & (frequency < maf) | (frequency < 1) & (frequency > 1 - maf)).any()
    assert 0 < varied[0.25] < varied[0]


def learned(cohort, folder, model, gpus, micro_batch=1):
    """Train on all samples; return the curve of losses and the weights."""
    files, examples, _ = cohort
    adaptation = {
        "kind": "full",
        "loss": "mixed",
        "personal": {"people": 3},
        "train": TRAIN | {"gpus": gpus, "batch": 2, "steps": 3, "micro_batch": micro_batch},
    }
    arguments = {
        "settings": settings_of(model, adaptation),
        "examples": examples,
        "files": files,
        "checkpoint": None,
        "folder": folder,
    }
    call(finetune, arguments, gpus, 1, folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    curve = {(line["step"], key): line[key] for line in lines for key in ("loss", "eval_loss") if key in line}
    weights = {
        (path.name, name): value
        for path in (folder / "model").glob("*.safetensors")
        for name, value in load_file(path).items()
    }
    return curve, weights


@pytest.mark.slow
@pytest.mark.parametrize(("model", "together"), [(SMALL, 1), (CNN, 2)], ids=["small", "cnn"])
def test_two_processes_learn_what_one_learns_from_samples(cohort, tmp_path, model, together):
    """Batch normalisation (of the CNN) takes in what is in all processes at a time: two genes, here as there."""
    expected, expected_weights = learned(cohort, tmp_path / "one", model, 1, together)
    found, weights = learned(cohort, tmp_path / "two", model, 2)
    if together > 1:  # the loss of samples is evaluated in batches of some genes
        del found[3, "eval_loss"], expected[3, "eval_loss"]
    assert found == pytest.approx(expected, rel=1e-4) and len(found) >= 3
    assert weights.keys() == expected_weights.keys()
    # The gradient of a bias before a normalisation is rounding error, which Adam makes steps of; the running mean follows.
    idle = {("model.safetensors", name) for name in ("around.bias", "norm_2.running_mean")}
    for name in expected_weights.keys() - idle:
        assert torch.allclose(weights[name], expected_weights[name], rtol=1e-3, atol=1e-5), name
