"""Genes with the samples they were measured in, and the haplotypes and alleles of those samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.common import CommonVariants
from glmflow.genome.gene_windows import GeneAlleles, GeneHaplotypes, GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import open_store


class Gene(NamedTuple):
    """A gene and the samples it was measured in.

    Attributes
    ----------
    samples, example
        Names and example ids, `[P]`.
    split
        train, validation or test, `[P]`.
    target
        Expression, `[P]`.
    """

    name: str
    chrom: str
    start: int
    end: int
    strand: str
    samples: NDArray[np.object_]
    example: NDArray[np.object_]
    split: NDArray[np.object_]
    target: NDArray[np.float64]

    def keep(self, chosen: NDArray) -> Gene:
        """Return the gene with some of its samples (indices or a mask)."""
        samples, example, split, target = (
            value[chosen] for value in (self.samples, self.example, self.split, self.target)
        )
        return self._replace(samples=samples, example=example, split=split, target=target)


class GeneSamples(NamedTuple):
    """A gene, the samples that are predicted, and the haplotypes they have in its window."""

    gene: str
    samples: Sequence[str]
    haplotypes: GeneHaplotypes


def genes_of(examples: pd.DataFrame) -> Iterator[Gene]:
    """Yield the genes of an examples table, in the order of their first appearance."""
    for name, rows in examples.groupby("group", sort=False):
        first = rows.iloc[0]
        columns = (rows[column].to_numpy(object) for column in ("sample", "example", "split"))
        place = (str(first["chrom"]), int(first["start"]), int(first["end"]), str(first["strand"]))
        yield Gene(str(name), *place, *columns, rows["target"].to_numpy(np.float64))


class CohortWindows:
    """Haplotypes and alleles of genes, as a task asks for them.

    Parameters
    ----------
    windows
        Windows of the cohort.
    reference_only
        Give every sample the reference: the control in which samples do not differ.
    """

    def __init__(self, windows: GeneWindows, reference_only: bool = False):
        self.windows, self.reference_only = windows, reference_only

    def haplotypes(self, gene: Gene) -> GeneHaplotypes:
        """Return the distinct sequences of a gene's samples, read along the gene."""
        read = self.windows.reference if self.reference_only else self.windows.haplotypes
        return read(gene.chrom, gene.start, gene.end, gene.strand, gene.samples.tolist())

    def alleles(self, gene: Gene) -> GeneAlleles:
        """Return the variants in a gene's window and who carries them."""
        found = self.windows.alleles(gene.chrom, gene.start, gene.end, gene.samples.tolist())
        return found._replace(carried=found.carried * 0) if self.reference_only else found


def open_windows(task: Mapping[str, Any], store: str, reference: str, examples: pd.DataFrame) -> CohortWindows:
    """Return the haplotypes of a task's genes, from a variant store and the genome it was built with.

    Where a task leaves rare variants out, they are those that are rare among its training samples.
    """
    variants = open_store(store)
    if task.get("min_maf"):
        variants = common_variants(store, examples, task["min_maf"])
    reader = HaplotypeReader(variants, Reference(reference), task["variants"])
    return CohortWindows(GeneWindows(reader), task["control"] == "reference")


def common_variants(store: str | Path, examples: pd.DataFrame, min_maf: float) -> CommonVariants:
    """Return the variants of a cohort that are common among the training samples of a task."""
    training = sorted(examples.loc[examples["split"] == "train", "sample"].unique())
    return CommonVariants(store, training, min_maf)
