"""Baselines of kind `variant_effects`: trivial scores of alleles, higher meaning more likely to matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.gene_starts import read_gene_starts
from glmflow.genome.reference import Reference
from glmflow.tasks.variant_effects import trivial_scores as trivial
from glmflow.tasks.variant_effects.effect_scoring import signed

from .fitting_data import Apply, Fit, FittingData


def of_alleles(value: Callable[[FittingData, pd.DataFrame], NDArray[np.float64]], has_sign: bool = False) -> Fit:
    """Return the fit of a baseline from a function of its data and the examples."""

    def fitted(data: FittingData) -> Apply:
        rows = data.examples.reset_index(drop=True)
        found = pd.DataFrame({
            "example": rows["example"],
            "prediction": np.asarray(value(data, rows), np.float64),
            "signed": has_sign,
        })  # fmt: skip
        return lambda folder: found

    return fitted


def windows_around(fasta: str | Path, rows: pd.DataFrame, flank: int) -> NDArray[np.uint8]:
    """Return the bases around the first reference base of each allele, `uint8[n, 2 flank + 1]`; N past the ends."""
    genome = Reference(fasta)
    pairs = zip(rows["chrom"].astype(str), rows["start"].astype(int))
    blank = np.full(2 * flank + 1, ord("N"), np.uint8)
    return np.array([
        genome.fetch(chrom, start - flank, start + flank + 1) if chrom in genome.contigs else blank
        for chrom, start in pairs
    ]).reshape(-1, 2 * flank + 1)  # fmt: skip


def only_single(rows: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values, NaN where more than one base changes."""
    single = (rows["ref"].astype(str).str.len() == 1) & (rows["alt"].astype(str).str.len() == 1)
    return np.where(single, values, np.nan)


def _context_rate(data: FittingData, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return log of the k-mer's rate with the allele less that without."""
    k = data.baseline.k
    genome = Reference(data.files["fasta"])
    counts = sum(trivial.context_counts(genome.fetch(name, 0, size), k) for name, size in genome.contigs.items())
    windows = windows_around(data.files["fasta"], rows, max(1, k // 2))
    return only_single(rows, trivial.context_llr(windows, rows["alt"], counts, k))


def _distance_to_start(data: FittingData, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return minus the distance to the nearest transcription start."""
    contigs = Reference(data.files["fasta"]).contigs
    return trivial.distance_to_start(rows, read_gene_starts(Path(data.files["genes"]), contigs))


def _cpg(data: FittingData, rows: pd.DataFrame) -> NDArray[np.float64]:
    windows = windows_around(data.files["fasta"], rows, 1)
    return only_single(rows, trivial.cpg_transition(windows, rows["alt"]))


def _small(data: FittingData, rows: pd.DataFrame) -> NDArray[np.float64]:
    return -pd.to_numeric(rows[data.baseline.column], errors="coerce").to_numpy(np.float64)


def _external(data: FittingData, rows: pd.DataFrame) -> NDArray[np.float64]:
    values = pd.to_numeric(rows[data.baseline.column], errors="coerce").to_numpy(np.float64)
    return signed(values, data.baseline.sign)


FITS = {
    "no_effect": of_alleles(lambda data, rows: trivial.constant(len(rows))),
    "allele_frequency": of_alleles(lambda data, rows: trivial.allele_frequency(rows["frequency"])),
    "consequence_rank": of_alleles(lambda data, rows: trivial.consequence_rank(rows["consequence"])),
    "consequence_frequency": of_alleles(lambda data, rows: trivial.consequence_frequency(rows)),
    "distance_to_start": of_alleles(_distance_to_start),
    "distance_to_centre": of_alleles(
        lambda data, rows: trivial.distance_to_centre(rows, Reference(data.files["fasta"]).contigs)
    ),
    "context_rate": of_alleles(_context_rate, has_sign=True),
    "transition_first": of_alleles(lambda data, rows: trivial.transition(rows["ref"], rows["alt"])),
    "transversion_first": of_alleles(lambda data, rows: 1 - trivial.transition(rows["ref"], rows["alt"])),
    "cpg_transition": of_alleles(_cpg),
    "gc_around": of_alleles(
        lambda data, rows: trivial.gc_content(windows_around(data.files["fasta"], rows, data.baseline.flank))
    ),
    "small_first": of_alleles(_small),
    "conservation": of_alleles(lambda data, rows: trivial.track_values(rows, Path(data.files["track"]))),
    "external_score": of_alleles(_external),
}
