"""The examples of hotspots: counted, called, chosen, split and audited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.config.tasks.hotspots import Hotspots
from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs
from glmflow.genome.intervals import bed_lines
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.genome.splits import SPLITS, assign_splits, used_contigs
from glmflow.labelled.given_splits import require_rows
from glmflow.tasks.audited import audited
from glmflow.tasks.hotspots.excess import FEWEST, call_hotspots, choose_windows, dispersion, neighbour_counts
from glmflow.tasks.hotspots.mutation_rate import expected_counts
from glmflow.tasks.hotspots.variant_density import Counted, count_variants, window_table
from glmflow.tasks.tables import Division, Made, counts_table, examples_table

CLASSES = ["other", "hotspot"]


def examples(task: Hotspots, files: Mapping[str, Any], division: Division) -> Made:
    """Return the hotspots and as many other windows: the reference's bases are read, the counts are the label.

    Beside the standard columns: `target` (`hotspot` or `other`), `variants`, `neighbour_count`, `gc`, `cpg_oe`,
    `n_fraction`, `masked`. Facts: `classes.tsv`, `windows.tsv` (all windows with p and q), `dispersion.tsv` (how far counts
    are from chance, by contig), `masked.tsv` (share of N and of masked bases by class), and the audit.

    Raises
    ------
    InputError
        No variant counts, no window (or every one) is a hotspot, or a split is left without windows.
    """
    genome = Reference(files["fasta"])
    contigs = used_contigs(genome.contigs, division.contigs, division.alternates)
    vcfs = [Path(path) for path in np.atleast_1d(files["vcf"])]
    which = Counted(task.filters, task.snv_only, task.min_frequency)
    counted = count_variants(vcfs, contigs, task.windows.size, which)
    windows = window_table(
        genome, contigs, task.windows.size, counted.variants, counted.snv, task.windows.max_n_fraction
    )
    windows["masked"] = masked_share(windows, files.get("blacklist") or None, contigs)
    windows["used"] &= windows["masked"] <= task.windows.max_masked_fraction
    if task.expected == "trinucleotides":
        windows["expected"] = expected_counts(windows, counted.places, genome)
    windows = call_hotspots(windows, task.test, task.q, task.share, task.correct_over)
    windows["neighbour_count"] = neighbour_counts(windows)
    counts = {f"records: {name.replace('_', ' ')}": number for name, number in counted.counts.items()}
    counts |= {
        "windows": len(windows),
        "windows used": int(windows["used"].sum()),
        "windows that are hotspots": int(windows["hotspot"].sum()),
    }
    chosen, outside = chosen_windows(windows, task, division, contigs)
    counts |= outside
    rows = chosen.assign(
        example=[f"{row.chrom}:{row.start}-{row.end}" for row in chosen.itertuples()],
        strand="+",
        group=[f"{row.chrom}:{row.start // (task.windows.size * task.unit)}" for row in chosen.itertuples()],
    ).reset_index(drop=True)
    if task.control == "permuted_labels":
        rows["target"] = permuted(rows["target"].to_numpy(), rows["split"], task.seed)
    target = rows["target"].to_numpy(np.int64)
    found = audited(rows, fetch(genome, rows), target, CLASSES, strata=target)
    near, of = near_training(rows, task.near)
    found.checks.add(f"test windows within {task.near:,} bp of a training window", near, of, "counts are alike there")
    least = rows[rows["split"] == "test"]["target"].value_counts().min()
    if least < FEWEST:
        counts[f"test windows of the rarer class: fewer than {FEWEST}, so that no AUROC is given"] = int(least)
    kept = found.rows.assign(target=np.array(CLASSES, object)[target])
    columns = ["variants", "snv", "n_fraction", "gc", "cpg_oe", "masked", "used", "p", "q", "hotspot"]
    facts = {
        "classes.tsv": classes_table(kept),
        "windows.tsv": windows[["chrom", "start", "end", *columns, *windows.columns.intersection(["expected"])]],
        "dispersion.tsv": pd.DataFrame(dispersion(windows)),
        "masked.tsv": masked_by_class(windows),
        **found.facts,
    }
    kept = kept.drop(columns=["snv", "used", "p", "q", "hotspot"])
    counts = counts_table(counts | found.counts)
    return Made(examples_table(kept), counts, found.checks.table(), facts, copies=found.copies)


def chosen_windows(
    windows: pd.DataFrame, task: Hotspots, division: Division, contigs: Mapping[str, int]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the hotspots of each split with their negatives, `target` 1 and 0, and counts of windows in no split."""
    divided, outside = assign_splits(windows, division.splits or {}, contigs, division.size)
    require_rows(divided["split"], where="splits")
    parts = []
    for number, split in enumerate(("train", "validation", "test")):
        own = divided[divided["split"] == split].reset_index(drop=True)
        if not len(own):
            continue
        try:
            parts.append(choose_windows(own, task.seed + number, task.matched, task.negatives))
        except InputError as error:
            raise InputError(f"split {split}: {error.what}", where=error.where, fix=error.fix) from None
    return pd.concat(parts, ignore_index=True), outside


