"""The examples of an expression task: one a region, with accessibility and expression of cells beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.binding_data import region_names
from glmflow.binding.key_splits import drawn
from glmflow.binding.keys import some_of
from glmflow.binding.motif_matrix import accessibility_of_counts
from glmflow.binding.promoter_expression import promoter_means, promoter_rows
from glmflow.binding.region_table import STRANDS
from glmflow.config.tasks.region_expression import RegionExpression
from glmflow.errors import InputError
from glmflow.files import read_named_rows, read_table
from glmflow.genome.annotation import GENE_COLUMNS
from glmflow.genome.loci import blocks_of_chance
from glmflow.genome.reference import Reference
from glmflow.genome.splits import SPLITS, assign_splits
from glmflow.tasks.tables import Checks, Division, Made, examples_table
from glmflow.tracks.reading import TrackReader, check_track_matches

from .region_matrix import read_counts
from .simulated_regions import simulate_expression

NEIGHBOURS = 100_000
"""Bases between a test region and a training region below which a promoter's surroundings are shared."""


class Measured(NamedTuple):
    """What was measured in regions.

    Attributes
    ----------
    counts
        Reads or mean signal, `[regions, cells]`.
    cells
        Names of the cells.
    expression
        log10(TPM + 1), `[regions, cells, 2]`.
    promoters
        `[regions, 2]`.
    splits
        Split of each region that a simulation brings.
    truth
        Expression without noise, of a simulation.
    notes
        What was counted.
    """

    counts: NDArray
    cells: list[str]
    expression: NDArray[np.float32]
    promoters: NDArray[np.bool_]
    splits: NDArray[np.object_] | None = None
    truth: NDArray[np.float32] | None = None
    notes: Mapping[str, int] = {}


def examples(task: RegionExpression, files: Mapping[str, Any], division: Division) -> Made:
    """Return one example a region, with its split and which strands genes start on.

    Raises
    ------
    InputError
        A file is damaged or of another genome, a cell has no expression, or nothing is left to learn from or to score.
    """
    regions = pd.read_parquet(f"{files['matrix']}/regions.parquet")
    data = simulated(task) if task.simulated else measured(task, files, regions)
    split, lost = data.splits, {}
    if split is None:
        split, lost = split_of_regions(task, regions, files)
    cells = split_cells(task, data.cells)
    open_ = np.stack([accessibility_of_counts(own) for own in data.counts.T], axis=1).astype(np.float32)
    closed = open_ < task.closed
    expression = np.where(closed[..., None], 0, data.expression)
    truth = None if data.truth is None else np.where(closed[..., None], 0, data.truth)
    used = np.flatnonzero((split != "") & (open_ > 0).any(axis=1))
    table = regions.iloc[used].assign(
        example=np.array(region_names(regions), object)[used],
        split=split[used],
        row=used,
        group=blocks_of_chance(regions, {} if data.splits is not None else task.splits.model_dump()).iloc[used],
        **{f"promoter_{strand}": data.promoters[used, side] for side, strand in enumerate(STRANDS)},
    )
    learned = (split[used] == "train")[:, None] & (cells["split"] == "train").to_numpy() & (open_[used] > 0)
    require_some(learned, split[used], cells, data.promoters[used])
    sums = pd.read_parquet(f"{files['matrix']}/sums.parquet")
    scale = sums.iloc[used[learned.any(axis=1)]].max(axis=0)
    tables = {
        "cells.tsv": cells.assign(regions=(open_[used] > 0).sum(axis=0)),
        "columns.tsv": pd.DataFrame({"cluster": sums.columns, "scale": scale.to_numpy(np.float64)}),
        "accessibility.parquet": pd.DataFrame(open_[used], columns=data.cells),
    }
    for name, values in (("expression", expression), ("truth", truth)):
        for side, strand in enumerate(STRANDS):
            if values is not None:
                own = values[used][:, :, side].astype(np.float32)
                tables[f"{name}_{strand}.parquet"] = pd.DataFrame(own, columns=data.cells)
    counted = read_table(f"{files['matrix']}/counts.tsv")
    counts = dict(zip(counted["item"], counted["count"].tolist())) | dict(data.notes) | lost
    counts["promoters (region and strand)"] = int(data.promoters[used].sum())
    counts |= {f"{name} regions": int((table["split"] == name).sum()) for name in SPLITS}
    counts |= {f"{name} cells": int((cells["split"] == name).sum()) for name in SPLITS}
    rows = [(item, value, "") for item, value in counts.items()]
    return Made(
        examples_table(table),
        pd.DataFrame(rows, columns=["item", "count", "detail"]),
        checks_of(table, cells, open_[used]).table(),
        tables,
    )


