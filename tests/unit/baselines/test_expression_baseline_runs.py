"""Runs of all baselines of expression on a tiny cohort."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.baselines.snp2gex import FITS
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from tiny_genes import settings_of


@pytest.fixture(scope="module")
def tables(cohort, tmp_path_factory):
    """The folder of what is known of the samples: five of the north, three of the south."""
    folder = tmp_path_factory.mktemp("tables")
    populations = ["north"] * 5 + ["south"] * 3
    pd.DataFrame({"sample": cohort[2], "population": populations}).to_csv(folder / "samples.tsv", sep="\t", index=False)
    return str(folder)


def test_every_baseline_of_expression_has_a_fit():
    assert {kind_of(block) for block in BASELINES if block.suits("expression")} == set(FITS)


@pytest.mark.parametrize("kind", list(FITS))
def test_every_baseline_predicts_all_held_out_samples_on_any_number_of_cores(cohort, tables, tmp_path, kind):
    files, examples, _ = cohort
    smaller = {"k": 2, "folds": 2}
    (block,) = (block for block in BASELINES if kind_of(block) == kind)
    chosen = {"kind": kind, **{key: value for key, value in smaller.items() if key in block.model_fields}}
    settings = settings_of({"baseline": chosen}, {"kind": "baseline"})
    for folder, cores in ((tmp_path, 1), (tmp_path / "shared_out", 2)):
        run_baseline(settings, examples, files | {"tables": tables}, folder, cores)
    for name in ("predictions.parquet", "predicted/variants.tsv", "predicted/weights.tsv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "shared_out" / name).read_bytes()
    found = pd.read_parquet(tmp_path / "predictions.parquet").merge(examples, on="example")
    assert sorted(found["example"]) == sorted(examples.loc[examples["split"] != "train", "example"])
    train = examples[examples["split"] == "train"]
    if kind in ("gene_mean", "population_mean"):  # all training samples are of the north
        means = train.groupby("group")["target"].mean()
        expected = found["group"].map(means).fillna(train["target"].mean())
        np.testing.assert_allclose(found["prediction"], expected)
    unseen = found[~found["group"].isin(train["group"])]
    if kind not in ("kmer_ridge_haplotypes", "nearest_training"):
        np.testing.assert_allclose(unseen["prediction"], train["target"].mean())
    weights = pd.read_csv(tmp_path / "predicted/weights.tsv", sep="\t")
    if kind == "blup":
        assert set(weights["gene"]) <= set(train["group"])
    assert {"train_seconds", "predict_seconds"} <= json.loads((tmp_path / "cost.json").read_text()).keys()
