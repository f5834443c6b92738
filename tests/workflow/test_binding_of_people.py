"""Binding on the haplotypes of samples through `predict:` of a study, with two heads, as a user runs it."""

import pandas as pd
import pytest
import yaml
from binding_toy import CNN, PEOPLE, TASK, write_binding_files
from running import run_snakemake

pytestmark = pytest.mark.slow
TRAIN = {"optimizer": "adamw", "steps": 2, "batch": 16, "micro_batch": 16, "evaluations": 1}
STUDY = {
    "study": "alleles",
    "reference": {"fasta": "genome.fa"},
    "tasks": {"binding": TASK | {"bootstrap": 10}},
    "models": {"cnn": CNN, "motif": {"baseline": "best_motif"}},
    "adaptations": {
        "query": {"kind": "full", "head": {"kind": "motif_query", "width": 4}, "train": TRAIN},
        "known": {"kind": "full", "head": "tf_heads", "train": TRAIN},
        "baseline": {"kind": "baseline"},
    },
    "predict": {
        "everyone": {"write": "binding", "vcf": "people.vcf.gz"},
        "cyd": {"write": "binding", "vcf": "people.vcf.gz", "sample": "cyd", "bed": "region.bed"},
    },
    "runs": [
        {"tasks": ["binding"], "models": ["cnn"], "adaptations": ["query", "known"]},
        {"tasks": ["binding"], "models": ["motif"], "adaptations": ["baseline"]},
    ],
}


def test_every_tuned_model_is_applied_to_the_people_of_a_vcf_and_the_page_shows_them(tmp_path):
    write_binding_files(tmp_path)
    (tmp_path / "region.bed").write_text("chr3\t1500\t1700\n")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    run_snakemake("-c2", "--configfile", "study.yaml", directory=tmp_path)
    runs = tmp_path / "results/alleles/runs/binding"
    for head in ("query", "known"):
        found = pd.read_parquet(runs / f"cnn/{head}/seed1/predict/everyone.parquet")
        assert set(found["sample"]) == set(PEOPLE) and found["example"].nunique() == 2
        own = pd.read_parquet(runs / f"cnn/{head}/seed1/predict/cyd.parquet")
        assert set(own["sample"]) == {"cyd"} and own["example"].nunique() == 1
    assert not (runs / "motif/baseline/seed1/predict").exists()
    page = (tmp_path / "results/alleles/report/binding.html").read_text()
    assert "Haplotypes of samples" in page and 'id="chart-haplotypes"' in page
    for head in ("query", "known"):
        assert f"cnn ({head}): everyone</h3>" in page and f"cnn ({head}): cyd</h3>" in page
    assert all(f'data-find="person">{name}<' in page for name in PEOPLE)
