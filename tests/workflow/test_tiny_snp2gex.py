"""Expression of simulated samples, from genotypes to the report, as a user runs it."""

import pandas as pd
import pysam
import pytest
from glmflow.cli import main
from glmflow.config import expand_runs, read_study
from running import ROOT, run_snakemake

CONFIG = ROOT / "tests/workflow/tiny_snp2gex.yaml"
HELD_OUT = {
    "seen genes unseen individuals",
    "unseen genes seen individuals",
    "unseen genes unseen individuals",
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_snp2gex")
    run_snakemake("-c2", "--configfile", CONFIG, directory=folder)
    return folder / "results/tiny_snp2gex"


def test_every_run_is_scored_on_every_class(results):
    study = read_study(CONFIG)
    runs, misfits = expand_runs(study)
    assert len(runs) == 6 and not misfits
    for run in runs:
        metrics = pd.read_csv(results.parent.parent / run.folder(study.results) / "metrics.tsv", sep="\t")
        test = metrics[(metrics["split"] == "test") & (metrics["protocol"] == "strict")]
        assert set(test["subset"]) == HELD_OUT
        assert test.loc[test["metric"] == "cross_individual_pearson", "value"].between(-1, 1).all()


def test_reference_for_everyone_gives_exactly_0(results):
    metrics = pd.read_csv(results / "runs/reference/cnn/mixed/seed1/metrics.tsv", sep="\t")
    own = metrics[(metrics["metric"] == "cross_individual_pearson") & (metrics["protocol"] == "strict")]
    assert len(own) and (own["value"] == 0).all()


def test_frozen_states_are_kept_beside_the_runs(results):
    (encoder,) = (results / "states").iterdir()
    parts = sorted(path.name.split(".")[-2] for path in encoder.iterdir())
    assert parts == ["keys", "keys", "states", "states"]  # of training and of prediction


@pytest.mark.parametrize(
    "run", ["expression/cnn/mixed", "expression/cnn/frozen", "common/cnn/mixed", "reference/cnn/mixed"]
)
def test_tuned_models_are_applied_to_people(results, run):
    """To everyone of the VCF: those that were held out have the values of the run."""
    run = results / f"runs/{run}/seed1"
    held_out = pd.read_parquet(run / "predictions.parquet").set_index("example")["prediction"]
    people = pd.read_parquet(run / "predict/people.parquet")
    genes = pd.read_csv(results / "examples/expression/genes.tsv", sep="\t")
    assert len(people) == 24 * len(genes)
    found = people.set_index(people["gene"] + "|" + people["sample"])["prediction"]
    assert found[held_out.index].tolist() == pytest.approx(held_out.tolist(), rel=1e-6)


@pytest.mark.parametrize("adaptation", ["mixed", "frozen"])
def test_tuned_models_are_applied_to_records_and_variants(results, adaptation):
    run = results / f"runs/expression/cnn/{adaptation}/seed1"
    genes = pd.read_csv(results / "examples/expression/genes.tsv", sep="\t")
    records = pd.read_parquet(run / "predict/records.parquet")
    assert set(records["sample"]) == {"S0001"} and set(records["gene"]) <= set(genes["gene_id"])
    with pysam.VariantFile(str(run / "predict/variants.vcf.gz")) as scored:
        assert any("GLM_expression" in record.info for record in scored)


def test_no_check_finds_a_leak(results):
    for task in ("expression", "reference"):
        checks = pd.read_csv(results / f"examples/{task}.leakage.tsv", sep="\t")
        assert len(checks) >= 6 and (checks["leak"] == "no").all() and checks["status"].isin(["PASS", "WARN"]).all()


def test_the_submission_is_scored_by_hand_as_by_the_workflow(results, tmp_path):
    """The upload of a run, against partitions made from the examples, gives the workflow's own official scores."""
    run = results / "runs/expression/elastic_net/baseline/seed1"
    examples = pd.read_parquet(results / "examples/expression.parquet").query("split == 'test'")
    partitions = examples.rename(columns={"group": "gene", "subset": "labels", "target": "log_TPM"})
    seen = partitions[partitions["labels"] == "seen genes unseen individuals"]
    seen[["sample", "gene", "labels", "log_TPM"]].to_csv(tmp_path / "partitions.csv", index=False)
    for protocol in ("strict", "official"):
        paths = ["--partitions", tmp_path / "partitions.csv", "--predictions", run / "scores/submission.csv"]
        arguments = ["score", "snp2gex", *paths, "--protocol", protocol, "--output", tmp_path / "metrics.tsv"]
        assert main(list(map(str, arguments))) == 0
        by_hand, own = (
            pd.read_csv(path, sep="\t").query("split == 'test' and subset == 'seen genes unseen individuals'")
            for path in (tmp_path / "metrics.tsv", run / "metrics.tsv")
        )
        own = own[own["protocol"] == protocol].set_index("metric")["value"]
        by_hand = by_hand.set_index("metric")["value"]
        assert by_hand.tolist() == pytest.approx(own[by_hand.index].tolist(), abs=1e-8, nan_ok=True)


def test_the_report_has_its_page(results):
    page = (results / "report/personal.html").read_text()
    assert "on genes seen in training" in page.lower() and '<span class="tag">reference</span>' in page
    assert "all variants, MAF ≥ 0.1" in page
    assert page.count("<script") >= 3
    assert "personal.html" in (results / "report/index.html").read_text()
