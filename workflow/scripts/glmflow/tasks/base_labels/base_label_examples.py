"""The examples of labelled bases: windows of the reference with the class of each base or bin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks.base_labels import BaseLabels
from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.intervals import bed_lines
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.genome.splits import assign_splits, used_contigs
from glmflow.genome.windows import filter_windows
from glmflow.labelled.framing import COMPARED
from glmflow.labelled.given_splits import parts_as_splits, read_split_column, require_rows, split_name
from glmflow.labelled.label_arrays import read_label_array
from glmflow.tasks.audited import audited
from glmflow.tasks.base_labels.base_label_checks import label_checks
from glmflow.tasks.base_labels.base_segments import (
    UNSCORED,
    bin_labels,
    class_order,
    label_windows,
    tiled_windows,
)
from glmflow.tasks.tables import Division, Made, counts_table, examples_table
from glmflow.tasks.window_labels import LABELS, labels_table


def examples(task: BaseLabels, files: Mapping[str, Any], division: Division) -> Made:
    """Return windows of the reference; the classes of their bases are in `labels.parquet` beside.

    Facts: `classes.tsv` (bases or bins of each class in each split), `labels.parquet`, and the audit, whose target is the
    share of a window that is not background.

    Raises
    ------
    InputError
        A segment or label is wrong, a class has nothing to train on, or a split has no window.
    """
    genome = Reference(files["fasta"])
    contigs = used_contigs(genome.contigs, division.contigs)
    windows, labels, classes, counts = labelled_windows(task, genome, contigs)
    if "split" not in windows:
        windows["row"] = np.arange(len(windows))
        windows, outside = assign_splits(windows, division.splits or {}, contigs, division.size)
        labels, counts = labels[windows.pop("row").to_numpy()], counts | outside
    require_rows(windows["split"], where="splits")
    if task.windows.labelled_only:
        keep = (windows["split"] != "train").to_numpy() | foreground(task, labels, classes).any(axis=1)
        counts["training windows of background alone, left out"] = int((~keep).sum())
        windows, labels = windows[keep].reset_index(drop=True), labels[keep]
    if task.control == "permuted_labels":
        labels = permuted(labels, windows["split"])
    rows = windows.assign(
        example=[f"{row.chrom}:{row.start}-{row.end}" for row in windows.itertuples()],
        strand="+",
        group=[f"{row.chrom}:{row.start // (task.windows.size * task.unit)}" for row in windows.itertuples()],
    )
    table = classes_table(labels, rows["split"], classes)
    scored = np.maximum((labels >= 0).sum(axis=1), 1)
    share = foreground(task, labels, classes).sum(axis=1) / scored
    packed = fetch(genome, rows) if len(rows) * task.windows.size <= COMPARED else None
    found = audited(rows, packed, share, None)
    for one in label_checks(genome, rows, labels, classes):
        found.checks.add(one.check, one.rows, one.of, one.text, False, one.verdict)
    facts = {"classes.tsv": table, LABELS: labels_table(rows["example"], labels), **found.facts}
    counts = counts_table(counts | found.counts)
    return Made(examples_table(found.rows), counts, found.checks.table(), facts, copies=found.copies)


def foreground(task: BaseLabels, labels: NDArray[np.int8], classes: list[str]) -> NDArray[np.bool_]:
    """Return which labels are those of something: scored, and not of the background (the first class where none is called so)."""
    background = classes.index(task.background) if task.background in classes else 0
    return (labels != UNSCORED) & (labels != background)


def labelled_windows(
    task: BaseLabels, genome: Reference, contigs: Mapping[str, int]
) -> tuple[pd.DataFrame, NDArray[np.int8], list[str], dict[str, int]]:
    """Return windows (`chrom`, `start`, `end`, and `split` where files give it), labels of bins, classes and counts."""
    if task.regions is not None:
        assert task.classes is not None
        windows, labels = region_windows(task, contigs)
        return windows, labels, list(task.classes), {"windows": len(windows)}
    segments, left = read_segments(Path(str(task.segments)), contigs)
    if task.by_strand:
        segments["label"] = segments["label"].where(segments["strand"] != "-", segments["label"] + "-")
    classes = list(task.classes or class_order(segments, task.background))
    windows, counts = tiled_windows(contigs, task.windows.size, task.windows.overlap), {}
    windows, gone = filter_windows(windows, genome, task.windows.max_n_fraction)
    counts |= {"windows with too many N, left out": gone["n_rich"], "segments on other contigs, left out": left}
    labels, of = label_windows(segments, windows, classes, genome, task.edge)
    counts |= {f"bases: {name.replace('_', ' ')}": number for name, number in of.items()}
    return windows, bin_labels(labels, task.bin) if task.bin > 1 else labels, classes, counts


def read_segments(path: Path, contigs: Mapping[str, int]) -> tuple[pd.DataFrame, int]:
    """Return the segments of a BED file, `chrom`, `start`, `end`, `label`, `strand`, and how many lie on other contigs.

    Raises
    ------
    InputError
        A line has no name, or reaches beyond its contig.
    """
    lines = list(bed_lines(path))
    if not lines:
        raise InputError("no segment", where=path, fix="Give lines of chrom, start, end and class.")
    theirs = match_contigs(contigs, (line.chrom for line in lines), where=path)
    ours = {name: chrom for chrom, name in theirs.items()}
    rows = []
    for line in lines:
        chrom = ours.get(line.chrom)
        if chrom is None:
            continue
        if not line.rest or not line.rest[0]:
            raise InputError("no class in the fourth column", where=line.where, fix="Write chrom, start, end, class.")
        if line.end > contigs[chrom]:
            what = f"{line.chrom}:{line.start}-{line.end} reaches beyond the {contigs[chrom]:,} bases of {chrom}"
            raise InputError(what, where=line.where, fix="Give the genome that the segments were made on.")
        strand = line.rest[2] if len(line.rest) > 2 else "+"
        rows.append((chrom, line.start, line.end, line.rest[0], strand))
    if not rows:
        what = f"no segment lies on {some(contigs)}"
        raise InputError(what, where=path, fix="Give the genome that the segments were made on.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "label", "strand"]), len(lines) - len(rows)


def region_windows(task: BaseLabels, contigs: Mapping[str, int]) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Return windows of one length over regions, cut from the start of each, and the labels of their bins.

    What of a last window lies beyond its region is not scored.

    Raises
    ------
    InputError
        The labels are not those of these regions, or have numbers that no class has.
    """
    assert task.regions is not None and task.classes is not None
    bed, size, bins = Path(task.regions.bed), task.windows.size, task.windows.size // task.bin
    lines = list(bed_lines(bed))
    ours = {name: chrom for chrom, name in match_contigs(contigs, (one.chrom for one in lines), where=bed).items()}
    array = read_label_array(Path(task.regions.hdf5), len(lines), task.regions.data_set)
    if array.max(initial=0) >= len(task.classes):
        what = f"a label {int(array.max())}, and {len(task.classes)} classes are named"
        raise InputError(what, where=task.regions.hdf5, fix="Name the classes in the order of their numbers.")
    array = np.where(array < 0, UNSCORED, array).astype(np.int8)
    rows, labels = [], []
    for line, own in zip(lines, array):
        if line.chrom not in ours:
            continue
        known = own[: (line.end - line.start) // task.bin]
        for first in range(0, max(len(known), 1), bins):
            part = np.full(bins, UNSCORED, np.int8)
            held = known[first : first + bins]
            part[: len(held)] = held
            start = line.start + first * task.bin
            split = line.rest[0] if line.rest else None
            rows.append((ours[line.chrom], start, start + size, split))
            labels.append(part)
    windows = pd.DataFrame(rows, columns=["chrom", "start", "end", "split"])
    if task.regions.given_splits:
        if windows["split"].isna().any():
            raise InputError("no column `split`", where=bed, fix="Leave given_splits out, or give the column.")
        windows["split"] = given_split(windows["split"], task.regions.fold, str(bed))
        return windows, np.stack(labels)
    return windows.drop(columns="split"), np.stack(labels)


def given_split(column: pd.Series, fold: int | None, where: str) -> pd.Series:
    """Return the split of each window from the column `split`, which names splits, or parts of which `fold` makes them.

    Raises
    ------
    InputError
        A value is no split, or there is no such fold.
    """
    if fold is not None:
        return parts_as_splits(column, fold, where)
    if column.map(split_name).isna().all():
        what = f"its column `split` names parts ({some(sorted(column.unique()))}), and no splits"
        raise InputError(what, where=where, fix="Say regions: {fold: 1}, and make a task of each fold.")
    return read_split_column(column, "split", where)


def classes_table(labels: NDArray[np.int8], split: pd.Series, classes: list[str]) -> pd.DataFrame:
    """Return the classes in their order with the bases (bins) that each has in every split.

    Raises
    ------
    InputError
        A class has none to train on.
    """
    table = pd.DataFrame({"class": classes})
    for name in split.unique():
        own = labels[(split == name).to_numpy()]
        table[name] = np.bincount(own[own >= 0].ravel(), minlength=len(classes))
    absent = table.loc[table["train"] == 0, "class"].tolist()
    if absent:
        what = f"class {some(absent)} has no base to train on"
        raise InputError(what, where="train", fix="Split otherwise, or leave the class out of the segments.")
    return table


def permuted(labels: NDArray[np.int8], split: pd.Series, seed: int = 1) -> NDArray[np.int8]:
    """Return labels whose training and validation windows have changed places, each among themselves."""
    found = labels.copy()
    for number, name in enumerate(("train", "validation")):
        own = np.flatnonzero(split == name)
        found[own] = labels[np.random.default_rng([seed, number]).permutation(own)]
    return found
