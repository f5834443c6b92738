"""The examples of a task on labelled sequences: read, split, audited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.config.benchmark_sets import benchmark_set, published_numbers, read_settings
from glmflow.config.tasks.sequences import Sequences
from glmflow.errors import InputError
from glmflow.genome.packed import Packed, fetch, pack, to_strings
from glmflow.genome.reference import Reference
from glmflow.labelled.classes import Labels, classes_table
from glmflow.labelled.contact_maps import ContactMaps
from glmflow.labelled.exchanged_columns import exchanged_columns
from glmflow.labelled.framing import (
    COMPARED,
    place_on_genome,
    require_same_genome,
    windows_around,
)
from glmflow.labelled.further_targets import further_checks
from glmflow.labelled.genome_check import genome_check
from glmflow.labelled.given_splits import require_rows
from glmflow.labelled.holdout import needs_near_copies, split_rows
from glmflow.labelled.named_labels import named_label_check
from glmflow.labelled.near_pairs import near_pairs, suited_k
from glmflow.labelled.region_gene_pairs import BETWEEN, pair_sequences
from glmflow.labelled.sources import LabelFile, Labelled, read_source
from glmflow.tasks.audited import audited
from glmflow.tasks.tables import FAIL, PASS, WARN, Checks, Division, Made, counts_table, examples_table

UNKEPT = ("lower", "ambiguous", "fold", "target", "named")
"""Columns of the rows that no table of examples has."""


def examples(task: Sequences, files: Mapping[str, Any], division: Division) -> Made:
    """Return one example a row: its class, labels or values, split, group of near copies and leak-free subsets.

    Classes are in `target`, labels (0 or 1) and values in `target_{name}`. Beside them: `classes.tsv` (what is predicted, in
    its order, and rows in each split), `audit.tsv`, `audit_pairs.tsv`, `audit_facts.tsv`,
    `properties.tsv` (what length, composition ... alone reach), `sources.tsv` (what was taken for what) and `published.tsv`.

    Raises
    ------
    InputError
        A file, column, label, letter or interval is wrong; a split or class has nothing to train on.
    """
    data = read(task)
    if data.labels.kind != task.predicts:
        what = f"the labels are {data.labels.kind} ({data.labels.why}), and the task predicts {task.predicts}"
        raise InputError(what, where="sequences", fix=f"Say labels: {data.labels.kind}, or name other columns.")
    named = named_label_check(data)
    reference = Reference(files["genome"]) if files.get("genome") else None
    if data.recorded is not None and reference is not None:
        require_same_genome(data.recorded, reference, str(task.label_file))
    rows, packed, counts = with_sequences(data.rows, reference, task)
    truth, strata, names = truth_of(rows, data.labels, task.scale)
    if task.margin and "chrom" not in rows:
        raise InputError("margin: is of intervals, and the rows have none", where="margin", fix="Leave it out.")
    settings = task.splits.model_dump(exclude_none=True)
    near = None
    if packed is not None and needs_near_copies(rows, settings):
        near = near_pairs(packed, task.similarity.k or suited_k(packed.lengths), task.similarity.share)
    dealt = split_rows(rows, settings, strata, packed, near, reference and reference.contigs)
    used = np.array([split is not None for split in dealt.split])
    counts["rows that are in no split"] = int((~used).sum())
    if not used.all():
        rows, truth = rows[used], truth[used].reset_index(drop=True)
        strata = None if strata is None else strata[used]
        packed = None if packed is None else packed.take(np.flatnonzero(used))
    rows = rows.reset_index(drop=True).assign(split=dealt.split[used])
    require_rows(rows["split"])
    if task.control == "permuted_labels":
        truth = permuted(truth, rows["split"], task.splits.seed)
        strata = None if strata is None else truth.iloc[:, 0].to_numpy()
        dealt.notes.append("control: labels of training and validation rows have changed places among themselves")
    labels = data.labels._replace(targets=truth)
    first = truth.iloc[:, 0].to_numpy()
    facts = {"classes.tsv": classes_table(labels, rows["split"]).drop(columns="index")}
    found = audited(rows, packed, first, names, task.similarity.k, task.similarity.share, strata, task.margin)
    if packed is not None and truth.shape[1] > 1:
        add_exchanged(
            found.checks, exchanged_columns(packed, truth.to_numpy(), rows["split"].to_numpy(object)), rows, labels
        )
    if truth.shape[1] > 1:
        for one in further_checks(rows, packed, truth, labels.classes, names):
            found.checks.add(one.check, one.rows, one.of, one.text, one.verdict == FAIL, one.verdict)
    if {"sequence", "chrom"} <= set(data.rows):
        add_lengths_of_intervals(found.checks, data.rows)
        if reference is not None:
            one = genome_check(data.rows, reference)
            found.checks.add(one.check, one.rows, one.of, one.text, False, one.verdict, one.threshold)
    if named is not None:
        found.checks.add(named.check, named.rows, named.of, named.text, named.verdict == FAIL, named.verdict)
    rows = found.rows
    length = packed.lengths if packed is not None else (rows["end"] - rows["start"]).to_numpy()
    counts["sequences longer than `length`, of which the middle is read"] = int((length > task.length).sum())
    counts |= found.counts
    first_of = f"the facts of the audit are of {labels.classes[0]}, the first of {len(labels.classes)}"
    told = [first_of] if truth.shape[1] > 1 else []
    taken = pd.DataFrame({"note": [*data.taken, f"labels: {labels.why}", *dealt.notes, *told]})
    facts |= {"sources.tsv": taken, "published.tsv": published(task)} | found.facts
    given = [name for name in rows if name in UNKEPT or name.startswith(("target_", "kin_", "batch_"))]
    kept = rows.drop(columns=given).join(targets_as_written(truth, labels))
    evidence = {"sequences": packed} if packed is not None else {}
    return Made(examples_table(kept), counts_table(counts), found.checks.table(), facts, evidence, found.copies)


def add_exchanged(checks: Checks, pairs: list[tuple[int, int]], rows: pd.DataFrame, labels: Labels) -> None:
    """Add whether columns of labels or values stand for one another in the test rows."""
    test = int((rows["split"] == "test").sum())
    names = ", ".join(f"{labels.classes[one]} of the test rows is {labels.classes[other]}" for one, other in pairs)
    text = f"by 4-mers of training rows, {names}: columns exchanged?" if pairs else "every column tells itself best"
    checks.add("exchanged columns", test if pairs else 0, test, text, bool(pairs), FAIL if pairs else PASS)


def add_lengths_of_intervals(checks: Checks, rows: pd.DataFrame) -> None:
    """Add whether intervals are as long as the sequences beside them: overlaps are looked for by the intervals."""
    unlike = (rows["end"] - rows["start"]).to_numpy() != rows["sequence"].str.len().to_numpy()
    found, of = int(unlike.sum()), len(rows)
    text = f"{of - found:,} of {of:,} intervals are as long as their sequence"
    if found:
        text += ": others are of other rows, or count from 1 (`one_based: true`), and overlaps may be missed"
    checks.add("lengths of intervals", found, of, text, False, WARN if found else PASS)


def truth_of(
    rows: pd.DataFrame, labels: Labels, scale: str
) -> tuple[pd.DataFrame, np.ndarray | None, list[str] | None]:
    """Return the targets as numbers, the class of each row (None: values), and the names of these classes.

    Of several labels the first one is that class, by which rows are dealt alike to all splits.
    """
    truth = rows[list(labels.targets)].reset_index(drop=True)
    if labels.kind == "values":
        values = truth.to_numpy(np.float64)
        for name, column in zip(labels.classes, values.T):
            if column.min() == column.max():
                what = f"all values of {name} are {column[0]:g}, so that there is nothing to learn"
                raise InputError(what, where="sequences.columns.label", fix="Name another column of values.")
        if scale == "log" and values.min() <= -1:
            what = f"a value of {values.min():g}, whose log2(1 + value) is not finite"
            raise InputError(what, where="sequences.scale", fix="Say scale: plain.")
        return (np.log2(1 + truth) if scale == "log" else truth), None, None
    names = labels.classes if labels.kind == "classes" else ["no", "yes"]
    return truth, truth.iloc[:, 0].to_numpy(np.int64), names


def permuted(truth: pd.DataFrame, split: pd.Series, seed: int) -> pd.DataFrame:
    """Return targets whose training and validation rows have changed places, each among themselves."""
    order = np.arange(len(truth))
    for number, name in enumerate(("train", "validation")):
        own = np.flatnonzero(split == name)
        order[own] = np.random.default_rng([seed, number]).permutation(own)
    return truth.iloc[order].reset_index(drop=True)


def targets_as_written(truth: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return the columns of an examples table: `target`, the name of the class; else `target_{name}`, numbers."""
    if labels.kind == "classes":
        return pd.DataFrame({"target": np.array(labels.classes, object)[truth["target"].to_numpy(np.int64)]})
    return truth.set_axis([f"target_{name}" for name in labels.classes], axis=1)


