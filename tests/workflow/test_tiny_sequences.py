"""Labelled sequences from a table to their page, as a user runs it: no genome, no genotypes, no tracks."""

import json

import pandas as pd
import pytest
from glmflow.config import expand_runs, read_study
from running import ROOT, run_snakemake
from tiny_sequences_table import write_sites

CONFIG = ROOT / "tests/workflow/tiny_sequences.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_sequences")
    write_sites(folder / "sites.csv")
    run_snakemake("-c2", "--configfile", CONFIG, directory=folder)
    return folder / "results/tiny_sequences"


def test_every_run_is_scored_on_every_held_out_split(results):
    runs, misfits = expand_runs(read_study(CONFIG))
    assert len(runs) == 5 and not misfits
    for run in runs:
        place = results.parent.parent / run.folder("results/tiny_sequences")
        metrics = pd.read_csv(place / "metrics.tsv", sep="\t")
        accuracy = metrics[(metrics["metric"] == "accuracy") & (metrics["subset"] == "all")].set_index("split")
        assert set(accuracy.index) == {"validation", "test"} and (accuracy["n"] == 20).all()
        assert "mcc" in set(metrics["metric"])
        predictions = pd.read_parquet(place / "predictions.parquet")
        assert len(predictions) == 40
        assert predictions[["prediction_none", "prediction_site"]].sum(axis=1).to_numpy() == pytest.approx(1)


def test_what_was_trained_is_said(results):
    full, lora, probe = (
        json.loads((results / "runs/sites" / run / "seed1/cost.json").read_text())
        for run in ("cnn/full", "small/lora", "small/probe")
    )
    assert full["trainable_parameters"] == full["parameters"]
    assert probe["trainable_parameters"] < lora["trainable_parameters"] < lora["parameters"]


def test_the_examples_are_counted_and_checked(results):
    counts = pd.read_csv(results / "examples/sites.counts.tsv", sep="\t").set_index("item")["count"]
    assert [counts[f"{split} sequences"] for split in ("train", "validation", "test")] == [60, 20, 20]
    assert (pd.read_csv(results / "examples/sites.leakage.tsv", sep="\t")["leak"] == "no").all()
    assert (results / "examples/sites/classes.tsv").exists()


def test_the_report_has_its_page(results):
    assert "kmers" in (results / "report/sequences.html").read_text()
    assert "sequences.html" in (results / "report/index.html").read_text()
