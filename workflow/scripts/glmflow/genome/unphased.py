"""Unphased heterozygotes as ambiguity codes, for FASTA files alone."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glmflow.genome import vcf_files
from glmflow.genome.haplotypes import Block
from glmflow.genome.store import VariantStore

log = logging.getLogger(__name__)

IUPAC = {
    frozenset(pair): code
    for pair, code in [("AG", "R"), ("CT", "Y"), ("CG", "S"), ("AT", "W"), ("GT", "K"), ("AC", "M")]
}


def write_ambiguity_codes(blocks: list[Block], store: VariantStore, sample: str, chrom: str) -> list[Block]:
    """Return the blocks of a whole haplotype with IUPAC codes at a sample's unphased heterozygous single bases.

    The genotypes are read from the VCF again, as the store keeps phased alleles alone. A base that the haplotype has
    lost, or that a phased allele changes, keeps what it is; of several codes for a base the first stays. Other
    unphased heterozygotes stay the reference and are counted in the log: insertions, deletions, several bases at once,
    half-missing calls. (`bcftools consensus -H 1pIu` writes the longer allele of these into both haplotypes.)
    """
    found = list(_unphased_heterozygotes(store, sample, chrom))
    coded_bases = [(pos, ref, code) for pos, ref, code in found if code]
    if len(coded_bases) < len(found):
        log.warning(
            "%s: %d unphased calls of %s have no ambiguity code (no single bases) and stay the reference",
            *(chrom, len(found) - len(coded_bases), sample),
        )
    places, firsts = np.unique(np.array([pos for pos, _, _ in coded_bases], np.int64), return_index=True)
    references, codes = (np.array([ord(one[i]) for one in coded_bases], np.uint8)[firsts] for i in (1, 2))
    coded = []
    for bases, place in blocks:
        low, high = places.searchsorted([place, place + len(bases)]) if place >= 0 else (0, 0)
        if low < high:
            bases = bases.copy()
            at = places[low:high] - place
            bases[at] = np.where(bases[at] == references[low:high], codes[low:high], bases[at])
        coded.append((bases, place))
    return coded


def _unphased_heterozygotes(store: VariantStore, sample: str, chrom: str) -> Iterator[tuple[int, str, str | None]]:
    """Yield place (0-based), REF and code of each unphased heterozygous call; no code but for single bases."""
    path, name = store.description["origin"][chrom]
    filters = store.description["filter_policy"]
    with tempfile.TemporaryDirectory() as scratch:
        file = vcf_files.open_vcf(vcf_files.indexed(Path(path), Path(scratch)), [sample])
        place = file.samples.index(sample)
        for record in vcf_files.records(file, Path(path), f"{name}:1-{store.contigs[chrom]}"):
            *alleles, phased = record.genotypes[place]
            kept = vcf_files.passes_filter(record.FILTERS, filters)
            if not kept or phased or len(set(alleles)) == 1 or max(alleles) < 1:
                continue
            ref, code = record.REF.upper(), None
            if len(ref) == 1 and min(alleles) >= 0:
                code = IUPAC.get(frozenset([ref, *record.ALT][allele].upper() for allele in alleles))
            yield record.start, ref, code
