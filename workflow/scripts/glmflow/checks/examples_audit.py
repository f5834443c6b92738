"""The audits of a task's examples: what every kind is asked, and what its own module of this package asks beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmflow import checks, tasks
from glmflow.config.task_block import TaskBlock
from glmflow.errors import InputError
from glmflow.genome.contigs import alternate_contigs, say_alternates, some
from glmflow.genome.homology import PARTLY
from glmflow.genome.reference import Reference
from glmflow.genome.shares import came_out
from glmflow.modules import module, module_names
from glmflow.tasks.tables import CLEAN, Made, counts_table

from .audit import FAIL, PASS, Audit, FailOn, checks_table, exit_status, graded, read_checks
from .copied_windows import COLUMNS, SOURCE, copied_windows
from .copies import compare_splits

PLACE = ["chrom", "start", "end"]
COMPARED = "copies of training"
"""Audit that says why held-out examples are compared with nothing."""


def audited(
    made: Made, task: TaskBlock, files: Mapping[str, Any], data: Mapping[str, Any] | None = None, cores: int = 1
) -> tuple[Made, pd.DataFrame]:
    """Return examples with what audits found added to their checks, and the table of copies.

    Where held-out examples hold sequence of training, the examples get a column `no_near_copy`: True for those that do not.

    Parameters
    ----------
    files
        The files that the examples were made from.
    data
        What the audits of the kind read beside them (`glmflow.config.task_settings`).
    """
    table, checked = made.table, made.checks
    if made.copies is not None:
        clean, copies, found = None, made.copies, []
    else:
        clean, copies, found = _copies(task, files, table, cores)
    counts = made.counts
    if len(copies) and (data or {}).get("copies") == "leave_out":
        leaking = copied_rows(table, copies, task.compared_bp)
        table = require_held_out(table[~leaking].reset_index(drop=True), table)
        left_out = counts_table({"held-out examples left out as copies of training": int(leaking.sum())})
        counts = pd.concat([counts, left_out], ignore_index=True)
        found = [audit._replace(status=PASS, sentence=f"{audit.sentence}; they are left out") for audit in found]
        checked = without_copies(checked)
    elif clean is not None and len(copies):
        table = table.assign(**{CLEAN: clean})
    if task.genome and files.get("fasta"):
        found += _of_contigs(table, Reference(files["fasta"]).contigs)
    found += _of_shares(table, (data or {}).get("splits") or {})
    if task.kind in module_names(checks):
        audits = getattr(module(checks.__name__, task.kind), "audits", None)
        found += audits(task, files, made, data or {}) if audits else []
    rows = [part for part in (checked, checks_table(found)) if len(part)]
    return made._replace(
        table=table, counts=counts, checks=pd.concat(rows, ignore_index=True) if rows else checked
    ), copies


def _copies(
    task: TaskBlock, files: Mapping[str, Any], table: pd.DataFrame, cores: int
) -> tuple[np.ndarray | None, pd.DataFrame, list[Audit]]:
    """Return which examples are held out and clean (None: not known), what is copied, and the audits.

    What is compared is what the kind's module says (`compared` of it: windows, sequences, or in words why nothing is), else
    the windows of the examples, or their sequences.
    """
    of_kind = getattr(module(tasks.__name__, task.kind), "compared", None)
    rows = of_kind(task, files, table) if of_kind else table
    if isinstance(rows, str):
        return _nothing(rows)
    if "sequence" in rows and (of_kind or task.compared == "sequences"):
        return _of_sequences(table, rows, cores)
    fasta = files.get("fasta") or files.get("genome")
    if fasta and {*PLACE} <= set(rows) and (of_kind or task.compared == "windows"):
        return _of_windows(task, fasta, table, rows, cores)
    return _nothing()


def _nothing(why: str = "") -> tuple[None, pd.DataFrame, list[Audit]]:
    """Return what comes out where nothing is compared, with an audit that says why if there is a reason."""
    return None, pd.DataFrame(columns=[*COLUMNS, *SOURCE]), [graded(COMPARED, 0, why, warn=0)] if why else []


def without_copies(checks: pd.DataFrame) -> pd.DataFrame:
    """Return a kind's own checks when what is copied is left out: those of exact and near copies pass."""
    gone = checks["check"].str.match(r"(exact|near): ") & (checks["leak"] == "yes")
    said = checks["detail"].fillna("").astype(str) + "; they are left out"
    return checks.assign(
        detail=checks["detail"].where(~gone, said),
        leak=checks["leak"].where(~gone, "no"),
        status=checks["status"].where(~gone, PASS),
    )


def copied_rows(table: pd.DataFrame, copies: pd.DataFrame, length: int = 0) -> pd.Series:
    """Return which examples are held out and copies of training.

    Parameters
    ----------
    table
        Examples.
    copies
        `example`, or `split`, `chrom`, `start`, `end` of the windows that they are read in.
    length
        Bases that a model reads of a shorter example.
    """
    if len(copies) and "example" in copies:
        return table["example"].isin(copies["example"])
    if len(copies):
        keys = pd.MultiIndex.from_frame(_as_read(table[[*PLACE, "split"]], length))
        leaking = keys.isin(pd.MultiIndex.from_frame(copies[[*PLACE, "split"]]))
        return pd.Series(leaking, index=table.index)
    return pd.Series(False, index=table.index)


