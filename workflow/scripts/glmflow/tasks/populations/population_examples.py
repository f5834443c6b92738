"""The examples of population classes: haplotypes of drawn samples in chosen windows, split, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks.populations import Populations
from glmflow.errors import InputError
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reference import Reference
from glmflow.genome.relatives import Kinship
from glmflow.genome.splits import SPLITS
from glmflow.genome.store import open_store
from glmflow.labelled.given_splits import require_rows
from glmflow.labelled.subsets import column_of, judged
from glmflow.tasks.populations.distinctness import (
    NEAR,
    haplotype_numbers,
    near_haplotypes,
    seen_haplotypes,
    window_alleles,
    window_report,
)
from glmflow.tasks.populations.population_samples import (
    densest_windows,
    draw_samples,
    haplotype_rows,
    read_samples,
    redraw,
    split_haplotypes,
)
from glmflow.tasks.populations.swapped_people import swapped_people
from glmflow.tasks.tables import CLEAN, WARN, Checks, Division, Made, counts_table, examples_table

MOST = 2_000_000_000
"""Bases of haplotypes beyond which the examples would not fit into memory."""


def examples(task: Populations, files: Mapping[str, Any], division: Division) -> Made:
    """Return both haplotypes of every drawn sample in every window: `sequence`, `target` (the population), `window`.

    `group` is the sample with its relatives; the subset `unseen_haplotype` holds the test haplotypes that no training or
    validation one is equal to. Facts: `classes.tsv`, `windows.tsv` (distinct and identical haplotypes of each window),
    `samples.tsv` (who was drawn).

    Raises
    ------
    InputError
        A column, class or window is not there, or a split is left without haplotypes.
    """
    genome = Reference(files["fasta"])
    store = open_store(files["store"])
    reader = GeneWindows(HaplotypeReader(store, genome, task.variants))
    table = read_samples(Path(files["samples"]), task.column)
    drawn = draw_samples(table, task.column, store.samples, task.classes, task.seed, task.most)
    names = drawn["sample"].tolist()
    windows = chosen_windows(task, files.get("regions") or None, reader, names)
    if (total := 2 * len(drawn) * len(windows) * task.windows.size) > MOST:
        what = f"{len(windows)} windows of {task.windows.size:,} bases in {len(drawn)} samples are {total:,} bases"
        raise InputError(
            what, where="windows", fix=f"Take fewer or shorter windows, or `most` samples: up to {MOST:,}."
        )
    rows = haplotype_rows(drawn, windows)
    shares = {"validation": task.splits.validation, "test": task.splits.test}
    split = split_haplotypes(rows, task.splits.by, shares, task.splits.seed)
    require_rows(pd.Series(split), where="splits")
    sequences, alleles = read_haplotypes(reader, windows, names, task.control == "reference")
    numbers = np.concatenate([haplotype_numbers(own) for own in alleles])
    unseen, seen = seen_by_window(rows, numbers, split)
    target = rows["target"].to_numpy(np.int64)
    subset = judged(unseen, target)
    scored = {} if subset.refused or unseen.sum() == (split == "test").sum() else {"unseen_haplotype": subset}
    near = near_of_windows(task, rows.assign(split=split), alleles)
    checks = checks_of(task, seen, near)
    if near is not None and len(near):
        rows[CLEAN] = (split != "train") & ~rows["example"].isin(near["example"])
    if task.splits.by == "samples" and task.control == "none":
        people = rows.assign(split=split).drop_duplicates("sample").set_index("sample").loc[names]
        dosages = [own.reshape(len(names), 2, -1).sum(axis=1, dtype=np.uint8) for own in alleles]
        label, part = (people[name].to_numpy(object) for name in ("label", "split"))
        told = swapped_people(dosages, label, part, sorted(set(label)))
        checks.add(told.check, told.rows, told.of, told.text, told.verdict == "FAIL", told.verdict)
    rows = rows.assign(split=split, sequence=sequences, strand="+", subset=column_of(scored, len(rows)))
    rows["target"] = rows.pop("label")
    rows = redraw(rows, task.splits.seed) if task.control == "permuted_labels" else rows
    classes = sorted(drawn["label"].unique())
    counts = {
        "samples of each class": len(drawn) // len(classes),
        "windows": len(windows),
        **{f"{name} haplotypes": int((split == name).sum()) for name in ("train", "validation", "test")},
        **{name.replace("_", " "): number for name, number in seen.items()},
        f"test haplotypes of the subset unseen_haplotype{f' (not scored: {subset.refused})' if subset.refused else ''}": int(
            unseen.sum()
        ),
    }
    report = window_report(rows, numbers, split)
    in_splits = pd.crosstab(rows["target"], rows["split"]).reindex(classes)
    in_splits = in_splits[[name for name in SPLITS if name in in_splits]].rename_axis("class").reset_index()
    facts = {"classes.tsv": in_splits, "windows.tsv": report, "samples.tsv": drawn}
    return Made(
        examples_table(rows),
        counts_table(counts),
        checks.table(),
        facts,
        related(task, rows, names, alleles),
        copies=near,
    )


def related(
    task: Populations, rows: pd.DataFrame, names: list[str], alleles: list[NDArray[np.uint8]]
) -> dict[str, Any]:
    """Return the kinship of samples by the variants of all windows, with their splits; nothing where these hold no samples out."""
    if task.splits.by != "samples" or task.control == "reference":
        return {}
    kinship = Kinship(len(names))
    for own in alleles:
        kinship.add(own.reshape(len(names), 2, -1).sum(axis=1))
    split = rows.drop_duplicates("sample").set_index("sample")["split"]
    return {
        **kinship.evidence(),
        "samples": names,
        "split": split.loc[names].to_numpy(object),
        "windows": len(alleles),
    }


def compared(task: Populations, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies where windows are held out: these. (Else haplotypes of one window are.)"""
    if task.control == "reference":
        return "everyone carries the reference sequence: all haplotypes of a window are equal"
    return table[["chrom", "start", "end", "split"]]


