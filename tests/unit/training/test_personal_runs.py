"""Whole runs on a tiny simulated cohort: every adaptation trains, predicts everyone held out, and needs the variants."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.baselines.personal import run_personal_baseline
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.simulate import simulate
from glmflow.training.mutation import VARIANT_COLUMNS
from glmflow.training.personal import finetune, open_windows, predict
from glmflow.training.personal_data import genes_of

torch.set_num_threads(1)
SIZE = 300
TRAIN = {"optimizer": "adamw", "learning_rate": 0.01, "steps": 2, "batch": 2, "micro_batch": 1, "evaluations": 1}
CNN = {"new": {"family": "promoter_cnn", "config": {"filters": 4, "channels": 8}}}
SMALL = {"new": {"family": "small", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 512}}}
ADAPTATIONS = {
    "full": (
        CNN,
        {"kind": "full", "personal": {"loss": "mixed", "shift": 5}, "train": TRAIN | {"reverse_complement": True}},
    ),
    "lora": (
        SMALL,
        {
            **{"kind": "lora", "weights": "random", "rank": 2, "targets": ["query", "up"]},
            **{"personal": {"loss": "pairwise", "people": 3}, "train": TRAIN},
        },
    ),
    "probe": (SMALL, {"kind": "probe", "weights": "random", "personal": {"loss": "single"}, "train": TRAIN}),
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Eight people, of whom three are held out, and six genes, of which two are unseen."""
    folder = tmp_path_factory.mktemp("cohort")
    people = {"north": 5, "south": 3}
    made = {"contigs": {"chr1": 20_000, "chr2": 20_000}, "population": {"people": people}, "tracks": {"replicates": 1}}
    simulate({"seed": 3, **made}, folder / "made")
    build_store(folder / "made/cohort.vcf.gz", Reference(folder / "made/genome.fa"), folder / "store")
    expression = pd.read_csv(folder / "made/expression.tsv", sep="\t")
    names = list(expression.columns[4:])
    rows = []
    for number, gene in enumerate(expression.itertuples(index=False)):
        start = gene.tss - SIZE // 2
        if start < 0 or start + SIZE > 20_000:
            continue
        for person, value in zip(names, gene[4:]):
            held_out = "test" if number >= len(expression) - 2 or person in names[5:] else "train"
            split = "validation" if held_out == "test" and person in names[5:7] else held_out
            rows.append(
                {
                    "example": f"{gene.gene_id}|{person}",
                    "split": split,
                    "chrom": gene.chrom,
                    "start": start,
                    "end": start + SIZE,
                }
                | {"strand": gene.strand, "sample": person, "group": gene.gene_id, "target": value}
            )
    return folder, pd.DataFrame(rows), names


def settings_of(model, adaptation, **task):
    block = {
        "kind": "snp2gex",
        "windows": {"size": SIZE},
        "control": "none",
        "variants": "all",
        "combine": "predictions",
        **task,
    }
    labels = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    return {**labels, "task": block, "model": model, "adaptation": adaptation}


def run(cohort, folder, name, states=None, **task):
    place, examples, _ = cohort
    settings = settings_of(*ADAPTATIONS[name], **task)
    windows = open_windows(settings["task"], place / "store", place / "made/genome.fa", examples)
    finetune(settings, examples, windows, None, [place / "store"], folder, states)
    predict(folder / "model", examples, windows, folder, states)
    return pd.read_parquet(folder / "predictions.parquet").merge(examples, on="example")


