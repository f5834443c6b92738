"""The audits of a study: of the files that it names, and of the examples that its tasks were given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glmflow import checks
from glmflow.config import Study, is_made
from glmflow.errors import InputError
from glmflow.files import read_table, write_table
from glmflow.modules import module, module_names

from .audit import PASS, Audit, FailOn, audit_table, exit_status, read_checks, worst
from .examples_audit import copied_rows

SNAKEFILE = Path(__file__).resolve().parents[4] / "Snakefile"


def file_audits(study: Study) -> list[Audit]:
    """Return the audits of the files that a study names: its table of samples, matrices and signals."""
    from .headers import columns_of, header_audit, structure_audit

    found: list[Audit] = []
    cohort = study.data.cohort
    if cohort and cohort.samples and not is_made(study, cohort.samples) and Path(cohort.samples).is_file():
        columns = columns_of(cohort.samples)
        found += [header_audit(columns, cohort.samples), structure_audit(columns, cohort.samples)]
    for label, task in study.tasks.items():
        if task.kind in module_names(checks):
            of_files = getattr(module(checks.__name__, task.kind), "of_files", None)
            found += (
                [audit._replace(where=audit.where or label) for audit in of_files(study, label)] if of_files else []
            )
    return found


def every_audit(study: Study) -> tuple[list[Audit], list[str]]:
    """Return all audits of a study, each once, and the tasks whose examples are not made."""
    made, missing = made_audits(study)
    known = {(audit.name, audit.where) for audit in made}
    return [*made, *(audit for audit in file_audits(study) if (audit.name, audit.where) not in known)], missing


def made_audits(study: Study) -> tuple[list[Audit], list[str]]:
    """Return the audits of the examples that are made, and the tasks whose are not."""
    found, missing = [], []
    for label in study.tasks:
        path = Path(study.results) / "examples" / f"{label}.leakage.tsv"
        if path.is_file():
            found += read_checks(read_table(path), label)
        else:
            missing.append(label)
    return found, missing


def report_audits(audits: Sequence[Audit], fail_on: FailOn) -> int:
    """Print every audit that does not pass, and how many do; return the exit status."""
    for audit in audit_table(audits).itertuples(index=False):
        if audit.status != PASS:
            print(Audit(*audit))
    print(f"{worst(audits)} over {len(audits)} audits, {sum(audit.status == PASS for audit in audits)} of which pass")
    return exit_status(audits, fail_on)


def make_examples(study: Study, source: Path, cores: int) -> None:
    """Make the examples of a study, and what they are made from, by its workflow.

    Raises
    ------
    InputError
        There is no workflow, or it fails.
    """
    if not SNAKEFILE.is_file():
        what = "the workflow is not there: the package is installed without its repository"
        raise InputError(what, where=SNAKEFILE, fix="Run this in a clone of the repository.")
    targets = [f"{study.results}/examples/{label}.leakage.tsv" for label in study.tasks]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(SNAKEFILE),
        "--cores",
        str(cores),
        "--quiet",
        "all",
    ]
    command += ["--configfile", str(source), "--config", "fail_on=never", "--", *targets]
    if subprocess.run(command, check=False).returncode:
        raise InputError("its examples cannot be made", where=source, fix="See the messages above, and glmflow check.")


def write_clean(study: Study, folder: Path) -> dict[str, tuple[int, int]]:
    """Write the examples of each task without held-out ones that are copies of training; return left out and kept rows."""
    counts = {}
    for label in study.tasks:
        path = Path(study.results) / "examples" / f"{label}.parquet"
        table = pd.read_parquet(path)
        leaking = copied_rows(table, read_table(path.with_suffix(".copies.tsv")), study.tasks[label].compared_bp)
        write_table(table[~leaking].reset_index(drop=True), folder / path.name)
        counts[label] = int(leaking.sum()), int((~leaking).sum())
    return counts