def read(task: Sequences) -> Labelled:
    """Return the rows of the files that the settings name."""
    source = {form: getattr(task, form) for form in ("table", "fasta", "bed", "folder")}
    data = read_source(source, **read_settings_of(task))
    if task.splits.by == "column" or (task.splits.by == "group" and task.splits.column):
        data.rows[task.splits.column] = data.rows["group"]
    return data


def read_settings_of(task: Sequences) -> dict[str, Any]:
    """Return how the files of a task are read, as keyword arguments of `read_source`: by its preset and its own keys."""
    known = read_settings(task.preset) if task.preset else {}
    columns = {**known.get("columns", {}), **task.columns.model_dump(exclude_none=True)}
    if task.chooses:  # the label says which of the outputs of the files
        columns.pop("label", None)
    if task.splits.column is not None and task.splits.by in ("column", "group"):
        columns["group"] = task.splits.column
    return {
        "columns": columns,
        "target": task.predicts,
        "classes": task.classes or known.get("classes"),
        "one_based": task.one_based or bool(known.get("one_based")),
        "only": {**known.get("only", {}), **task.only},
        "hdf5": label_file_of(task),
        "arrays": known.get("arrays", ()),
        "maps": contact_maps_of(task),
        "pairs": known.get("pairs"),
    }


