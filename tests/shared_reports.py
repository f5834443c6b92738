"""Reports of made-up studies that tests of their text and of their pages in a browser share: drawn once in a test run."""

import fcntl
import importlib.util
import os
from pathlib import Path

MIXED = {
    "rnaseq_tracks": "tracks.html", "expression": "personal.html", "permuted": "personal.permuted.html",
    "far": "context.html", "near": "context.near.html", "promoters": "sequences.html", "splice": "sequences.splice.html",
}  # fmt: skip
"""Pages of the study that mixes kinds of task."""
DRAWN = {"rnaseq_tracks": "tracks.html", "generated": "generation.html", "genes": "gene_completion.html"}
"""Pages of the study of generated sequences and completed genes."""


def synthetic(name):
    """Return a module of made-up studies of the report's unit tests."""
    place = Path(__file__).with_name("unit") / f"report/{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_shared", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mixed_report(folder):
    """Write the results of a study that mixes kinds of task below a folder, and its report into them; return the results."""
    from glmflow.report import ReportInputs, write_report

    kinds = synthetic("synthetic_kinds")
    runs = kinds.synthetic_study.RUNS[-3:]
    results = kinds.make_mixed_study(folder, runs=runs, seeds=(1,), genes_per_contig=6)
    write_report(ReportInputs.from_results(results, pages=MIXED), results / "report")
    return results


def drawn_report(folder):
    """Write the results of a study of generated sequences below a folder, and its report into them; return the results."""
    from glmflow.report import ReportInputs, write_report

    results = synthetic("synthetic_generation").make_generated_study(folder)
    write_report(ReportInputs.from_results(results, pages=DRAWN), results / "report")
    return results


def made_once(factory, name, make):
    """Return what `make` returns for a folder, called by the first process of the test run that asks for that name.

    The folder is to be read only: the processes of pytest-xdist share it.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, note = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            folder.mkdir()
            note.write_text(str(make(folder)))
    return Path(note.read_text())


def report_of(results, study, runs, title, counts, leakage):
    """Write the report of a study that a test ran in one process, from its folder of results into it."""
    from glmflow.config.settings import pages
    from glmflow.models.facts import catalogue
    from glmflow.provenance import write_provenance
    from glmflow.report import ReportInputs, RunFolder, write_report

    write_provenance(study, [], "snakemake", results / "provenance.json")
    inputs = ReportInputs.from_results(
        results,
        runs=tuple(RunFolder(*run, results / "runs" / run.label) for run in runs),
        title=title,
        pages=pages(study),
        genes_first=(),
        n_genes=5,
        tracks={},
        counts=counts,
        leakage=leakage,
        comparisons={},
        families=catalogue(),
    )
    write_report(inputs, results / "report")
