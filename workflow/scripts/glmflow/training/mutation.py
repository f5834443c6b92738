"""In-silico mutation: what a model says that each variant people carry does alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.haplotypes import HaplotypeWindow, reverse_complement
from glmflow.genome.reference import Reference

from .personal_data import Gene, PersonalWindows

MIN_MAF = 0.01
"""Rarer variants are carried by too few people to be told apart by any of the methods compared."""
VARIANT_COLUMNS = ("gene", "variant", "chrom", "pos", "ref", "alt", "maf", "dosage_sd", "carriers", "effect")
"""`pos` is 0-based, `variant` is `chrom:pos:ref:alt` with the 1-based position of VCF; `carriers` are people with
a copy of the alternative allele, of everyone; `effect` is what one copy adds."""


def variant_effects(
    gene: Gene, windows: PersonalWindows, value: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
) -> pd.DataFrame:
    """Return the effect of each common variant in a gene's window, put alone into the reference (Zhou and Troyanskaya 2015).

    Parameters
    ----------
    gene
        With the people whose variants they are.
    value
        Predictions `[S]` of people who carry a sequence `[S, L]` twice.

    Returns
    -------
    DataFrame
        With the columns of `VARIANT_COLUMNS`.
    """
    found = windows.alleles(gene)
    frequency = found.carried.mean(axis=(0, 1))
    maf = np.minimum(frequency, 1 - frequency)
    keep = (maf > 0) & (maf >= MIN_MAF)
    dosages = found.dosages[:, keep]
    variants = found.variants[keep].assign(
        gene=gene.name,
        chrom=gene.chrom,
        maf=maf[keep],
        dosage_sd=dosages.std(axis=0),
        carriers=(dosages > 0).sum(axis=0),
    )
    if variants.empty:
        return pd.DataFrame(columns=list(VARIANT_COLUMNS))
    variants["variant"] = variant_names(variants)
    variants["effect"] = effects_of(gene, windows.windows.reader.reference, variants, value)
    return variants[list(VARIANT_COLUMNS)]


def effects_of(
    gene: Gene, genome: Reference, variants: pd.DataFrame, value: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return what one copy of each variant (`pos`, `ref`, `alt`) alone adds to a gene of the reference, `[V]`."""
    values = value(mutated(gene, genome, variants))
    return (values[1:] - values[0]) / 2


def variant_names(variants: pd.DataFrame) -> list[str]:
    """Return `chrom:pos:ref:alt` with the 1-based position of VCF, from `chrom`, `pos` (0-based), `ref`, `alt`."""
    columns = (variants[name] for name in ("chrom", "pos", "ref", "alt"))
    return [f"{chrom}:{pos + 1}:{ref}:{alt}" for chrom, pos, ref, alt in zip(*columns)]


def mutated(gene: Gene, genome: Reference, variants: pd.DataFrame) -> NDArray[np.uint8]:
    """Return the reference window of a gene, then the same with each variant in it: `[1 + V, L]`, read along the gene.

    As in a person's haplotype, what an insertion adds pushes the last bases out and what a deletion takes lets further
    ones in.
    """
    length = gene.end - gene.start
    spare = int(variants["ref"].str.len().max())
    around = genome.fetch(gene.chrom, gene.start, gene.end + spare)
    sequences = [around[:length]]
    for pos, ref, alt in zip(variants["pos"], variants["ref"], variants["alt"]):
        at = pos - gene.start
        changed = np.concatenate([around[:at], np.frombuffer(alt.encode(), np.uint8), around[at + len(ref) :]])
        sequences.append(changed[:length])
    if gene.strand == "-":
        none = np.zeros(length, np.int64)
        sequences = [reverse_complement(HaplotypeWindow(sequence, none)).sequence for sequence in sequences]
    return np.stack(sequences)
