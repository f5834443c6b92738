"""Expression from regions, from nothing to its page, as a user runs it."""

import pandas as pd
import pytest
from browsing import faults
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_regions")
    run_snakemake("-c2", "--configfile", ROOT / "tests/workflow/tiny_regions.yaml", directory=folder)
    return folder / "results/tiny_regions"


def test_new_cells_and_new_regions_are_scored_apart(results):
    for name in ("get/full", "cells/baseline", "open/baseline"):
        metrics = pd.read_csv(results / f"runs/expression/{name}/seed1/metrics.tsv", sep="\t")
        test = metrics[metrics["split"] == "test"]
        assert {"all", "new_cells_new_regions", "new_regions", "new_cells"} == set(test["subset"])
        assert {"pearson", "deviation_pearson", "spearman", "r2"} <= set(test["metric"])
        own = test[(test["metric"] == "pearson") & (test["subset"] == "new_cells")]
        assert own["ci_low"].notna().all() and (own["ci_low"] < own["ci_high"]).all()


def test_the_matrix_and_the_page_are_there(results):
    sums = pd.read_parquet(results / "motif_matrix/expression/sums.parquet")
    assert len(sums) == 200 and sums.to_numpy().max() > 0 and not sums.isna().to_numpy().any()
    page = (results / "report/expressed.html").read_text()
    assert "r of deviations" in page and "new_cells" in page and "chart-runs" in page


@pytest.mark.browser
def test_its_pages_are_for_everyone(results, chromium):
    assert faults(results / "report", chromium) == []
