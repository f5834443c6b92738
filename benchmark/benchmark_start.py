"""What it takes until something runs: a dry run of a study of more than 1,000 jobs, and the imports of each script.

    python benchmark/benchmark_start.py [--rounds 5] [--kinds rnaseq_tracks sequences]

All figures are CPU seconds (user and system, children included), the median of some rounds: elapsed time says little on a
machine that does other work. A dry run is `snakemake -n --quiet`. Beside the study stand an empty Snakefile, which is the
start of Snakemake itself, and plain rules without configuration that make as many jobs of the same chain (finetune, predict,
score), which is what Snakemake takes for the jobs alone. Where the time of the dry run goes is measured in its own process,
with a clock around each part. The figure of a script holds Python, what Snakemake puts before each script, and the imports
of the script and of the kind of task that it is for.
"""

from __future__ import annotations

import argparse
import ast
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
SEEDS = 13
STUDY = f"""\
study: large
simulate:
  cohort:
    seed: 1
    contigs: {{chr1: 600000, chr2: 400000, chr3: 400000}}
    population: {{people: {{north: 30, south: 20}}}}
    tracks: {{replicates: 2}}
splits: {{by: contig, train: [chr1], validation: [chr2], test: [chr3]}}
tasks:
  rnaseq: {{kind: rnaseq_tracks, windows: {{size: 4096, overlap: 2048}}}}
  rnaseq_long: {{kind: rnaseq_tracks, windows: {{size: 8192, overlap: 4096}}}}
  expression: {{kind: snp2gex, windows: {{size: 2048}}}}
models:
  cnn: {{new: {{family: dilated_cnn}}}}
  causal: {{pretrain: {{family: small, config: {{causal: true}}}}}}
  masked: {{pretrain: {{family: small}}}}
  published: {{checkpoint: nucleotide-transformer-v2-50m}}
  mean_track: {{baseline: {{kind: mean_track}}}}
  gene_mean: {{baseline: {{kind: gene_mean}}}}
adaptations:
  full: {{kind: full}}
  lora: {{kind: lora}}
  probe: {{kind: probe}}
  baseline: {{kind: baseline}}
runs:
  - tasks: [rnaseq, rnaseq_long, expression]
    models: [causal, masked, published]
    adaptations: [full, lora, probe]
    seeds: {list(range(1, SEEDS + 1))}
  - {{tasks: [rnaseq, rnaseq_long], models: [cnn], adaptations: [full], seeds: [1, 2]}}
  - {{tasks: [rnaseq, rnaseq_long], models: [mean_track], adaptations: [baseline]}}
  - {{tasks: [expression], models: [gene_mean], adaptations: [baseline]}}
"""
PLAIN = f"""\
RUNS = [f"{{t}}/{{m}}/{{a}}/seed{{s}}" for t in "abc" for m in "abc" for a in "abc" for s in range(1, {SEEDS + 1})]
rule all:
    input: [f"runs/{{run}}/metrics.tsv" for run in RUNS]
rule finetune:
    input: "genome.fa"
    output: directory("runs/{{t}}/{{m}}/{{a}}/seed{{s}}/model")
    script: "script.py"
rule predict:
    input: "genome.fa", "runs/{{t}}/{{m}}/{{a}}/seed{{s}}/model"
    output: "runs/{{t}}/{{m}}/{{a}}/seed{{s}}/predictions.parquet"
    script: "script.py"
rule score:
    input: "genome.fa", "runs/{{t}}/{{m}}/{{a}}/seed{{s}}/predictions.parquet"
    output: "runs/{{t}}/{{m}}/{{a}}/seed{{s}}/metrics.tsv"
    script: "script.py"
"""
PARTS = [
    ("glmflow.config", "check_study", "configuration: read and checked"),
    ("glmflow.checks.study_files", "check_inputs", "files of the study checked"),
    ("glmflow.plan.jobs", "plan", "plan of all runs"),
    ("snakemake.workflow.Workflow", "include", "Snakefile and rules, with all of the above"),
    ("snakemake.rules.Rule", "expand_input", "input files of the jobs"),
    ("snakemake.rules.Rule", "expand_params", "parameters of the jobs"),
    ("snakemake.output_index.OutputIndex", "match_producers", "which rule makes a file"),
    ("snakemake.dag.DAG", "init", "DAG, with the three above"),
    ("snakemake.script", "get_source", "source of each script"),
]
"""Functions with a clock: where they are, and what they do."""
CLOCK = """\
import sys, time
from functools import update_wrapper
from importlib import import_module

spent = {}

def clocked(place, name, label):
    owner, _, kind = place.rpartition(".")
    holder = getattr(import_module(owner), kind) if kind[0].isupper() else import_module(place)
    function = getattr(holder, name)
    async def awaited(*arguments, **named):
        began = time.process_time()
        try:
            return await function(*arguments, **named)
        finally:
            spent[label] = spent.get(label, 0) + time.process_time() - began
    def called(*arguments, **named):
        began = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[label] = spent.get(label, 0) + time.process_time() - began
    is_async = function.__code__.co_flags & 0x80
    setattr(holder, name, update_wrapper(awaited if is_async else called, function))

from snakemake.cli import main
spent["imports of Snakemake"] = time.process_time()
for part in PARTS:
    if not part[0].startswith("glmflow"):
        clocked(*part)
began = time.process_time()
import glmflow.config, glmflow.checks.study_files, glmflow.plan.jobs
spent["imports of glmflow"] = time.process_time() - began
for part in PARTS:
    if part[0].startswith("glmflow"):
        clocked(*part)
try:
    main(sys.argv[1:])
finally:
    spent["all but the exit"] = time.process_time()
    for label, seconds in spent.items():
        print(f"PART\\t{label}\\t{seconds}", file=sys.__stderr__)
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is taken (default: 5)")
    parser.add_argument(
        "--kinds",
        nargs="+",
        default=["rnaseq_tracks", "sequences"],
        help="kinds whose scripts are started (default: two)",
    )
    arguments = parser.parse_args()
    rounds = arguments.rounds
    with tempfile.TemporaryDirectory() as name:
        dry_runs(Path(name), rounds)
    scripts(rounds, arguments.kinds)


def dry_runs(folder: Path, rounds: int) -> None:
    """Print what dry runs take, and what the one of the study takes it for."""
    (folder / "study.yaml").write_text(STUDY)
    (folder / "script.py").write_text("")
    (folder / "genome.fa").write_text("")
    (folder / "plain.smk").write_text(PLAIN)
    (folder / "empty.smk").write_text("rule all:\n    input: []\n")
    study = ["--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml", "-n"]
    listed = run([sys.executable, "-m", "snakemake", *study], folder)[1].stdout
    jobs = next(line.split()[1] for line in listed.splitlines() if line.startswith("total"))
    print("dry run\tCPU seconds")
    for label, arguments in {
        "empty Snakefile": ["--snakefile", "empty.smk", "-n", "--quiet"],
        f"plain rules, {27 * 3 * SEEDS + 1} jobs": ["--snakefile", "plain.smk", "-n", "--quiet"],
        f"study of {jobs} jobs": [*study, "--quiet"],
    }.items():
        command = [sys.executable, "-m", "snakemake", *arguments]
        print(f"{label}\t{statistics.median(run(command, folder)[0] for _ in range(rounds)):.2f}", flush=True)
    command = [sys.executable, "-c", CLOCK.replace("PARTS", repr(PARTS)), *study, "--quiet"]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for line in run(command, folder)[1].stderr.splitlines():
            if line.startswith("PART\t"):
                _, label, seconds = line.split("\t")
                found.setdefault(label, []).append(float(seconds))
    for label in ["imports of Snakemake", "imports of glmflow", *(part[2] for part in PARTS), "all but the exit"]:
        print(f"  {label}\t{statistics.median(found[label]):.2f}")


def scripts(rounds: int, kinds: list[str]) -> None:
    """Print what each script takes to start, and the heavy packages that it imports."""
    print("\nscript\tCPU seconds\timports")
    for label, code in starts(kinds):
        ending = (
            "\nimport sys\nprint(*sorted({'torch', 'transformers', 'pandas', 'scipy', 'sklearn'} & set(sys.modules)))"
        )
        took = [run([sys.executable, "-c", code + ending], SCRIPTS) for _ in range(rounds)]
        print(
            f"{label}\t{statistics.median(seconds for seconds, _ in took):.2f}\t{took[0][1].stdout.strip()}", flush=True
        )


def starts(kinds: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each script, for each of some kinds of task if it looks for the kind's own code, and what it imports."""
    for path in sorted(SCRIPTS.glob("*.py")):
        text = path.read_text()
        nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom))
        code = "import pickle\nfrom snakemake.logging import logger\nfrom snakemake.iocontainers import Snakemake\n"
        code += "\n".join(ast.unparse(node) for node in nodes if getattr(node, "module", "") != "__future__")
        for package in ("tasks", "baselines"):
            if f"module({package}.__name__" in text or f"glmflow.{package}." in text.replace("tasks.tables", ""):
                for kind in kinds:
                    if (SCRIPTS / f"glmflow/{package}/{kind}").is_dir() or (
                        SCRIPTS / f"glmflow/{package}/{kind}.py"
                    ).is_file():
                        yield f"{path.stem} ({kind})", f"{code}\nimport glmflow.{package}.{kind}"
                break
        else:
            yield path.stem, code


def run(command: list, folder: Path) -> tuple[float, subprocess.CompletedProcess]:
    """Return the CPU seconds of a command, and the finished process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


if __name__ == "__main__":
    main()