@pytest.mark.parametrize("name", list(ADAPTATIONS))
def test_everyone_held_out_is_predicted_and_people_differ(cohort, tmp_path, name):
    _, examples, _ = cohort
    found = run(cohort, tmp_path, name, combine="states" if name == "lora" else "predictions")
    assert sorted(found["example"]) == sorted(examples.loc[examples["split"] != "train", "example"])
    assert np.isfinite(found["prediction"]).all()
    assert found.groupby("group")["prediction"].nunique().max() > 1
    variants = pd.read_csv(tmp_path / "variants.tsv", sep="\t")
    assert list(variants) == list(VARIANT_COLUMNS) and variants["effect"].abs().max() > 0
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert (cost["trainable_parameters"] == cost["parameters"]) == (name == "full")
    assert set((cost["model"]["lora"] or {"layers": {}})["layers"]) == ({"query", "up"} if name == "lora" else set())
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
def test_with_the_reference_for_everyone_no_two_people_differ(cohort, tmp_path, name, caplog):
    with caplog.at_level("INFO"):
        found = run(cohort, tmp_path, name, control="reference")
    genes = found["group"].nunique()
    assert f"haplotypes predicted: {genes} distinct of {2 * len(found)} windows" in caplog.text
    # 2 updates of 2 genes with 5 training people each; what is read ahead of them is read too.
    learned, read = map(
        int, re.search(r"learned from: (\d+) distinct of (\d+) windows: 10\.0 times", caplog.text).groups()
    )
    assert 4 <= learned <= genes and read == 10 * learned
    assert (found.groupby("group")["prediction"].nunique() == 1).all()
    assert len(pd.read_csv(tmp_path / "variants.tsv", sep="\t")) == 0


def test_a_task_of_common_variants_knows_no_rare_ones(cohort):
    place, examples, _ = cohort
    windows = {
        maf: open_windows({"variants": "all", "control": "none", "min_maf": maf}, place / "store",
                          place / "made/genome.fa", examples)
        for maf in (0, 0.25)
    }  # fmt: skip
    varied = {0: 0, 0.25: 0}
    for gene in genes_of(examples):
        training = np.isin(gene.people, examples.loc[examples["split"] == "train", "sample"])
        for maf, read in windows.items():
            frequency = read.alleles(gene).carried[training].mean(axis=(0, 1))
            varied[maf] += int(((frequency > 0) & (frequency < 1)).sum())
            if maf:
                assert not ((frequency > 0) & (frequency < maf) | (frequency < 1) & (frequency > 1 - maf)).any()
    assert 0 < varied[0.25] < varied[0]


@pytest.mark.parametrize(
    "kind",
    [
        *("gene_mean", "population_mean", "top_variant", "elastic_net", "lasso", "blup", "nearest_haplotype"),
        "kmer_ridge_haplotypes",
    ],
)
def test_every_baseline_predicts_everyone_held_out_on_any_number_of_cores(cohort, tmp_path, kind):
    place, examples, names = cohort
    settings = settings_of({"baseline": {"kind": kind, "k": 2, "folds": 2}}, {"kind": "baseline"})
    windows = open_windows(settings["task"], place / "store", place / "made/genome.fa", examples)
    population = dict(zip(names, ["north"] * 5 + ["south"] * 3))
    run_personal_baseline(settings, examples, windows, population, tmp_path)
    run_personal_baseline(settings, examples, windows, population, tmp_path / "shared_out", cores=2)
    for name in ("predictions.parquet", "variants.tsv", "weights.tsv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "shared_out" / name).read_bytes()
    found = pd.read_parquet(tmp_path / "predictions.parquet").merge(examples, on="example")
    assert sorted(found["example"]) == sorted(examples.loc[examples["split"] != "train", "example"])
    train = examples[examples["split"] == "train"]
    if kind in ("gene_mean", "population_mean"):  # all training people are of the north
        means = train.groupby("group")["target"].mean()
        expected = found["group"].map(means).fillna(train["target"].mean())
        np.testing.assert_allclose(found["prediction"], expected)
    unseen = found[~found["group"].isin(train["group"])]
    if kind != "kmer_ridge_haplotypes":
        np.testing.assert_allclose(unseen["prediction"], train["target"].mean())
    weights = pd.read_csv(tmp_path / "weights.tsv", sep="\t")
    if kind == "blup":
        assert set(weights["gene"]) <= set(train["group"])
