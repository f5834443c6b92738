"""Genes as Prodigal finds them (pyrodigal, an optional package), and their codons."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.canonical import Sequence, as_bases

from .kmer_tables import CODE, index_of_codes
from .open_frames import Frame, strand_of

STARTS, STOPS = (b"ATG", b"GTG", b"TTG"), (b"TAA", b"TAG", b"TGA")


def genes_known() -> bool:
    """Whether genes can be found here: pyrodigal is installed."""
    try:
        import pyrodigal  # noqa: F401
    except ImportError:
        return False
    return True


def genes(sequence: Sequence) -> list[Frame]:
    """Return the genes that Prodigal's metagenomic mode finds (Hyatt et al. 2010; Larralde 2022), sorted.

    Raises
    ------
    InputError
        pyrodigal is not installed.
    """
    bases = as_bases(sequence)
    if len(bases) < 20:
        return []
    return sorted(Frame(gene.begin - 1, gene.end, gene.strand) for gene in _finder().find_genes(bases.tobytes()))


@cache
def _finder() -> Any:
    try:
        import pyrodigal
    except ImportError:
        raise InputError(
            "genes cannot be found: pyrodigal is not installed", fix="pip install pyrodigal (GPL-3), or glmflow[genes]."
        ) from None
    return pyrodigal.GeneFinder(meta=True)


def coding_bases(found: Rows[Frame], length: int) -> int:
    """Return how many of a sequence's bases lie in a gene, each counted once."""
    return int(in_genes(found, length).sum())


def in_genes(found: Rows[Frame], length: int) -> NDArray[np.bool_]:
    """Return which of a sequence's bases lie in a gene, ``bool[length]``."""
    inside = np.zeros(length + 1, np.int64)
    for gene in found:
        inside[gene.start] += 1
        inside[gene.end] -= 1
    return np.cumsum(inside)[:length] > 0


def codon_counts(sequence: Sequence, found: Rows[Frame]) -> NDArray[np.int64]:
    """Return how often each codon stands in the genes of a sequence, start and stop codons included, `[64]`.

    Of a gene that passes the sequence's end the whole codons that lie inside, in the gene's frame.
    """
    bases = as_bases(sequence)
    total = np.zeros(64, np.int64)
    for gene in found:
        codons = index_of_codes(CODE[strand_of(bases, gene)], 3)[::3]
        total += np.bincount(codons[codons >= 0], minlength=64)
    return total


def start_and_stop_counts(sequence: Sequence, found: Rows[Frame]) -> NDArray[np.int64]:
    """Return how many genes start with ATG, GTG and TTG, and how many stop with TAA, TAG and TGA, `[6]`.

    Of a gene that passes the sequence's end the end that lies inside.
    """
    bases = as_bases(sequence)
    total = np.zeros(6, np.int64)
    for gene in found:
        own = strand_of(bases, gene)
        for place, codons, codon in ((0, STARTS, own[:3]), (3, STOPS, own[-3:])):
            text = codon.tobytes()
            if text in codons:
                total[place + codons.index(text)] += 1
    return total


def strand_switches(found: Rows[Frame]) -> int:
    """Return how often the next gene lies on the other strand."""
    return sum(one.strand != other.strand for one, other in pairwise(found))
