"""Whether sequences that are given with intervals are those of the genome there, and what explains those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs
from glmflow.genome.packed import Packed, blocks, fetch, pack
from glmflow.genome.reference import Reference
from glmflow.labelled.audit_checks import Check
from glmflow.labelled.framing import UNLIKE

LOOKED_AT = 2000
"""Rows that are compared with the genome."""
DIFFERING = 0.05
"""Share of these above which sequences that differ are warned about; fewer may be variants or patches of an assembly."""
OTHERWISE = {
    "before": "begin a base before: intervals count from 1 (`one_based: true`)?",
    "after": "begin a base after: intervals count from 0 (`one_based: false`)?",
    "strand": "are those of the other strand: a strand that is not given?",
}
"""How intervals may be meant otherwise than they are read."""


class Differing(NamedTuple):
    """Sequences that are not those of the genome at their interval.

    Attributes
    ----------
    rows, of
        How many differ, and how many were looked at.
    little
        Those of `rows` of the length of their interval of whose bases no more than a twentieth differ.
    otherwise
        Those of `rows` that are in the genome if the interval is meant otherwise, by the keys of `OTHERWISE`.
    """

    rows: int
    of: int
    little: int
    otherwise: dict[str, int]


def genome_check(rows: pd.DataFrame, reference: Reference) -> Check:
    """Return whether sequences are those of a genome at their intervals; rows on contigs that it lacks are not looked at.

    Parameters
    ----------
    rows
        `sequence`, `chrom`, `start`, `end` (0-based half-open) and, where given, `strand`.
    reference
        The genome; its contigs may be called otherwise (chr1 or 1).
    """
    name = "sequences on the genome"
    rows = _on_contigs(rows, reference.contigs)
    if rows.empty:
        text = "no interval lies on a contig of the genome: another genome?"
        return Check(name, 0, 0, "WARN", text)
    chosen = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(LOOKED_AT, len(rows))).astype(int))]
    found = differing_from_genome(chosen, pack(chosen["sequence"]), reference)
    most = int(DIFFERING * found.of)
    text = f"{found.rows:,} of {found.of:,} sequences that were looked at differ from the genome at their interval"
    if found.rows:
        text += f"; {_explained(found)}"
    return Check(name, found.rows, found.of, "WARN" if found.rows > most else "PASS", text, most)


def differing_from_genome(rows: pd.DataFrame, packed: Packed, reference: Reference) -> Differing:
    """Return how many sequences (`packed`) differ from the genome at their intervals (`rows`).

    An N on either side is no difference; a base beyond the end of its contig is one.
    """
    share = _unlike(rows, packed, reference)
    off = np.flatnonzero(share > 0)
    rows, own = rows.iloc[off], packed.take(off)
    start = rows["start"].to_numpy(np.int64)
    turned = np.where(rows["strand"] == "-", "+", "-") if "strand" in rows else "-"
    meant = {
        "before": rows.assign(start=start - 1, end=start - 1 + own.lengths),
        "after": rows.assign(start=start + 1, end=start + 1 + own.lengths),
        "strand": rows.assign(strand=turned),
    }
    otherwise = {key: int((_unlike(there, own, reference) == 0).sum()) for key, there in meant.items()}
    return Differing(len(off), packed.count, int((share[off] <= UNLIKE).sum()), otherwise)


def _explained(found: Differing) -> str:
    """Return what is so of most of the sequences that differ, in words."""
    key = max(found.otherwise, key=lambda name: found.otherwise[name])
    if found.otherwise[key] > found.rows / 2:
        return f"{found.otherwise[key]:,} of them {OTHERWISE[key]}"
    if found.little > found.rows / 2:
        return f"{found.little:,} of them at up to {UNLIKE:.0%} of their bases: variants?"
    return "coordinates of another genome (hg19 or hg38?)"


def _on_contigs(rows: pd.DataFrame, contigs: Mapping[str, int]) -> pd.DataFrame:
    """Return the rows on contigs of a genome, by its names of them."""
    try:
        theirs = match_contigs(contigs, dict.fromkeys(rows["chrom"]), "intervals")
    except InputError:  # none in common
        return rows.iloc[:0]
    chrom = rows["chrom"].map({name: ours for ours, name in theirs.items()})
    return rows.assign(chrom=chrom)[chrom.notna()]


def _unlike(rows: pd.DataFrame, packed: Packed, reference: Reference) -> NDArray[np.float64]:
    """Return the share of the known bases of each sequence that differ from its interval, `[rows]`; 1 if it is not as long."""
    share = np.ones(len(rows))
    alike = np.flatnonzero((rows["end"] - rows["start"]).to_numpy(np.int64) == packed.lengths)
    own, rows = packed.take(alike), rows.iloc[alike]
    last = np.array([reference.contigs[name] for name in rows["chrom"]], np.int64)
    beyond = ((rows["start"] < 0) | (rows["end"] > last)).to_numpy(bool)
    for part in blocks(own.lengths, 1 << 24):
        there = fetch(reference, rows.iloc[part])
        for row in range(there.count):
            a, b = own.one(part.start + row), there.one(row)
            known = (a != ord("N")) & ((b != ord("N")) | beyond[part.start + row])
            share[alike[part.start + row]] = float((a != b)[known].mean()) if known.any() else 0.0
    return share
