"""In-silico mutation: the effect that a model predicts for each variant of the samples alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.reference import Reference

from .cohort_genes import CohortWindows, Gene

MIN_MAF = 0.01
"""Rarer variants are carried by too few samples for any of the methods that are compared."""
DELETION = "<DEL>"
VARIANT_COLUMNS = ("gene", "variant", "chrom", "pos", "ref", "alt", "maf", "dosage_sd", "carriers", "effect")
"""`pos` is 0-based, `variant` as `variant_names` has it; `carriers` are the samples with a copy of the alternative allele;
`effect` is what one copy adds."""


def variant_effects(
    gene: Gene, windows: CohortWindows, value: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
) -> pd.DataFrame:
    """Return the effect of each common variant in a gene's window, put alone into the reference (Zhou and Troyanskaya 2015).

    Parameters
    ----------
    gene
        With the samples whose variants they are.
    value
        Predictions `[S]` of samples that carry a sequence `[S, L]` twice.

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
    """Return what one copy of each variant (as `mutated` takes them) alone adds to a gene of the reference, `[V]`."""
    values = value(mutated(gene, genome, variants))
    return (values[1:] - values[0]) / 2


def variant_names(variants: pd.DataFrame) -> list[str]:
    """Return `chrom:pos:ref:alt` with the 1-based position of VCF, from `chrom`, `pos` (0-based), `end`, `ref`, `alt`.

    A deletion that is written as `<DEL>` has `pos-end` for its position: several may begin at one base.
    """
    columns = (variants[name] for name in ("chrom", "pos", "end", "ref", "alt"))
    return [
        f"{chrom}:{pos + 1}{f'-{end}' if alt == DELETION else ''}:{ref}:{alt}"
        for chrom, pos, end, ref, alt in zip(*columns)
    ]


def mutated(gene: Gene, genome: Reference, variants: pd.DataFrame) -> NDArray[np.uint8]:
    """Return the reference window of a gene, then the same with each variant in it: `[1 + V, L]`, read along the gene.

    As in the haplotype of a sample, what an insertion adds pushes the last bases out and what a deletion takes lets further
    ones in.

    Parameters
    ----------
    variants
        `pos` (0-based, in the window), `ref`, `alt` in A C G T N or `<DEL>`, and `end` (0-based half-open) of the latter.
    """
    length = gene.end - gene.start
    window = genome.fetch(gene.chrom, gene.start, gene.end)
    sequences = [window]
    for pos, end, ref, alt in zip(variants["pos"], variants["end"], variants["ref"], variants["alt"]):
        at = pos - gene.start
        if alt == DELETION:  # the base at its position stays
            before, stop = window[: at + 1], end
        else:
            before, stop = np.concatenate([window[:at], np.frombuffer(alt.encode(), np.uint8)])[:length], pos + len(ref)
        sequences.append(np.concatenate([before, genome.fetch(gene.chrom, stop, stop + length - len(before))]))
    if gene.strand == "-":
        sequences = [reverse_complement(sequence) for sequence in sequences]
    return np.stack(sequences)