def label_file_of(task: Sequences) -> LabelFile | None:
    """Return the file, or folder, of the labels; None where they stand in the table."""
    if task.label_file is None:
        return None
    known = benchmark_set(task.preset) if task.preset else {}
    binned = None if task.hdf5 else known.get("bin")
    tracks = task.chooses if binned else ()
    return LabelFile(Path(task.label_file), task.data_set, known.get("outputs"), binned, task.length, tracks)


def contact_maps_of(task: Sequences) -> ContactMaps | None:
    """Return what the contact maps of the preset are, and what is read of them; None where it has none."""
    known = benchmark_set(task.preset).get("maps") if task.preset else None
    return None if known is None else ContactMaps(**known, cell=task.chooses[0], length=task.length)


def with_sequences(
    rows: pd.DataFrame, reference: Reference | None, task: Sequences
) -> tuple[pd.DataFrame, Packed | None, dict[str, int]]:
    """Return the rows on the genome's contigs, their sequences (None: too many to be held), and counts."""
    counts: dict[str, int] = {}
    if set(BETWEEN) <= set(rows):
        return of_pairs(rows, reference, task)
    if "sequence" in rows:
        return rows, pack(rows["sequence"]), counts
    if reference is None and task.framed is not None:
        what = "windows around intervals, and no genome to read them from"
        raise InputError(what, where="reference.fasta", fix="Give the genome.")
    if reference is None:  # models are refused where they would read them
        counts["intervals that are compared by coordinates alone, as there is no genome"] = len(rows)
        return rows, None, counts
    rows = place_on_genome(rows, reference.contigs, "intervals")
    if task.framed is not None:
        rows, dropped = framed(rows, task, reference.contigs)
        counts |= dropped
    total = int((rows["end"] - rows["start"]).sum())
    if total > COMPARED:
        counts["bases of intervals, which are compared by coordinates alone"] = total
        return rows, None, counts
    return rows, fetch(reference, rows), counts


def of_pairs(
    rows: pd.DataFrame, reference: Reference | None, task: Sequences
) -> tuple[pd.DataFrame, Packed, dict[str, int]]:
    """Return pairs of a region and a gene with the sequences that are read of them, and counts."""
    if reference is None:
        what = "pairs of regions and genes, and no genome to read them from"
        raise InputError(what, where="reference.fasta", fix="Give the genome.")
    flank = benchmark_set(str(task.preset))["pairs"]["flank"]
    rows, packed, counts = pair_sequences(rows, reference, Path(str(task.masked)), task.length, flank)
    return rows.assign(sequence=pd.Series(to_strings(packed), dtype="str")), packed, counts


def framed(rows: pd.DataFrame, task: Sequences, contigs: Mapping[str, int]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return windows of `length` bases around intervals on the genome's contigs, and how many had no room on their contig.

    Raises
    ------
    InputError
        None of them has.
    """
    anchor, room = str(task.framed), task.room or task.length
    widest, gone = windows_around(rows.assign(place=np.arange(len(rows))), room, contigs, anchor)
    kept = rows.iloc[widest["place"]]
    if kept.empty:
        what = f"no interval has {room:,} bases around it on its contig"
        raise InputError(what, where="length", fix="Give shorter windows, or the genome of these coordinates.")
    windows, _ = windows_around(kept, task.length, contigs, anchor)
    return windows, {f"intervals without {room:,} bases around them on their contig, left out": gone["beyond_contig"]}


def published(task: Sequences) -> pd.DataFrame:
    """Return the published numbers of a preset: never merged with our own."""
    columns = ["model", "metric", "value", "protocol", "source"]
    return pd.DataFrame(published_numbers(task.preset) if task.preset else [], columns=columns)
