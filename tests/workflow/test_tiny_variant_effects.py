"""Effects of alleles from a simulation to the page, as a user runs it: what broken motifs are told by, and moved sites not."""

import pandas as pd
import pysam
import pytest
from browsing import faults
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_variant_effects")
    (folder / "spots.bed").write_text("chr3\t1000\t1012\nchr3\t5000\t5008\n")
    (folder / "pairs.fa").write_text(">one\nACGTTGCAACGTTGCA\n>two\nTTGCAAGCCATTGGCA\n")
    run_snakemake("-c2", "--configfile", ROOT / "tests/workflow/tiny_variant_effects.yaml", directory=folder)
    return folder / "results/tiny_variant_effects"


def auroc(results, run):
    metrics = pd.read_csv(results / f"runs/{run}/seed1/metrics.tsv", sep="\t")
    rows = metrics[(metrics["metric"] == "auroc") & (metrics["subset"] == "all") & (metrics["protocol"] == "strict")]
    return rows[rows["split"] == "test"].iloc[0]


def test_rare_words_tell_broken_motifs_and_nothing_where_sites_are_moved(results):
    found, moved = (auroc(results, f"{task}/context_rate/baseline") for task in ("motifs", "shifted"))
    assert found["value"] > 0.65 and found["ci_low"] > 0.55
    assert moved["ci_low"] < 0.5 < moved["ci_high"] and abs(moved["value"] - 0.5) < 0.1


def test_every_allele_has_a_score_or_a_reason_and_stands_on_the_page(results):
    alleles = pd.read_parquet(results / "examples/motifs.parquet")
    assert alleles["target"].sum() == 120 and len(alleles) == 360
    table = pd.read_parquet(results / "runs/motifs/masked/zero_shot/seed1/predictions.parquet")
    assert table["example"].tolist() == alleles["example"].tolist() and table["prediction"].notna().mean() > 0.95
    page = (results / "report/variants.html").read_text()
    assert "Simulated" in page and "context_rate" in page and "masked (zero_shot)" in page
    assert (results / "report/variants.shifted.html").exists()


def test_models_of_the_study_are_asked_about_what_has_no_label(results):
    page = (results / "report/index.html").read_text()
    for answers in ("variant_scores/carried/masked/seed1.vcf.gz", "mutagenesis/spots/masked/seed1"):
        assert f'href="../{answers}"' in page and (results / answers).exists()
    with pysam.VariantFile(str(results / "simulated/cohort.vcf.gz")) as given:
        records = [(record.contig, record.pos, record.alts) for record in given]
    with pysam.VariantFile(str(results / "variant_scores/carried/masked/seed1.vcf.gz")) as scored:
        assert len(scored.header.samples) == 4
        found = [(record.contig, record.pos, record.alts) for record in scored]
        assert found == records
        single = [record for record in scored.fetch("chr3") if len(record.ref) == len(record.alts[0]) == 1]
        scores = {record.info["GLM_masked_llr"][0] for record in single}
    assert len(single) > 100 and len(scores) > 50
    changes = pd.read_parquet(results / "mutagenesis/spots/masked/seed1/ism.parquet")
    assert len(changes) == 3 * 20 and changes["pos"].min() == 1001
    maps = pd.read_parquet(results / "dependency_maps/pairs/masked/seed1/maps.parquet")
    assert maps["id"].tolist() == ["one", "two"] and maps["model"].unique().tolist() == ["masked"]


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """Run the study of variants that a cohort carries once."""
    folder = tmp_path_factory.mktemp("tiny_carried")
    run_snakemake("-c2", "--configfile", ROOT / "tests/workflow/tiny_carried.yaml", directory=folder)
    return folder / "results/tiny_carried"


def test_effects_of_a_linear_model_stand_beside_scores_and_go_with_the_truth(carried):
    alleles = pd.read_parquet(carried / "examples/known.parquet")
    learned = carried / "runs/expression/elastic_net/baseline/seed1/predicted/variants.tsv"
    assert len(alleles) > 20 and learned.exists() and "elastic_net" in alleles
    metrics = pd.read_csv(carried / "runs/known/effect_of_elastic_net/baseline/seed1/metrics.tsv", sep="\t")
    pooled = metrics[
        (metrics["metric"] == "spearman") & (metrics["subset"] == "all") & (metrics["protocol"] == "strict")
    ]
    assert pooled["value"].iloc[0] > 0.3  # expression is a sum of effects of alleles here, and of noise
    page = (carried / "report/variants.html").read_text()
    assert "effect_of_elastic_net" in page and "masked (zero_shot)" in page


@pytest.mark.browser
def test_its_pages_are_for_everyone(results, chromium):
    assert faults(results / "report", chromium) == []
