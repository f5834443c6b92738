"""The motif matrix of a task: regions, and the sums of motif clusters in them. It holds for all cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmflow.binding.keys import some_of
from glmflow.binding.motif_files import newest_versions, read_motifs
from glmflow.binding.motif_matrix import cluster_hits, cluster_sums, known_hits, region_hits
from glmflow.binding.promoter_expression import resized
from glmflow.config.tasks.region_expression import RegionExpression
from glmflow.errors import InputError
from glmflow.files import read_table, write_table
from glmflow.genome.intervals import read_intervals
from glmflow.genome.packed import Packed
from glmflow.genome.reference import Reference
from glmflow.text_files import as_table, text_lines

from .simulated_regions import simulate_expression


def motif_matrix(task: RegionExpression, files: Mapping[str, Any], folder: Path) -> None:
    """Write `regions.parquet` (`chrom`, `start`, `end`), `sums.parquet` (regions x clusters, nats) and `counts.tsv`.

    Raises
    ------
    InputError
        A file is damaged, a motif has no cluster, or no region is left.
    """
    counts: dict[str, int] = {}
    if task.simulated:
        data = simulate_expression(**task.simulated.model_dump())

        def read(rows: slice, reach: int) -> Packed:
            return data.sequences.part(rows.start, rows.stop)

        regions, clusters = data.regions[["chrom", "start", "end"]], sorted(set(data.clusters.values()))
        hits = region_hits(regions, read, data.motifs, data.clusters, task.p, reach=0)
    else:
        genome = Reference(files["genome"])
        regions, counts = resized(given_regions(task, genome.contigs), task.width, genome.contigs)
        if regions.empty:
            raise InputError("no region is left", where=task.regions or task.counts, fix="Give those of this genome.")
        if task.hits:
            hits = known_hits(task.hits, regions)
            clusters = sorted(set(hits["cluster"]))
        else:
            motifs = read_motifs(task.motifs)
            if task.clusters is None:
                motifs = newest_versions(motifs)
                named = {motif.name: motif.name for motif in motifs}
            else:  # which versions there are to be, the table says
                named = clusters_of(task.clusters)
            without = [motif.name for motif in motifs if motif.name not in named]
            if len(without) == len(motifs):
                raise InputError(
                    "no motif has a cluster", where=task.clusters, fix="Name motifs as the motif file does."
                )
            counts["motifs without a cluster, left out"] = len(without)
            hits = cluster_hits(genome, regions, motifs, named, task.p)
            clusters = sorted({named[motif.name] for motif in motifs if motif.name in named})
    columns = clusters if task.columns is None else listed(task.columns, clusters)
    sums = cluster_sums(regions, hits, columns)
    counts |= {"regions": len(regions), "motif clusters": len(columns), "hits": len(hits)}
    counts["motif clusters without a hit"] = int((sums == 0).all(axis=0).sum())
    write_table(regions, folder / "regions.parquet")
    write_table(pd.DataFrame(sums.astype(np.float32), columns=columns), folder / "sums.parquet")
    write_table(pd.DataFrame(counts.items(), columns=["item", "count"]), folder / "counts.tsv")


def given_regions(task: RegionExpression, contigs: Mapping[str, int]) -> pd.DataFrame:
    """Return the regions that the settings name, as they are."""
    if task.counts:
        return read_counts(task.counts)[["chrom", "start", "end"]]
    rows = read_intervals(Path(task.regions), contigs)
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name"])[["chrom", "start", "end"]]


def read_counts(path: str) -> pd.DataFrame:
    """Return a table of reads: `chrom`, `start`, `end`, and a column a cell."""
    with as_table(path):
        table = read_table(path)
    if list(table.columns[:3]) != ["chrom", "start", "end"] or table.shape[1] < 4:
        raise InputError("no table of counts", where=path, fix="Give chrom, start, end and one column per cell.")
    values = table.iloc[:, 1:]
    wrong = [name for name in values if not pd.api.types.is_numeric_dtype(values[name])]
    if wrong or values.isna().to_numpy().any() or (values.to_numpy() < 0).any():
        what = f"column {some_of(wrong)} is no number" if wrong else "a count is missing or below 0"
        raise InputError(what, where=path, fix="Give reads of every region in every cell.")
    return table


def clusters_of(path: str) -> dict[str, str]:
    """Return the cluster of each motif."""
    with as_table(path):
        table = read_table(path)
    if not {"motif", "cluster"} <= set(table):
        raise InputError("no columns motif and cluster", where=path, fix="Give both.")
    return dict(zip(table["motif"], table["cluster"]))


def listed(path: str, known: list[str]) -> list[str]:
    """Return the clusters of a file, a line each; those that nothing is known of are named and refused."""
    names = [line.strip() for _, line in text_lines(path)]
    absent = [name for name in names if name not in known]
    if absent or len(set(names)) < len(names):
        what = f"{len(absent)} clusters have no motif or hit: {some_of(absent)}" if absent else "a cluster comes twice"
        raise InputError(what, where=path, fix="Name the clusters as motifs and hits do.")
    return names