def require_held_out(table: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return the examples that are left; stop where a split has none of them any more."""
    for split in before["split"].dropna().unique():
        if not (table["split"] == split).any():
            what = f"every {split} example holds copies of training, so that none is left"
            raise InputError(what, where="copies: leave_out", fix="Hold out other contigs, or say copies: keep.")
    return table


def require_audits(table: pd.DataFrame, fail_on: FailOn, label: str) -> list[Audit]:
    """Return the audits of a task's checks, all that does not pass; stop where one is as bad as `fail_on` or worse.

    Raises
    ------
    InputError
        With a line of each.
    """
    audits = [audit for audit in read_checks(table) if audit.status != PASS]
    if exit_status(audits, fail_on):
        bad = [audit for audit in audits if audit.status == FAIL or fail_on == "warning"]
        what = f"{len(bad)} audits do not pass: " + " | ".join(map(str, bad))
        fix = f"Correct the data (glmflow audit --clean leaves copies out), or give `fail_on` less than {fail_on}."
        raise InputError(what, where=f"tasks.{label}", fix=fix)
    return audits


def _of_windows(
    task: TaskBlock, fasta: str, table: pd.DataFrame, rows: pd.DataFrame, cores: int
) -> tuple[np.ndarray | None, pd.DataFrame, list[Audit]]:
    """Return which examples are held out and clean, what is copied, and the audits, of windows of a genome."""
    windows = rows.loc[rows["chrom"].notna(), [*PLACE, "split"]]
    # A gene that some samples train on is trained on, whoever is tested on it.
    learned = windows.loc[windows["split"] == "train", PLACE].drop_duplicates()
    held_out = windows.drop_duplicates([*PLACE, "split"]).merge(learned.assign(split="train"), how="left", on=PLACE)
    held_out = held_out[held_out["split_y"].isna()].rename(columns={"split_x": "split"})[[*PLACE, "split"]]
    whole = _as_read(pd.concat([learned.assign(split="train"), held_out]).reset_index(drop=True), task.compared_bp)
    if learned.empty:
        return _nothing("no window is trained on: none can be a copy")
    if held_out.empty:
        return _nothing("every window that is scored is trained on, in other samples: none can be a copy")
    found = copied_windows(Reference(fasta).fetch, whole, cores=cores)
    clean = whole[found.copied < PARTLY]
    keys = pd.MultiIndex.from_frame(_as_read(table[[*PLACE, "split"]], task.compared_bp))
    return keys.isin(pd.MultiIndex.from_frame(clean[[*PLACE, "split"]])), found.table, found.audits


def _of_contigs(table: pd.DataFrame, contigs: Mapping[str, int]) -> list[Audit]:
    """Return whether examples lie on contigs that are copies of others, and how many such contigs are left out."""
    copies = alternate_contigs(contigs)
    if not copies or "chrom" not in table:
        return []
    here = sorted(set(copies) & set(table["chrom"].dropna()))
    text = say_alternates([name for name in copies if name not in here], "the genome")
    if here:
        text = (
            f"examples lie on {len(here)} contigs that are copies of others ({some(here)}): windows of both are alike"
        )
    return [graded("examples on copies of contigs", len(here), text, warn=0)]


def _of_shares(table: pd.DataFrame, splits: Mapping[str, Any]) -> list[Audit]:
    """Return the shares of windows that came out where what is alike was kept together."""
    if splits.get("by") != "homology" or "chrom" not in table:
        return []
    windows = table.drop_duplicates([*PLACE, "split"])
    asked = {name: splits[name] for name in ("validation", "test")}
    asked = {"train": 1 - sum(asked.values()), **asked}
    outcome = came_out(windows["split"].to_numpy(object), asked, windows["chrom"], "windows")
    text = outcome.text.partition(";")[0]
    return [graded("shares of splits by homology", outcome.missing, text, warn=0.25)]


def _as_read(windows: pd.DataFrame, length: int) -> pd.DataFrame:
    """Return windows as long as a model reads them: those of single alleles reach as far to both sides."""
    missing = np.maximum(length - (windows["end"] - windows["start"]), 0)
    start = (windows["start"] - missing // 2).clip(lower=0)
    return windows.assign(start=start, end=np.maximum(windows["end"] + missing - missing // 2, start))


def _of_sequences(table: pd.DataFrame, rows: pd.DataFrame, cores: int) -> tuple[np.ndarray, pd.DataFrame, list[Audit]]:
    """Return which examples are held out and clean, what they are like, and the audits, of sequences.

    Parameters
    ----------
    rows
        `example` (one of `table`, or a `group` of them), `split`, `sequence`; those of training need not be examples.
    """
    found = compare_splits(rows["sequence"].tolist(), rows["split"].to_numpy(str), rows["example"], cores=cores)
    names = np.append(rows["example"].to_numpy(object), "")
    leaking = found.table[~found.no_near_copy[found.table["row"]]]
    copies = leaking.assign(example=names[leaking["row"]], nearest_training=names[leaking["nearest_training"]])
    by = "example" if rows["example"].isin(table["example"]).any() else "group"
    clean = table[by].isin(rows["example"][found.no_near_copy]) & ~table[by].isin(copies["example"])
    if by == "group":
        copies = copies.rename(columns={"example": by}).merge(table[[by, "example"]], on=by).drop(columns=by)
    return clean.to_numpy(), copies.drop(columns="row"), found.audits
