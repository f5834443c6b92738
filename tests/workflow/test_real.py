"""The positive control on real genome, samples and genes, shrunken; tracks and expression are simulated on them."""

import pandas as pd
import pytest
import yaml
from cyvcf2 import VCF
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(test_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    (folder / "resources").mkdir()
    (folder / "resources/human_chr20").symlink_to(test_data / "human_chr20")
    study = yaml.safe_load((ROOT / "config/studies/real_genotypes.yaml").read_text())
    study["adaptations"]["scratch"]["train"] |= {"steps": 3, "crop": 2048}
    study["tasks"]["rnaseq"]["bootstrap"] = 20
    study["models"]["cnn"]["new"]["config"] = {"channels": [4, 8, 8], "blocks": 2}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    run_snakemake("-c2", "--configfile", "study.yaml", directory=folder)
    return folder / "results/real_genotypes"


def test_real_people_are_read(finished, test_data):
    carried = [(record.genotype.array()[:, :2] > 0).any() for record in VCF(test_data / "human_chr20/cohort.vcf.gz")]
    assert len(carried) == 7252 + 316
    counts = pd.read_csv(finished / "cohort/variants.tsv", sep="\t").set_index("reason")["count"]
    assert counts["applied"] == sum(carried)
    assert counts["not_carried"] == len(carried) - sum(carried)
    samples = pd.read_csv(finished / "simulated/samples.tsv", sep="\t")
    assert len(samples) == 300


def test_blocks_along_one_contig_share_no_base(finished):
    leakage = pd.read_csv(finished / "examples/rnaseq.leakage.tsv", sep="\t")
    shared = leakage[leakage["check"].str.startswith("bases shared by")]
    assert len(shared) == 3 and (shared["found"] == 0).all()
    regions = pd.read_csv(finished / "examples/regions.tsv", sep="\t").sort_values("start")
    gaps = regions["start"].to_numpy()[1:] - regions["end"].to_numpy()[:-1]
    changes = regions["split"].to_numpy()[1:] != regions["split"].to_numpy()[:-1]
    assert (gaps[changes] >= 8192).all()


def test_every_model_is_scored_and_the_report_says_what_is_simulated(finished):
    for run in ("cnn/scratch", "mean_track/baseline", "kmer_bins/baseline", "kmer_promoter/baseline"):
        assert (finished / "runs/rnaseq" / run / "seed1/metrics.tsv").exists()
    page = (finished / "report/index.html").read_text()
    assert "simulated on real sequence and real genotypes (flanks of real variants edited)" in page
