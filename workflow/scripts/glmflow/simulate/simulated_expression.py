"""Expression of every gene in every sample, from the sequences of both haplotypes of its promoter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glmflow.config.simulation_settings import ExpressionSettings
from glmflow.simulate.motifs import Grammar, log_activity
from glmflow.simulate.phased_variants import Variants, distinct_columns, haplotype_sequences
from glmflow.simulate.promoters import Promoter
from glmflow.simulate.sequence import N, oriented

LEAST_VARIANCE = 1e-4  # of the genetic part: noise is never scaled to less, so a constant gene is all noise
LEAST_EFFECT = 1e-3  # variants of the truth table that change log activity by less are left out


@dataclass(frozen=True)
class Activities:
    """Log activities of promoters on one contig.

    Attributes
    ----------
    reference
        float64[genes, biosamples]: on the genome itself.
    haplotypes
        float64[genes, 2 x samples]: on each haplotype, in the first biosample.
    variants
        One row a variant that acts: gene_id, row (of the contig's variants), and by biosample the change of log
        activity that the alternate allele makes on the genome.
    """

    reference: np.ndarray
    haplotypes: np.ndarray
    variants: pd.DataFrame


def activities(
    sequence: np.ndarray,
    promoters: list[Promoter],
    variants: Variants,
    grammar: Grammar,
    biosamples: tuple[str, ...],
) -> Activities:
    """Compute the log activity of each promoter on the genome, on each haplotype and with each variant alone.

    A variant belongs to a promoter when its reference allele lies wholly inside.
    """
    types = {"gene_id": object, "row": int} | dict.fromkeys(biosamples, float)
    if not promoters:
        none = pd.DataFrame(columns=list(types)).astype(types)
        return Activities(np.zeros((0, len(biosamples))), np.zeros((0, variants.carried.shape[1])), none)
    sequences, counts, which, rows = [], [], [], []
    ends = variants.end
    for promoter in promoters:
        inside = np.arange(*np.searchsorted(variants.position, [promoter.start, promoter.end]))
        inside = inside[ends[inside] <= promoter.end]
        local = variants.take(inside)
        columns, assignment = distinct_columns(local.carried)
        alone = np.eye(len(inside), dtype=bool)
        carried = np.concatenate([np.zeros((len(inside), 1), bool), alone, columns], axis=1)
        haplotypes = haplotype_sequences(sequence, promoter.start, promoter.end, local, carried)
        sequences += [oriented(codes, promoter.strand) for codes in haplotypes]
        counts.append(carried.shape[1])
        which.append(assignment + 1 + len(inside))
        rows.append(inside)
    activity = log_activity(grammar, _stack(sequences))
    first = np.cumsum([0, *counts[:-1]])
    effects = [
        (promoter.gene_id, int(row), *(activity[start + 1 + i] - activity[start]))
        for promoter, start, inside in zip(promoters, first, rows, strict=True)
        for i, row in enumerate(inside)
    ]
    table = pd.DataFrame(effects, columns=list(types)).astype(types)
    strongest = table[list(biosamples)].abs().max(axis=1)
    return Activities(
        reference=activity[first],
        haplotypes=np.stack([activity[start + w, 0] for start, w in zip(first, which, strict=True)]),
        variants=table[strongest >= LEAST_EFFECT].reset_index(drop=True),
    )


def _stack(sequences: list[np.ndarray]) -> np.ndarray:
    """Stack sequences (uint8[S, L]) so that all end together, next to the transcription start; N before."""
    stacked = np.full((len(sequences), max(map(len, sequences))), N, np.uint8)
    for row, codes in zip(stacked, sequences, strict=True):
        row[len(row) - len(codes) :] = codes
    return stacked


def genetic_expression(haplotypes: np.ndarray) -> np.ndarray:
    """Return log of the mean activity of a sample's two haplotypes: float64[genes, samples] from [genes, 2 samples]."""
    return np.logaddexp(haplotypes[:, 0::2], haplotypes[:, 1::2]) - np.log(2)


def measured_expression(
    genetic: np.ndarray, settings: ExpressionSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Add to each gene the noise that leaves the genetic part the stated share of the variance.

    Returns
    -------
    expression, noise_variance
        float64[genes, samples] (natural log) and float64[genes]. Genes whose genetic variance is under 1e-4 get the
        noise of that variance, hence a lower heritability.
    """
    variance = np.maximum(genetic.var(axis=1), LEAST_VARIANCE)
    noise_variance = variance * (1 - settings.heritability) / settings.heritability
    noise = rng.normal(size=genetic.shape) * np.sqrt(noise_variance)[:, None]
    return genetic + noise, noise_variance


def achieved_heritability(genetic: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """Return the squared correlation of genetic and measured expression of each gene; 0 where nothing varies."""
    g = genetic - genetic.mean(axis=1, keepdims=True)
    y = expression - expression.mean(axis=1, keepdims=True)
    varies = np.ptp(genetic, axis=1) > 0
    scale = np.where(varies, (g**2).sum(1) * (y**2).sum(1), 1)
    return np.where(varies, (g * y).sum(1) ** 2 / scale, 0)
