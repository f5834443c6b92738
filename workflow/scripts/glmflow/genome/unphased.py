"""Unphased heterozygotes as ambiguity codes, for FASTA files alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glmflow.genome import guards
from glmflow.genome.haplotypes import Block
from glmflow.genome.store import VariantStore

IUPAC = {
    frozenset(pair): code
    for pair, code in [("AG", "R"), ("CT", "Y"), ("CG", "S"), ("AT", "W"), ("GT", "K"), ("AC", "M")]
}


def write_ambiguity_codes(blocks: list[Block], store: VariantStore, sample: str, chrom: str) -> list[Block]:
    """Return the blocks of a whole haplotype with IUPAC codes at a person's unphased heterozygous single bases.

    The genotypes are read from the VCF again, as the store keeps phased alleles alone. A base that the haplotype has
    lost, or that a phased allele changes, keeps what it is.
    """
    found = list(_unphased_single_bases(store, sample, chrom))
    places = np.array([pos for pos, _, _ in found], np.int64)
    references, codes = (np.array([ord(one[i]) for one in found], np.uint8) for i in (1, 2))
    coded = []
    for bases, place in blocks:
        low, high = places.searchsorted([place, place + len(bases)]) if place >= 0 else (0, 0)
        if low < high:
            bases = bases.copy()
            at = places[low:high] - place
            bases[at] = np.where(bases[at] == references[low:high], codes[low:high], bases[at])
        coded.append((bases, place))
    return coded


def _unphased_single_bases(store: VariantStore, sample: str, chrom: str) -> Iterator[tuple[int, str, str]]:
    """Yield place (0-based), REF and code of each unphased heterozygous call of two single bases."""
    path, name = store.description["origin"][chrom]
    filters = store.description["filter_policy"]
    with tempfile.TemporaryDirectory() as scratch:
        file = guards.open_vcf(guards.indexed(Path(path), Path(scratch)), [sample])
        for record in file(f"{name}:1-{store.contigs[chrom]}"):
            *alleles, phased = record.genotypes[0]
            kept = filters is None or set(record.FILTERS or ["."]) <= set(filters)
            if not kept or phased or len(alleles) != 2 or min(alleles) < 0:
                continue
            first, second = ([record.REF, *record.ALT][allele].upper() for allele in alleles)
            code = IUPAC.get(frozenset((first, second)))
            if code:
                yield record.start, record.REF.upper(), code