def chosen_windows(task: Populations, regions: str | None, reader: GeneWindows, samples: list[str]) -> pd.DataFrame:
    """Return `chrom`, `start`, `end` of the windows: those of a BED file, or the densest of each contig."""
    genome = reader.reader.reference
    if regions is None:
        return densest_windows(reader.reader.store, genome.contigs, task.windows.size, task.windows.densest, samples)
    found = read_intervals(Path(regions), genome.contigs)
    other = next((one for one in found if one[2] - one[1] != task.windows.size), None)
    if other is not None:
        what = f"{other[0]}:{other[1]}-{other[2]} has {other[2] - other[1]:,} bases, and windows.size is {task.windows.size:,}"
        raise InputError(what, where=regions, fix="Give windows of this size.")
    windows = pd.DataFrame([one[:3] for one in found], columns=["chrom", "start", "end"])
    return windows.drop_duplicates(ignore_index=True)


def read_haplotypes(
    reader: GeneWindows, windows: pd.DataFrame, samples: list[str], reference: bool
) -> tuple[NDArray[np.object_], list[NDArray[np.uint8]]]:
    """Return the sequence of each row of `haplotype_rows`, and the variants that these carry, by window (none of the reference)."""
    sequences, carried = [], []
    for row in windows.itertuples(index=False):
        read = reader.reference if reference else reader.haplotypes
        found = read(row.chrom, row.start, row.end, "+", samples)
        texts = np.array([codes.tobytes().decode("ascii") for codes in found.sequences], object)
        sequences.append(texts[found.of_person.ravel()])
        alleles = window_alleles(reader, row.chrom, row.start, row.end, samples)
        carried.append(alleles[:, :0] if reference else alleles)
    return np.concatenate(sequences), carried


def near_of_windows(task: Populations, rows: pd.DataFrame, alleles: list[NDArray[np.uint8]]) -> pd.DataFrame | None:
    """Return the test haplotypes that are next to equal to a known one of their window; None where windows are held out."""
    if task.splits.by == "loci" or task.control == "reference":
        return None
    windows = [own for _, own in rows.groupby("window", sort=True)]
    return pd.concat([near_haplotypes(*pair) for pair in zip(alleles, windows)], ignore_index=True)


def seen_by_window(
    rows: pd.DataFrame, numbers: NDArray[np.int64], split: NDArray
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Return the test haplotypes that are equal to no known one of their window, and the counts added up over windows."""
    unseen, total = np.zeros(len(rows), bool), {}
    for _, own in rows.groupby("window", sort=False):
        at = own.index.to_numpy()
        unseen[at], counts = seen_haplotypes(numbers[at], split[at], own["sample"].to_numpy(object))
        total = {name: total.get(name, 0) + number for name, number in counts.items()}
    return unseen, total


def checks_of(task: Populations, seen: Mapping[str, int], near: pd.DataFrame | None) -> Checks:
    """Return what the splits share: samples never, equal haplotypes by the nature of the task."""
    checks, of = Checks(), seen["test"]
    apart = seen["test_haplotypes_whose_person_is_in_training"]
    checks.add(
        "test haplotypes whose sample is in training", apart, of, leak=apart > 0 and task.splits.by != "loci",
        detail="by: loci holds out windows, not samples" if task.splits.by == "loci" else "",
    )  # fmt: skip
    detail = "the same loci are in all splits, which is the task's nature: a table of haplotypes could answer for them"
    checks.add(
        "test haplotypes that are equal to a training one",
        seen["test_haplotypes_identical_to_a_training_one"],
        of,
        detail,
        status=WARN if seen["test_haplotypes_identical_to_a_training_one"] else None,
    )
    if near is not None:
        detail = (
            f"they differ at one variant, or {NEAR:.0%} of those of the window, at most; scored without them as {CLEAN}"
        )
        status = WARN if len(near) else None
        checks.add("test haplotypes that are next to equal to a training one", len(near), of, detail, False, status)
    return checks