def compared(task: RegionExpression, files: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame | str:
    """Return what is compared for copies: the regions."""
    return (
        "simulated regions are motifs without a sequence: none can be a copy"
        if task.simulated
        else table[["chrom", "start", "end", "split"]]
    )


def simulated(task: RegionExpression) -> Measured:
    """Return what a simulation measures."""
    data = simulate_expression(**task.simulated.model_dump())
    splits = data.regions["split"].to_numpy(object)
    return Measured(data.counts, data.cells, data.expression, data.promoters, splits, data.truth)


def measured(task: RegionExpression, files: Mapping[str, Any], regions: pd.DataFrame) -> Measured:
    """Return what a user's files measure in regions."""
    contigs = Reference(files["genome"]).contigs
    counts, cells = counts_of(task, regions, contigs)
    genes = read_table(files["genes"])
    if genes.empty:
        raise InputError("no genes", where="reference.annotation", fix="Give a GTF with the genes of `expression`.")
    values, notes = expression_of(task.expression, genes[GENE_COLUMNS], cells)
    pairs = promoter_rows(regions, genes, task.promoter)
    known = np.isfinite(values).all(axis=1)
    pairs = tuple(side[known[pairs[1]]] for side in pairs)
    if not len(pairs[0]):
        raise InputError(
            "no gene of the table starts in a region", where=task.expression, fix="Give the genes' regions."
        )
    notes["genes that start in a region"] = len(np.unique(pairs[1]))
    means, promoters = promoter_means(pairs, genes["strand"].to_numpy(object), values, len(regions))
    return Measured(counts, cells, means, promoters, notes=notes)


def counts_of(task: RegionExpression, regions: pd.DataFrame, contigs: Mapping[str, int]) -> tuple[NDArray, list[str]]:
    """Return reads, or the mean signal, of each region in each cell, and the cells."""
    if task.counts:
        table = read_counts(task.counts)
        middle = (table["start"] + table["end"]) // 2 - task.width // 2
        cells = [str(name) for name in table.columns[3:]]
        own = (
            table.iloc[:, 3:].set_index(pd.MultiIndex.from_arrays([table["chrom"], middle])).groupby(level=[0, 1]).sum()
        )
        return own.loc[list(zip(regions["chrom"], regions["start"]))].to_numpy(np.float64), cells
    cells = sorted(task.accessibility)
    found = np.zeros((len(regions), len(cells)))
    for place, cell in enumerate(cells):
        for path in task.accessibility[cell]:
            check_track_matches(path, contigs)
        reader = TrackReader(task.accessibility[cell])
        for row, (chrom, start, end) in enumerate(zip(regions["chrom"], regions["start"], regions["end"])):
            found[row, place] = max(0.0, float(np.nan_to_num(reader.read(chrom, start, end)).mean()))
    return found, cells


def expression_of(path: str, genes: pd.DataFrame, cells: list[str]) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Return log10(TPM + 1) of genes in cells, `[genes, cells]`, NaN for genes that the table lacks.

    Genes are found by their id, with or without its version, or by their name; a name that two genes have is of none.
    """
    table = read_named_rows(path)
    names, values = table.iloc[:, 0].fillna(""), table.iloc[:, 1:]
    values.columns = values.columns.astype(str)
    lacking = [cell for cell in cells if cell not in values]
    if lacking:
        what = f"{len(lacking)} cells without expression: {some_of(lacking)}"
        raise InputError(what, where=path, fix=f"Columns are {some_of(list(values.columns))}.")
    wrong = [cell for cell in cells if not pd.api.types.is_numeric_dtype(values[cell])]
    if wrong or (values[cells].to_numpy() < 0).any() or values[cells].isna().to_numpy().any():
        what = f"column {some_of(wrong)} is no number" if wrong else "a value is missing or below 0"
        raise InputError(what, where=path, fix="Give TPM of every gene in every cell.")
    if names.duplicated().any():
        raise InputError(
            f"gene {names[names.duplicated()].iloc[0]} comes twice", where=path, fix="Give one line a gene."
        )
    place = {name: row for row, name in enumerate(names)}
    place = {name.split(".")[0]: row for name, row in place.items()} | place
    once = genes["gene_name"].fillna("").astype(str)
    once = once.where(~once.duplicated(keep=False), "")
    found = [
        next((place[name] for name in (str(gene), str(gene).split(".")[0], other) if name in place), -1)
        for gene, other in zip(genes["gene_id"], once)
    ]
    rows = np.array(found)
    if (rows < 0).all():
        raise InputError("none of its genes is in the annotation", where=path, fix="Name genes as the GTF does.")
    own = np.log10(values[cells].to_numpy(np.float64)[rows] + 1)
    own[rows < 0] = np.nan
    unused = len(names) - len(set(rows[rows >= 0].tolist()))
    return own, {"genes of the table": len(names), "genes of the table that the annotation lacks": unused}


def split_of_regions(
    task: RegionExpression, regions: pd.DataFrame, files: Mapping[str, Any]
) -> tuple[NDArray[np.object_], dict[str, int]]:
    """Return the split of each region, empty between splits, and how many are lost there."""
    contigs = Reference(files["genome"]).contigs
    rows = regions.assign(place=np.arange(len(regions)))
    assigned, lost = assign_splits(rows, task.splits.model_dump(), contigs, task.width)
    split = np.full(len(regions), "", object)
    split[assigned["place"].to_numpy()] = assigned["split"].to_numpy()
    return split, {f"regions left out: {name.replace('_', ' ')}": count for name, count in lost.items()}


def split_cells(task: RegionExpression, cells: list[str]) -> pd.DataFrame:
    """Return `cell`, `split`: cells of a group are held out together."""
    settings = task.cells
    group_of = {cell: name for name, own in settings.groups.items() for cell in own}
    absent = sorted(set(group_of) - set(cells))
    if absent:
        raise InputError(f"no cell {some_of(absent)}", where="cells.groups", fix=f"There are {some_of(cells)}.")
    groups = pd.Series([group_of.get(cell, cell) for cell in cells])
    generator = np.random.default_rng(settings.seed)
    split = np.full(len(cells), "train", object)
    for name in ("test", "validation"):
        wanted = getattr(settings, name)
        if not isinstance(wanted, int):
            wanted = sorted({group_of.get(cell, cell) for cell in wanted})
        held = drawn(groups[split == "train"], wanted, generator, name, set(groups))
        split[(split == "train") & groups.isin(held).to_numpy()] = name
    return pd.DataFrame({"cell": cells, "split": split})


def require_some(
    learned: NDArray[np.bool_], split: NDArray[np.object_], cells: pd.DataFrame, promoters: NDArray[np.bool_]
) -> None:
    """Stop where no promoter is left to learn from or to score."""
    if not (learned.any(axis=1) & promoters.any(axis=1)).any():
        raise InputError("no training promoter in a training cell", where="splits", fix="Hold out less.")
    if not promoters[split == "test"].any() and not (cells["split"] == "test").any():
        raise InputError("nothing is held out", where="splits", fix="Hold out cells, contigs or blocks.")


def checks_of(table: pd.DataFrame, cells: pd.DataFrame, open_: NDArray[np.float32]) -> Checks:
    """Return what test regions and cells share with training."""
    checks = Checks()
    test, near = 0, 0
    for _, own in table.groupby("chrom", sort=False):
        starts = own["start"].to_numpy()
        known, asked = np.sort(starts[own["split"] == "train"]), starts[own["split"] == "test"]
        test += len(asked)
        if len(known) and len(asked):
            place = np.searchsorted(known, asked)
            before, after = known[np.maximum(place - 1, 0)], known[np.minimum(place, len(known) - 1)]
            near += int((np.minimum(abs(asked - before), abs(after - asked)) < NEIGHBOURS).sum())
    text = f"test regions within {NEIGHBOURS // 1000} kb of a training region"
    checks.add(text, near, test, leak=False, status="WARN" if near else "PASS")
    own = cells["split"].to_numpy()
    alike = np.corrcoef(open_.T) if len(own) > 1 else np.eye(1)
    twins = int((alike[np.ix_(own == "test", own == "train")] > 0.98).any(axis=1).sum())
    checks.add(
        "test cells whose accessibility is a training cell's (correlation above .98)",
        twins, int((own == "test").sum()), "replicates of one cell belong into one group (cells.groups)",
    )  # fmt: skip
    return checks
