"""Every shipped study plans its jobs; files it names are stood in for by empty ones of the right kind.

One study of each kind of task is planned by `make test`, the others by `make test-all`.
"""

import gzip
import json
import random
from pathlib import Path

import pandas as pd
import pyBigWig
import pysam
import pytest
import yaml
from glmflow.config import expand_runs, pages, read_study
from glmflow.tasks.sequences.labelled_table import read_settings_of
from running import ROOT

STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))
LENGTH = 20_000


def first_of_each_kind():
    """Return the studies, with those marked as slow whose kinds of task a shorter file has too."""
    seen, found = set(), []
    for path in sorted(STUDIES, key=lambda path: path.stat().st_size):
        kinds = {task["kind"] for task in yaml.safe_load(path.read_text())["tasks"].values()}
        found.append(pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if kinds <= seen else []))
        seen |= kinds
    return found


def stand_in(study, folder):
    """Write the smallest valid file wherever a study expects one."""
    splits = study.splits
    by_contig = splits is not None and splits.by == "contig"
    contigs = [*splits.train, *splits.validation, *splits.test] if by_contig else ["c"]
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
    for task in study.tasks.values():
        for (key, *_), name in task.named_files().items():
            if key == "table" and hasattr(task, "direction"):
                write_alleles(folder / name, task, contigs)
            elif key == "table" and task.kind == "sequences":
                write_sequences(folder / name, task)
            elif key == "table" and task.kind == "diagnosis":
                write_questions(folder / name, task)
            elif key == "fasta":
                write(folder / name, key, ["one", "two"])
            elif Path(name).suffix:
                write(folder / name, "table", contigs)
            else:
                (folder / name).mkdir(parents=True, exist_ok=True)
    for model in study.models.values():
        if model.checkpoint and "/" in model.checkpoint:
            (folder / model.checkpoint).mkdir(parents=True, exist_ok=True)


def write_alleles(path, task, contigs):
    """Write a table of one allele with the columns that tasks read of it: several tasks may read one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    open_text = gzip.open if path.suffix == ".gz" else open
    known = open_text(path, "rt").readline().split() if path.exists() else []
    names = dict.fromkeys([*known, "chrom", "pos", "ref", "alt", task.label, *task.columns.values(), *task.at_least])
    row = {"chrom": contigs[0], "pos": "1", "ref": "A", "alt": "C"}
    with open_text(path, "wt") as file:
        file.write("\t".join(names) + "\n" + "\t".join(row.get(name, "0") for name in names) + "\n")


def write_sequences(path, task):
    """Write a table of two labelled sequences a split with the columns that a task reads; no header where they are counted."""
    settings = read_settings_of(task)
    columns = {"sequence": "sequence", "label": "label", **settings["columns"]}
    roles = {name: role for role, given in columns.items() for name in (given if isinstance(given, list) else [given])}
    roles |= {name: "only" for name in settings["only"] if name not in roles}
    counted = [name for name in roles if isinstance(name, int)]
    names = range(1, max(counted) + 1) if counted else [*roles]
    draw = random.Random(0)
    classes = settings["classes"] or ["1", "2"]
    rows = [] if counted else [names]
    for number in range(6):
        values = {
            "sequence": "".join(draw.choices("ACGT", k=200)),
            "label": classes[number % 2],
            "split": ("train", "validation", "test")[number // 2],
            "example": f"e{number}",
            "chrom": "chr1",
            "start": str(1000 * number),
            "end": str(1000 * number + 200),
        }
        rows.append([settings["only"].get(name) or values.get(roles.get(name), str(number)) for name in names])
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def write_questions(path, task):
    """Write a table of two questions with the answers and the column of splits that a task names."""
    answers = [*(task.classes or ["one", "other"]), task.unchanged]
    rows = [
        {
            "question": f"Which? {number}",
            "answer": answer,
            "reference_sequence": (bases := "ACGTTGCA" * 40 + "ACGT"[number % 4]) + "A" + bases,
            "variant_sequence": bases + "C" + bases,
            **({task.splits.column: str(number)} if task.splits.by == "column" else {}),
        }
        for number, answer in enumerate(answers)
        if answer
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write(path: Path, kind, contigs):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fasta":
        text = "".join(f">{name}\n{'ACGT' * (LENGTH // 4)}\n" for name in contigs).encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
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


@pytest.mark.parametrize("path", first_of_each_kind())
def test_study_plans_every_run(snakemake, workdir, path):
    study = read_study(path)
    stand_in(study, workdir)
    done = snakemake("-n", "--quiet", "host", "--configfile", path, directory=workdir)
    text = done.stdout + done.stderr
    runs, _ = expand_runs(study)
    for run in runs:
        assert f"{run.folder(study.results)}/metrics.tsv" in text
    for page in pages(study).values():
        assert f"report/{page}" in text


def test_the_demo_plans_its_runs_and_one_key_can_be_changed_on_the_command_line(snakemake, workdir):
    for name in ("mine.vcf", "mine.fa"):
        (workdir / name).write_text("")
    simulated = "results/other/simulated/promoters.bed"
    asked = ["variant_scores={mine: {vcf: mine.vcf}}", "dependency_maps={all: {fasta: mine.fa}}"]
    asked.append(f"mutagenesis={{starts: {{bed: {simulated}, pictures: 0}}}}")
    done = snakemake("-n", "--quiet", "host", "--config", "study=other", *asked, directory=workdir)
    text = done.stdout + done.stderr
    assert "results/other/report/index.html" in text and "results/demo" not in text
    for job, given in (
        ("variant_scores/mine/masked/seed1.vcf.gz", "mine.vcf, results/other/reference/genome.fa"),
        ("mutagenesis/starts/masked/seed1", f"{simulated}, results/other/reference/genome.fa"),
        ("dependency_maps/all/masked/seed1", "mine.fa, results/other/models/masked/seed1"),
    ):
        (block,) = (text for text in text.split("\n\n") if f"output: results/other/{job}\n" in text)
        assert f"input: {given}" in block and "gpu=1" in block and f"log: logs/other/{job}.log" in block
