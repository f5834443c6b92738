"""A study whose test contig holds training sequence: audited by `glmflow audit`, and stopped by `fail_on`."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.bigwig import write_bigwig
from glmflow.genome.canonical import opposite_strand

BASES = np.frombuffer(b"ACGT", np.uint8)
CONTIGS = {"chr2": 60_000, "chr5": 30_000}


@pytest.fixture
def study(tmp_path):
    """Windows of 4 kb; 9 kb of the training contig lie reverse-complemented on the test contig, 2 % changed."""
    rng = np.random.default_rng(11)
    contigs = {name: rng.choice(BASES, length) for name, length in CONTIGS.items()}
    copy = opposite_strand(contigs["chr2"][21_300:30_300]).copy()
    changed = rng.random(len(copy)) < 0.02
    copy[changed] = rng.choice(BASES, int(changed.sum()))
    contigs["chr5"][15_700:24_700] = copy
    (tmp_path / "genome.fa").write_text("".join(f">{n}\n{b.tobytes().decode()}\n" for n, b in contigs.items()))
    start = np.arange(0, 29_000, 50)
    runs = [(chrom, start, start + 50, rng.gamma(1, 3, len(start)).astype(np.float32)) for chrom in CONTIGS]
    write_bigwig(tmp_path / "liver.bw", CONTIGS, iter(runs))
    given = {
        "study": "planted",
        "reference": {"fasta": "genome.fa"},
        "tracks": {"liver": {"biosample": "liver", "replicates": ["liver.bw"]}},
        "splits": {"by": "contig", "train": ["chr2"], "test": ["chr5"]},
        "tasks": {"coverage": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 2048}, "bootstrap": 10}},
        "models": {"mean": {"baseline": {"kind": "mean_track"}}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["coverage"], "models": ["mean"], "adaptations": ["baseline"]}],
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(given))
    return tmp_path


@pytest.mark.slow
def test_the_copy_is_found_named_scored_without_and_stops_a_study_that_asks_for_it(study, snakemake):
    command = [sys.executable, "-m", "glmflow.cli", "audit", "study.yaml", "--clean", "clean", "--fail-on", "leak"]
    done = subprocess.run(command, cwd=study, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "FAIL" in done.stdout and "(chr2:" in done.stdout, done.stderr
    copies = pd.read_csv(study / "results/planted/examples/coverage.copies.tsv", sep="\t")
    assert set(copies["strand"]) == {"-"} and copies["start"].between(11_604, 24_700).all()
    every = pd.read_parquet(study / "results/planted/examples/coverage.parquet")
    clean = pd.read_parquet(study / "clean/coverage.parquet")
    assert (
        len(every) - len(clean) == len(copies)
        and (every["split"] == "train").sum() == (clean["split"] == "train").sum()
    )
    metrics = "results/planted/runs/coverage/mean/baseline/seed1/metrics.tsv"
    snakemake(metrics, "--cores", "2", "--configfile", "study.yaml", directory=study)
    assert set(pd.read_csv(study / metrics, sep="\t")["subset"]) == {"all", "no_near_copy"}
    examples = "results/planted/examples/coverage.parquet"
    options = (examples, "--force", "--cores", "2", "--configfile", "study.yaml", "--config", "fail_on=leak")
    stopped = snakemake(*options, directory=study, check=False)
    assert stopped.returncode and "1 audits do not pass" in stopped.stdout + stopped.stderr
