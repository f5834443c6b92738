"""Records of a VCF as alleles with their carriers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cyvcf2
import numpy as np

from glmflow.errors import InputError
from glmflow.genome import guards, vcf_files
from glmflow.genome.alleles import (
    Edit,
    is_anchored,
    is_longer,
    is_snv,
    is_unobserved,
    left_out_because,
    minimal_edit,
    upper_bases,
)
from glmflow.genome.phase_sets import PhaseSets
from glmflow.genome.ploidy import MISSING, NO_ALLELE, HaploidRuns


class Allele(NamedTuple):
    """An alternative allele and who carries it."""

    pos: int  # 0-based first base of REF
    last: int  # last reference base it takes
    ref: str
    alt: str
    edit: Edit
    anchored: bool  # only inserts or only deletes, behind its first base
    grows: bool  # longer than REF
    snv: bool  # every alternative allele of its record changes one base only (bcftools' TYPE="snp")
    missing: int  # calls of the record that are missing
    carriers: np.ndarray  # bool[haplotypes]: both of the first sample, both of the second ...


@dataclass
class Parser:
    """Reads the records of one contig and counts what it leaves out.

    Parameters
    ----------
    vcf
        The file as the user named it, for messages.
    chrom
        Contig, by the genome's name.
    length
        Its bases.
    samples
        Names, in the order of the haplotypes.
    order
        Where each of `samples` stands among the samples of the opened file.
    filters
        FILTER values to keep (`.` for a record without one); None keeps every record.
    unphased
        `refuse`, or `reference` to read unphased heterozygotes as the reference.
    """

    vcf: Path
    chrom: str
    length: int
    samples: Sequence[str]
    order: np.ndarray
    filters: Collection[str] | None
    unphased: str
    alleles_left_out: Counter = field(default_factory=Counter)
    calls_left_out: Counter = field(default_factory=Counter)
    records: list[tuple[int, str]] = field(default_factory=list)  # REF to check: position and bases
    read: int = 0  # records that lie on the contig's bases
    deletions_cut: int = 0  # `<DEL>` that end behind the contig, taken to end with it

    def __post_init__(self):
        self.ploidy = HaploidRuns(len(self.samples))
        self.phase_sets = PhaseSets(len(self.samples))

    def alleles(self, records: Iterable[cyvcf2.Variant]) -> Iterator[Allele]:
        """Yield the alleles that can be written and that someone carries, in the order of the file."""
        pos = -1
        for record in records:
            if record.start < pos:
                raise vcf_files.unsorted(self.chrom, record.start, self.chrom, pos, self.vcf)
            if record.start >= 0:  # POS 0, a telomere, lies before the first base
                pos = record.start
                self.read += 1
                try:
                    yield from self.record(record)
                except UnicodeDecodeError as error:
                    raise vcf_files.unreadable(self.vcf, f"{error} at {self.chrom}:{pos + 1}", "") from error

    def record(self, record: cyvcf2.Variant) -> list[Allele]:
        """Return the alleles of a record that can be written and that someone carries."""
        if not record.ALT:
            return []
        calls, phased, lowest, highest = self._genotypes(record)
        if not self._passes(record):
            self._leave_out("filter", calls, range(1, len(record.ALT) + 1))
            return []
        if highest > len(record.ALT):
            raise guards.no_such_allele(calls, len(record.ALT), self.samples, self.chrom, record.start, self.vcf)
        ref = upper_bases(record.REF)
        self.records.append((record.start, ref))
        alts = {number: alt.upper() for number, alt in enumerate(record.ALT, 1)}
        edits = self._edits(record, ref, alts, calls)
        self.ploidy.add(calls, record.start, max([record.start + len(ref), *(edit.end for edit in edits.values())]))
        calls = self._phased_only(record, calls, phased, list(edits))
        missing = int((calls == MISSING).sum()) if lowest < 0 else 0
        self.calls_left_out["missing"] += missing
        observed = sum(not is_unobserved(alt) for alt in alts.values())
        snv = len(edits) == observed and all(map(is_snv, edits.values()))
        if edits:
            self.phase_sets.add(record, self.order, calls, phased)
        found = []
        for number, edit in edits.items():
            carriers = (calls == number).ravel()
            if not carriers.any():
                self.alleles_left_out["not_carried"] += 1
                continue
            alt = alts[number]
            anchored = is_anchored(ref, alt, edit)
            last = (edit.end if alt == "<DEL>" else record.start + len(ref)) - 1
            grows = is_longer(ref, alt)
            found.append(Allele(record.start, last, ref, alt, edit, anchored, grows, snv, missing, carriers))
        return found

    def telomere(self, record: cyvcf2.Variant) -> None:
        """Count the alleles of a record of breakends at a telomere, which no haplotype has bases of."""
        self._leave_out("telomere", self._genotypes(record)[0], range(1, len(record.ALT) + 1))

    def _edits(self, record: cyvcf2.Variant, ref: str, alts: dict[int, str], calls: np.ndarray) -> dict[int, Edit]:
        """Return what each alternative allele does; count those that cannot be written."""
        edits = {}
        for number, alt in alts.items():
            reason = left_out_because(alt)
            if alt == "<DEL>":
                end = _deletion_end(record, number)
                if end is None or record.start + 1 >= self.length:
                    reason = "symbolic"
                else:
                    self.deletions_cut += end > self.length
                    edits[number] = Edit(record.start + 1, min(end, self.length), "")
            elif reason is None:
                edits[number] = minimal_edit(record.start, ref, alt)
            if reason:
                self._leave_out(reason, calls, [number])
        return edits

    def _genotypes(self, record: cyvcf2.Variant) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Return int[samples, 2] alleles (-1 missing, -2 none), bool[samples] whether phased, lowest and highest allele."""
        try:
            genotypes = record.genotype.array()[self.order]
        except Exception as error:  # cyvcf2 raises a bare Exception
            raise InputError(
                f"no genotypes (GT) at {self.chrom}:{record.start + 1}",
                where=self.vcf,
                fix="Give a VCF with a GT field.",
            ) from error
        guards.check_ploidy(genotypes, self.chrom, record.start, self.vcf)
        if genotypes.shape[1] == 2:
            genotypes = np.insert(genotypes, 1, NO_ALLELE, axis=1)
        # Of the whole array, phase (0 or 1) included: twice as fast as of the alleles alone.
        return genotypes[:, :2], genotypes[:, 2].astype(bool), genotypes.min(initial=0), genotypes.max(initial=0)

    def _passes(self, record: cyvcf2.Variant) -> bool:
        """Return whether the FILTER policy keeps a record."""
        return vcf_files.passes_filter(record.FILTERS, self.filters)

    def _phased_only(
        self, record: cyvcf2.Variant, calls: np.ndarray, phased: np.ndarray, kept: list[int]
    ) -> np.ndarray:
        """Return the calls without unphased heterozygotes of a kept allele."""
        if phased.all():
            return calls
        first, second = calls.T
        differ = ~phased & (first != second) & (second != NO_ALLELE)
        carries = differ[:, None] & np.isin(calls, kept)
        unknown = carries.any(axis=1)
        if not unknown.any():
            return calls
        if self.unphased == "refuse":
            who = [self.samples[i] for i in np.flatnonzero(unknown)]
            raise guards.unphased_heterozygotes(self.chrom, record.start, who, self.vcf)
        self.alleles_left_out["unphased"] += len(set(calls[unknown].ravel()) & set(kept))
        self.calls_left_out["unphased"] += int(carries.sum())
        return np.where(unknown[:, None], 0, calls)

    def _leave_out(self, reason: str, calls: np.ndarray, alleles: Sequence[int]) -> None:
        """Count alleles that are not used, and the calls of them; every record of a gVCF has one that no sample carries."""
        count = int(np.isin(calls, alleles).sum())
        if count or reason != "unobserved":
            self.alleles_left_out[reason] += len(alleles)
            self.calls_left_out[reason] += count


def _deletion_end(record: cyvcf2.Variant, allele: int) -> int | None:
    """Return the 0-based half-open end of a `<DEL>`, by END or else SVLEN; None where neither says one.

    Where the header does not define them, htslib takes them for text.
    """
    end = _whole_number(record, "END", 0)
    if end is None:
        length = _whole_number(record, "SVLEN", allele - 1)
        end = None if length is None else record.start + 1 + abs(length)
    return end if end is not None and end > record.start + 1 else None


def _whole_number(record: cyvcf2.Variant, key: str, place: int) -> int | None:
    """Return the value of an INFO field that belongs to an allele, whatever type the header gives it; None for no number."""
    try:
        value = record.INFO.get(key)
        if isinstance(value, str):
            value = value.split(",")
        if isinstance(value, list | tuple):
            value = value[place]
        return int(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
