"""Contigs named in digits alone (hs37d5, GRCh37 of 1000 Genomes) go through the whole chain."""

import pandas as pd
import pytest
import yaml
from running import ROOT, run_snakemake


@pytest.fixture
def study(tmp_path):
    """The tiny study, of one network and two baselines, on contigs 1, 2 and 3."""
    content = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    content["simulate"]["cohort"]["contigs"] = {"1": 60_000, "2": 40_000, "3": 40_000}
    content["splits"] |= {"train": ["1"], "validation": ["2"], "test": ["3"]}
    kept = {"models": ["cnn", "mean_track", "kmer_promoter"], "adaptations": ["scratch", "baseline"]}
    for block, labels in kept.items():
        content[block] = {label: content[block][label] for label in labels}
    del content["predict"]
    content["runs"] = [
        {"tasks": ["rnaseq"], "models": ["cnn"], "adaptations": ["scratch"]},
        {"tasks": ["rnaseq"], "models": ["mean_track", "kmer_promoter"], "adaptations": ["baseline"]},
    ]
    path = tmp_path / "numeric.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@pytest.mark.slow
def test_a_study_on_contigs_1_2_and_3(study):
    folder = study.parent
    run_snakemake("-c2", "--configfile", study, directory=folder)
    runs = folder / "results/tiny/runs/rnaseq"
    for run in ("cnn/scratch", "mean_track/baseline", "kmer_promoter/baseline"):
        genes = pd.read_csv(runs / run / "seed1/scores/genes.tsv", sep="\t", dtype=str)
        assert set(genes["chrom"]) == {"2", "3"}, "genes of the held-out contigs are scored"
    shown = pd.read_csv(folder / "results/tiny/report/data/browser_regions.tsv", sep="\t", dtype=str)
    assert set(shown["chrom"]) == {"3"}, "the browser opens on genes of the test contig"
