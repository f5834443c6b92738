"""Every shipped study plans its jobs; files it names are stood in for by empty ones of the right kind."""

import gzip
from pathlib import Path

import pyBigWig
import pysam
import pytest
from glmflow.config import expand_runs, hackathon_of, read_study
from running import ROOT

STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))
LENGTH = 20_000


def stand_in(study, folder):
    """Write the smallest valid file wherever a study expects one."""
    contigs = (
        [*study.splits.train, *study.splits.validation, *study.splits.test] if study.splits.by == "contig" else ["c"]
    )
    overlay = study.simulate.overlay if study.simulate else None
    named = [block for block in (study.reference, study.cohort, overlay) if block]
    for block in named:
        for key, path in block:
            if key in ("fasta", "annotation", "blacklist", "vcf", "samples") and path:
                for file in path if key == "vcf" and isinstance(path, list) else [path]:
                    write(folder / file, key, contigs)
    for track in study.tracks.values():
        for path in track.replicates:
            write(folder / path, "track", contigs)
    if hackathon := hackathon_of(study):
        (folder / hackathon.folder / "fasta").mkdir(parents=True)
        (folder / hackathon.folder / "partitions.csv").write_text("sample,gene\n")
    for model in study.models.values():
        if model.checkpoint and "/" in model.checkpoint:
            (folder / model.checkpoint).mkdir(parents=True, exist_ok=True)


def write(path: Path, kind, contigs):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fasta":
        path.write_text("".join(f">{name}\n{'ACGT' * (LENGTH // 4)}\n" for name in contigs))
    elif kind == "track":
        with pyBigWig.open(str(path), "w") as file:
            file.addHeader([(name, LENGTH) for name in contigs])
            file.addEntries([contigs[0]], [0], ends=[10], values=[1.0])
    elif kind == "vcf":
        plain = path.with_name("cohort.vcf")
        header = "".join(f"##contig=<ID={name}>\n" for name in contigs)
        plain.write_text(
            f'##fileformat=VCFv4.2\n{header}##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
            f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n{contigs[0]}\t1\t.\tA\tC\t.\tPASS\t.\tGT\t0|1\n"
        )
        pysam.tabix_index(str(plain), preset="vcf", force=True)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(b""))
    else:
        path.write_text("")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_plans_every_run(snakemake, workdir, path):
    study = read_study(path)
    stand_in(study, workdir)
    done = snakemake("-n", "--quiet", "host", "--configfile", path, directory=workdir)
    text = done.stdout + done.stderr
    runs, _ = expand_runs(study)
    for run in runs:
        assert f"{run.folder(study.results)}/metrics.tsv" in text
    kinds = {task.kind for task in study.tasks.values()}
    pages = {"tracks": "rnaseq_tracks", "personal": "snp2gex", "context": "context_extension"}
    assert {page for page in pages if f"report/{page}.html" in text} == {p for p in pages if pages[p] in kinds}


def test_the_demo_plans_its_runs(snakemake, workdir):
    done = snakemake("-n", "--quiet", "host", directory=workdir)
    assert "results/demo/report/index.html" in done.stdout + done.stderr
