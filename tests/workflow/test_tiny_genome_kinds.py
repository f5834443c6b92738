"""Hotspots, populations and labelled bases from their files to their pages, as a user runs them."""

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from browsing import faults
from glmflow.config import expand_runs, read_study
from running import ROOT, run_snakemake

CONFIG = ROOT / "tests/workflow/tiny_genome_kinds.yaml"
CNN = "results/tiny_genome_kinds/runs/bases/cnn/full/seed1"
PAGES = {"density": "hotspots.html", "origin": "populations.html", "bases": "bases.html"}
pytestmark = pytest.mark.slow


def write_cohort(folder, genome, generator):
    """Write phased genotypes of twenty samples of two populations, and their table."""
    names = [f"s{i:02}" for i in range(20)]
    table = pd.DataFrame({"sample": names, "population": np.repeat(["north", "south"], 10)})
    table.to_csv(folder / "samples.tsv", sep="\t", index=False)
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name},length={len(text)}>" for name, text in genome.items())]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">')
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]))
    for name, text in genome.items():
        for window in range(len(text) // 100):
            for offset in sorted(generator.choice(100, 2 + 3 * (window % 5 == 0), replace=False)):
                at = window * 100 + int(offset)
                alt = "ACGT"[("ACGT".index(text[at]) + 1) % 4]
                calls = [f"{a}|{b}" for a, b in generator.integers(0, 2, (20, 2))]
                lines.append("\t".join([name, str(at + 1), ".", text[at], alt, ".", "PASS", ".", "GT", *calls]))
    (folder / "cohort.vcf").write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(folder / "cohort.vcf"), preset="vcf")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the study once."""
    folder = tmp_path_factory.mktemp("tiny_genome_kinds")
    generator = np.random.default_rng(0)
    genome = {
        name: "".join(generator.choice(list("ACGT"), size)) for name, size in (("a", 4000), ("b", 2000), ("c", 2500))
    }
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in genome.items()))
    segments = [
        f"{name}\t{at}\t{at + 30}\texon\n" for name, text in genome.items() for at in range(0, len(text) - 50, 200)
    ]
    (folder / "segments.bed").write_text("".join(segments))
    write_cohort(folder, genome, generator)
    run_snakemake("-c2", "--configfile", CONFIG, directory=folder)
    return folder / "results/tiny_genome_kinds"


def test_every_run_is_scored_and_compared(results):
    runs, misfits = expand_runs(read_study(CONFIG))
    assert len(runs) == 6 and not misfits
    for run in runs:
        metrics = pd.read_csv(results.parent.parent / run.folder("results/tiny_genome_kinds") / "metrics.tsv", sep="\t")
        rows = metrics[(metrics["split"] == "test") & (metrics["metric"] == "mcc") & (metrics["subset"] == "all")]
        assert len(rows) and rows["value"].between(-1, 1).all()
    for task in PAGES:
        assert len(pd.read_csv(results / f"comparisons/{task}.tsv", sep="\t"))


def test_every_kind_has_its_page_and_index_has_all_tasks(results):
    for task, page in PAGES.items():
        assert task in (results / "report" / page).read_text()
    index = (results / "report/index.html").read_text()
    assert all(page in index for page in PAGES.values()) and "Task by task" in index


def test_hotspots_without_enough_windows_have_no_curve(results):
    metrics = pd.read_csv(results / "runs/density/neighbours/baseline/seed1/metrics.tsv", sep="\t")
    assert "auroc" not in set(metrics["metric"]) and "mcc" in set(metrics["metric"])


def test_probabilities_of_every_base_lie_beside_the_predictions(results):
    table = np.load(results / "runs/bases/cnn/full/seed1/predicted/probabilities.npy")
    assert table.shape == (45, 100, 2) and table.astype(np.float32).sum(axis=2) == pytest.approx(1, abs=2e-3)
    run_snakemake(f"{CNN}/exon.bw", "-c1", "--configfile", CONFIG, directory=results.parent.parent)
    with pyBigWig.open(str(results.parent.parent / CNN / "exon.bw")) as track:
        assert track.values("c", 0, 100) == pytest.approx(
            table[20, :, 1].tolist()
        )  # the first window of the test contig


@pytest.mark.browser
def test_its_pages_are_for_everyone(results, chromium):
    assert faults(results / "report", chromium) == []
