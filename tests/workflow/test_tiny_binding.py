"""Binding from nothing to its page, as a user runs it: no genome, no peaks, all of it simulated."""

import pandas as pd
import pytest
from browsing import faults
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_binding")
    run_snakemake("-c2", "--configfile", ROOT / "tests/workflow/tiny_binding.yaml", directory=folder)
    return folder / "results/tiny_binding"


def test_every_run_is_scored_by_kind_of_key(results):
    for name in ("cnn/full", "motif/baseline", "both/baseline"):
        metrics = pd.read_csv(results / f"runs/binding/{name}/seed1/metrics.tsv", sep="\t")
        test = metrics[(metrics["split"] == "test") & (metrics["protocol"] == "strict")]
        assert {"all", "kind_a", "kind_b", "kind_c"} <= set(test["subset"])
        assert {"auprc", "auroc", "cell_concordance", "hard_negative_auroc", "calibration_slope"} - set(
            test["metric"]
        ) in (
            set(),
            {"calibration_slope"},  # log-odds of a motif are no probabilities
        )
        assert "official" in set(metrics["protocol"])
        assert (results / f"runs/binding/{name}/seed1/scores/keys.tsv").exists()


def test_the_page_warns_of_the_width_and_shows_the_control(results):
    page = (results / "report/binding.html").read_text()
    assert "The width of regions gives labels away" in page and "b, sibling known" in page
    assert "permuted" in page and "chart-keys" in page and "chart-regions" in page
    assert "binding.html" in (results / "report/index.html").read_text()
    index = (results / "report/data/search.js").read_text()
    assert '"cell and TF"' in index and '"region"' in index


@pytest.mark.browser
def test_its_pages_are_for_everyone(results, chromium):
    assert faults(results / "report", chromium) == []
