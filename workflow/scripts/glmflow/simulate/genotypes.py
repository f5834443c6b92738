"""Real phased genotypes, read into memory and written out again unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cyvcf2
import numpy as np
import pysam
import pysam.bcftools

from glmflow.genome import guards, vcf_files
from glmflow.genome.parsing import Parser
from glmflow.genome.reference import Reference
from glmflow.simulate.phased_variants import Variants
from glmflow.simulate.promoters import covered
from glmflow.simulate.sequence import decode

FILTERS_KEPT = ("PASS", ".")


class ContigVariants:
    """The variants of one contig in a VCF.

    Parameters
    ----------
    vcf, source
        The file as the user named it, for messages, and the indexed one that is read.
    chrom, name
        The contig in the genome, and in the VCF (None where it has no records).
    samples
        All samples of the file.
    """

    def __init__(self, vcf: Path, source: Path, chrom: str, name: str | None, people: list[str]):
        self.source, self.name = source, name
        self.vcf, self.chrom, self.people = vcf, chrom, people
        self.spans: list[tuple[int, int]] = []

    def read(self, reference: Reference, sequence: np.ndarray) -> tuple[Variants, np.ndarray]:
        """Return the alleles that someone carries, and bool[length]: bases under any record's reference allele."""
        length, alleles = len(sequence), []
        if self.name is not None:
            parser = Parser(
                vcf=self.vcf,
                chrom=self.chrom,
                length=length,
                samples=self.people,
                order=np.arange(len(self.people)),
                filters=FILTERS_KEPT,
                unphased="refuse",
            )
            file = vcf_files.open_vcf(self.source)
            alleles = list(parser.alleles(self._noted(vcf_files.records(file, self.vcf, f"{self.name}:1-{length}"))))
            positions, bases = zip(*parser.records, strict=True) if parser.records else ((), ())
            guards.check_reference_alleles(reference, self.chrom, positions, bases, self.vcf)
        # A deletion written as <DEL> is spelled out.
        deleted = {i for i, allele in enumerate(alleles) if allele.alt == "<DEL>"}
        refs = [decode(sequence[a.pos : a.last + 1]) if i in deleted else a.ref for i, a in enumerate(alleles)]
        alts = [allele.ref[0] if i in deleted else allele.alt for i, allele in enumerate(alleles)]
        carriers = [allele.carriers for allele in alleles]
        variants = Variants(
            position=np.array([allele.pos for allele in alleles], np.int64),
            reference=np.array(refs, object),
            alternate=np.array(alts, object),
            carried=np.array(carriers, bool).reshape(len(alleles), 2 * len(self.people)),
        )
        spans = np.array(self.spans, np.int64).reshape(-1, 2)
        return variants, covered(*spans.T, length) | covered(variants.position, variants.end, length)

    def _noted(self, records: Iterator[cyvcf2.Variant]) -> Iterator[cyvcf2.Variant]:
        for record in records:
            self.spans.append((record.start, record.start + len(record.REF)))
            yield record


def copy_vcf(vcf: Path, path: Path) -> None:
    """Write the same records as bgzip VCF with its index, whatever the format they came in."""
    pysam.bcftools.view("--no-version", "-Oz", "-o", str(path), str(vcf), catch_stdout=False)
    pysam.tabix_index(str(path), preset="vcf", force=True)
