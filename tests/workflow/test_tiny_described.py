"""Bits saved by text from simulated genomes to the page, as a user runs it."""

import pandas as pd
import pytest
from running import ROOT, run_snakemake

CONFIG = ROOT / "tests/workflow/tiny_described.yaml"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_described")
    run_snakemake("-c2", "--configfile", CONFIG, directory=folder)
    return folder / "results/tiny_described"


def value(results, run, metric):
    rows = pd.read_csv(results / f"runs/described/{run}/metrics.tsv", sep="\t")
    return rows[(rows["split"] == "test") & (rows["subset"] == "all")].set_index("metric").loc[metric]


def test_counts_by_product_save_bits_beyond_the_text_of_another_feature_and_what_is_blind_saves_none(results):
    assert value(results, "counts/baseline/seed1", "beyond_other")["value"] > 0
    assert value(results, "blind/baseline/seed1", "saved_own")["value"] == 0
    assert value(results, "reader/as_it_is/seed1", "bits_own")["value"] > 1


def test_the_page_says_what_is_saved_and_what_training_shares(results):
    page = (results / "report/described_dna.html").read_text()
    assert ("reader (as_it_is): " in page and "saved by the text of a feature" in page) or "saves" in page
    assert "held-out features of a training cluster" in page
    assert "counts counts what follows 2 bases by species and product" in page
    index = (results / "report/index.html").read_text()
    assert "described_dna.html" in index and "is not declared for this kind of task" not in index
    assert len(pd.read_csv(results / "comparisons/described.tsv", sep="\t"))
