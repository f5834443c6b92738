"""Scores of predicted tracks, split by split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.files import read_table
from glmflow.genome.loci import blocks
from glmflow.statistics.stored import digest
from glmflow.tasks.tables import CLEAN, Scored, clean_part, metrics_table, run_keys
from glmflow.tracks.reading import TrackReader

from .base_scores import Coverage, read_coverage, score_bases, scored_tiles
from .track_genes import gene_table, score_deviations, score_fold_changes, score_genes
from .track_units import comparable_bases, comparable_genes


def score(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    predictions: pd.DataFrame,
    predicted: Path,
    files: Mapping[str, Any],
) -> Scored:
    """Score the predicted tracks of a run on every held-out split, and on its windows that hold no copies.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples
        Examples table; splits other than `train` are scored.
    predicted
        Folder with `{track}.bw`.
    files
        `observed`: the averaged bigWigs in the order of the run's tracks; `genes`, `exons`: tables of the annotation (may
        be empty: then there are no gene-level scores).

    Returns
    -------
    Scored
        With the table `genes.tsv`: a row a gene and track with its observed and predicted mean coverage.
    """
    task, tracks = settings["task"], settings["tracks"]
    genes, exons = read_table(files["genes"]), read_table(files["exons"])
    truth = TrackReader(list(files["observed"]))
    guess = TrackReader([str(predicted / f"{name}.bw") for name in tracks])
    rows, tables, units = [], [], {}
    for split in ("validation", "test"):
        windows = examples[examples["split"] == split]
        if windows.empty:
            continue
        for subset, part in (("all", windows), (CLEAN, clean_part(windows, "example"))):
            if part is None:
                continue
            tiles = scored_tiles(part, task["windows"]["size"], task["trim"])
            block, coverage = blocks(tiles, genes=genes), read_coverage(tiles, truth, guess)
            found, scores = score_bases(coverage, list(tracks), task["bootstrap"], block)
            table = gene_table(genes, exons, tiles, truth, guess, tracks)
            names = digest(tiles["chrom"], tiles["start"], tiles["end"], block, _observed(coverage))
            units |= comparable_bases(scores, names, split, subset, task["windows"]["size"])
            units |= comparable_genes(table, tracks, split, subset, task["windows"]["size"])
            found += score_genes(table, task["bootstrap"])
            found += score_fold_changes(table, tracks, task["bootstrap"])
            found += score_deviations(table)
            rows += [{**row, "split": split, "subset": subset} for row in found]
            if subset == "all":
                tables.append(table.assign(split=split))
    metrics = metrics_table(rows, **run_keys(settings), context_bp=task["windows"]["size"])
    return Scored(metrics, {"genes.tsv": pd.concat(tables, ignore_index=True)}, units)


def _observed(coverage: Coverage) -> list[str]:
    """Return the true coverage of each tile and track, as far as it identifies the signal."""
    return [f"{value:.5g}" for tile in coverage.observed for value in tile.sum(axis=1, dtype=float)]