def masked_share(windows: pd.DataFrame, bed: str | None, contigs: Mapping[str, int]) -> NDArray[np.float64]:
    """Return the share of each window that the intervals of a BED file cover, `[windows]`; 0 without one."""
    found = np.zeros(len(windows))
    if bed is None:
        return found
    marked = {chrom: np.zeros(length + 1, np.int32) for chrom, length in contigs.items()}
    lines = list(bed_lines(Path(bed)))
    theirs = match_contigs(contigs, (line.chrom for line in lines), where=bed) if lines else {}
    ours = {name: chrom for chrom, name in theirs.items()}
    for line in lines:
        chrom = ours.get(line.chrom)
        if chrom is not None and line.start < contigs[chrom]:
            marked[chrom][line.start] += 1
            marked[chrom][min(line.end, contigs[chrom])] -= 1
    for chrom, own in windows.groupby("chrom", sort=False):
        covered = np.concatenate([[0], np.cumsum(np.cumsum(marked[chrom])[:-1] > 0)])
        inside = covered[own["end"].to_numpy()] - covered[own["start"].to_numpy()]
        found[windows.index.get_indexer(own.index)] = inside / (own["end"] - own["start"]).to_numpy()
    return found


def masked_by_class(windows: pd.DataFrame) -> pd.DataFrame:
    """Return `class`, `windows`, and means of the share of N and of masked bases."""
    kind = np.where(~windows["used"], "left out", np.where(windows["hotspot"], "hotspot", "other"))
    table = windows.groupby(kind)[["n_fraction", "masked"]].mean()
    table.insert(0, "windows", windows.groupby(kind).size())
    return table.rename_axis("class").reset_index()


def near_training(rows: pd.DataFrame, distance: int) -> tuple[int, int]:
    """Return how many test windows have a training window within some bases on their contig, and of how many."""
    near, of = 0, 0
    for _, own in rows.groupby("chrom", sort=False):
        known = np.sort(own.loc[own["split"] == "train", "start"].to_numpy())
        asked = own[own["split"] == "test"]
        of += len(asked)
        if len(known):
            size = (asked["end"] - asked["start"]).to_numpy()
            place = np.searchsorted(known, asked["start"].to_numpy())
            before = np.abs(asked["start"].to_numpy() - known[np.maximum(place - 1, 0)])
            behind = np.abs(asked["start"].to_numpy() - known[np.minimum(place, len(known) - 1)])
            near += int((np.minimum(before, behind) - size < distance).sum())
    return near, of


def permuted(target: NDArray, split: pd.Series, seed: int) -> NDArray:
    """Return targets whose training and validation rows have changed places, each among themselves."""
    found = target.copy()
    for number, name in enumerate(("train", "validation")):
        own = np.flatnonzero(split == name)
        found[own] = target[np.random.default_rng([seed, number]).permutation(own)]
    return found


def classes_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the classes in their order with the rows in each split."""
    table = pd.crosstab(rows["target"], rows["split"]).reindex(CLASSES, fill_value=0)
    table = table[[name for name in SPLITS if name in table]]
    return table.rename_axis("class").reset_index()
