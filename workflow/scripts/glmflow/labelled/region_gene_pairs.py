"""Pairs of a region and a gene, whose sequence is what lies from one to the other, other regions masked, the gene first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.bases import COMPLEMENT
from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs
from glmflow.genome.fasta import N
from glmflow.genome.packed import Collected, Packed
from glmflow.genome.reference import Reference
from glmflow.labelled.columns import require_columns
from glmflow.labelled.delimited import TableFile
from glmflow.labelled.framing import place_on_genome
from glmflow.labelled.rows import bed_rows

GENE = ("chrom", "start", "end", "strand")
"""What a table has to say of genes."""
BETWEEN = ["between_start", "between_end"]
"""Columns of the stretch between region and gene, in which other regions are masked; empty where they meet."""


def require_genes(table: TableFile, pairs: Mapping[str, Any]) -> None:
    """Stop if a table lacks a column of genes.

    Raises
    ------
    InputError
        It does.
    """
    require_columns([pairs[role] for role in GENE], table.header, table.path)


def with_genes(rows: pd.DataFrame, table: Path, pairs: Mapping[str, Any]) -> tuple[pd.DataFrame, str]:
    """Return the intervals from regions to their genes, and how many rows were left out for which reason.

    As `parse_EPI` of DNALongBench at 2c4060a lays them out: from the region with its flanks to the transcription start with
    its own; turned if the gene begins beyond the region's end, so that the gene comes first; cut at `longest` bases from
    there on, which leaves the region out of the few rows where both are farther apart. It tells on which side a gene lies by
    its lower coordinate, and so does this: a gene on the `-` strand around its region is not turned. Padding is left to models.

    Parameters
    ----------
    rows
        `chrom`, `start`, `end` of the regions, and `row`, the number of each in the table.
    table
        The table, which has the genes too.
    pairs
        `chrom`, `start`, `end`, `strand`: columns of the genes (0-based half-open); `flank`: bases on either side of a
        transcription start; `region_flank`: on either side of a region; `longest`: bases from one to the other, flanks
        not counted, beyond which a row is left out, and of the longest sequence.

    Returns
    -------
    rows : DataFrame
        `start`, `end` of the whole stretch (which may end beyond its contig), `strand` (`-`: turned), `between_start`,
        `between_end`.
    left_out : str

    Raises
    ------
    InputError
        The table lacks a column, a position is no whole number, or no row remains.
    """
    file = TableFile(table)
    require_genes(file, pairs)
    blocks = [block.to_pandas() for block in file.blocks([pairs[role] for role in GENE])]
    genes = pd.concat(blocks, ignore_index=True).iloc[rows["row"].to_numpy() - 1].reset_index(drop=True)
    genes = genes.set_axis(list(GENE), axis=1)
    rows = rows.reset_index(drop=True)
    elsewhere = (genes["chrom"] != rows["chrom"]).to_numpy()
    unknown = ~genes["strand"].isin(["+", "-"]).to_numpy() & ~elsewhere
    kept = np.flatnonzero(~elsewhere & ~unknown)
    rows, genes = rows.iloc[kept].reset_index(drop=True), genes.iloc[kept].reset_index(drop=True)
    first, last = (_positions(genes[name], rows["row"], str(pairs[name]), table) for name in ("start", "end"))
    begins = np.where(genes["strand"] == "+", first, last - 1)
    gene = begins - pairs["flank"], begins + 1 + pairs["flank"]
    region = rows["start"].to_numpy() - pairs["region_flank"], rows["end"].to_numpy() + pairs["region_flank"]
    between = np.minimum(gene[1], region[1]), np.maximum(gene[0], region[0])
    far = between[1] - between[0] > pairs["longest"]
    turned = first > region[1]
    start, end = np.minimum(gene[0], region[0]), np.maximum(gene[1], region[1])
    start = np.maximum(np.where(turned, np.maximum(start, end - pairs["longest"]), start), 0)
    end = np.where(turned, end, np.minimum(end, start + pairs["longest"]))
    found = rows.assign(start=start, end=end, strand=np.where(turned, "-", "+"))
    found = found.assign(between_start=between[0], between_end=np.maximum(between[0], between[1]))
    reasons = {
        "on two contigs": elsewhere.sum(),
        "of genes of unknown strand": unknown.sum(),
        f"more than {pairs['longest']:,} bases apart": far.sum(),
    }
    said = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
    said = f"{table}: {int((~far).sum()):,} pairs of region and gene" + (f"; left out: {said}" if said else "")
    if far.all():
        raise InputError(f"no pair that is read ({said})", where=table, fix="Give the published table.")
    return found[~far].reset_index(drop=True), said


def _positions(column: pd.Series, rows: pd.Series, name: str, table: Path) -> NDArray[np.int64]:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = (numbers.isna() | (numbers % 1 != 0)).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        what = f"{column.iloc[row]!r} is no whole number"
        raise InputError(what, where=f"{table}, row {rows.iloc[row]}, column {name}", fix="Give positions in bases.")
    return numbers.to_numpy(np.int64)


def pair_sequences(
    rows: pd.DataFrame, reference: Reference, masked: Path, length: int, flank: int
) -> tuple[pd.DataFrame, Packed, dict[str, int]]:
    """Return the rows on the genome's contigs, the sequences of their pairs, and counts; the gene comes first.

    Of a stretch longer than `length` both ends are read, half of the bases from each, and the middle is left out: what tells
    is at the ends. Regions of `masked` that reach into the stretch between region and gene are N as a whole, where the
    sequence holds them as a whole, as in the published set.

    Parameters
    ----------
    rows
        As `with_genes` returns them.
    masked
        BED of all regions, plain or compressed.
    flank
        Bases around a gene's start, which may lie beyond its contig.

    Raises
    ------
    InputError
        A pair lies beyond the genome, or no region of `masked` on its contigs.
    """
    inner = place_on_genome(
        rows.assign(end=np.maximum(rows["end"] - flank, rows["start"] + 1)), reference.contigs, "pairs"
    )
    ends = np.minimum(rows["end"].to_numpy(), inner["chrom"].map(reference.contigs).to_numpy(np.int64))
    rows = inner.assign(end=ends)
    known = bed_rows(masked)[0]
    theirs = match_contigs(dict.fromkeys(rows["chrom"]), dict.fromkeys(known["chrom"]), masked)
    regions = {
        ours: known.loc[known["chrom"] == name, ["start", "end"]].to_numpy(np.int64) for ours, name in theirs.items()
    }
    sequences, covered = Collected(), 0
    columns = [rows[name] for name in ("chrom", "start", "end", "strand", *BETWEEN)]
    for chrom, start, end, strand, low, high in zip(*columns):
        own = regions.get(chrom, np.zeros((0, 2), np.int64))
        own = own[(own[:, 0] < high) & (own[:, 1] > low) & (own[:, 0] > start) & (own[:, 1] < end) & (low < high)]
        covered += len(own)
        near, distant = (end - start, 0) if end - start <= length else (length - length // 2, length // 2)
        gene = (start, start + near) if strand == "+" else (end - near, end)
        region = (end - distant, end) if strand == "+" else (start, start + distant)
        parts = [_masked(reference, chrom, *ends, own) for ends in sorted((gene, region)) if ends[0] < ends[1]]
        codes = np.concatenate(parts)
        codes = COMPLEMENT[codes][::-1] if strand == "-" else codes
        sequences.add(Packed(codes, np.array([0, len(codes)])))
    counts = {
        "pairs farther apart than `length`, of which both ends are read": int(
            (rows["end"] - rows["start"] > length).sum()
        ),
        "other regions between the two of a pair, which are N": covered,
    }
    return rows.drop(columns=BETWEEN), sequences.whole(), counts


def _masked(reference: Reference, chrom: str, start: int, end: int, regions: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the bases of an interval, those of regions N."""
    codes = reference.fetch(chrom, start, end).copy()
    for first, last in regions - start:
        codes[max(0, first) : max(0, last)] = N
    return codes
