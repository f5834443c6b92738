"""What must hold of a VCF before haplotypes are made of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import cyvcf2
import numpy as np

from glmflow.errors import InputError
from glmflow.genome.alleles import left_out_because
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.reference import Reference
from glmflow.genome.vcf_files import decoded, indexed_contigs, open_vcf, records

SHOWN = 3
STRETCH = 1 << 20  # bases of the genome that are compared at a time


def find_samples(vcf: Path, wanted: Sequence[str] | None) -> list[str]:
    """Return the samples to read, in the order of the file.

    Raises
    ------
    InputError
        The file has no genotypes, or lacks a wanted sample.
    """
    with decoded(vcf):
        present = open_vcf(vcf).samples
    if not present:
        raise InputError("no samples, so no haplotypes", where=vcf, fix="Give a VCF with genotypes.")
    absent = [sample for sample in wanted or () if sample not in set(present)]
    if absent:
        raise InputError(f"no sample {some(absent)}", where=vcf, fix=f"It has {some(present)}; check the sample list.")
    return present if wanted is None else [sample for sample in present if sample in set(wanted)]


def find_contigs(source: Path, reference: Reference, wanted: Sequence[str] | None, where: Path) -> dict[str, str]:
    """Return the contigs to read of an indexed VCF: the genome's name to the VCF's, for those that have records.

    Contigs that are not `wanted` are not compared: mitochondria, decoys and alternate contigs differ between files of
    one build.

    Raises
    ------
    InputError
        No contig is shared, a length differs (another assembly), or, where none are `wanted` by name, one that has
        records is not in the genome.
    """
    lengths = {name: found.length for name, found in indexed_contigs(source).items()}
    if not lengths:
        raise InputError("no records", where=where, fix="Give a VCF with variants.")
    shared = match_contigs(reference.contigs, lengths, where=where)
    chosen = shared if wanted is None else {name: shared[name] for name in shared if name in set(wanted)}
    for ours, theirs in chosen.items():
        if lengths[theirs] not in (0, reference.contigs[ours]):
            raise other_length(theirs, lengths[theirs], reference.contigs[ours], where)
    others = [name for name in lengths if name not in shared.values()]
    if others and wanted is None:
        raise foreign_contig(others[0], reference.path, where)
    return chosen


def check_all_read(source: Path, name: str, length: int, read: int, counted: int, where: Path) -> None:
    """Stop where fewer records lie on a contig's bases than its VCF has of it: what lies outside is never asked for.

    Parameters
    ----------
    source, name
        Indexed VCF and the contig's name there.
    length
        Bases of the contig.
    read, counted
        Records that lie on them or at the telomeres, and those of the contig by the index.
    where
        The file as the user named it.
    """
    if read == counted:
        return
    for record in records(open_vcf(source, samples=[]), where):
        if name == record.CHROM and not 0 <= record.start < length and not at_telomere(record, length):
            raise InputError(
                f"records outside of contig {name} (1-{length}): {counted - read}, first {name}:{record.start + 1}",
                where=where,
                fix="Give the FASTA that the variants were called on, or leave them out (bcftools view --targets).",
            )
    raise InputError(
        f"{read} records of contig {name} can be read, its index counts {counted}",
        where=where,
        fix="Make the index again: bcftools index -f.",
    )


def at_telomere(record: cyvcf2.Variant, length: int) -> bool:
    """Return whether a record is of breakends at a telomere: POS 0 or one base behind the contig (VCF 4.3, section 1.6.1)."""
    return record.start in (-1, length) and all(left_out_because(alt) == "symbolic" for alt in record.ALT)


def check_reference_alleles(
    reference: Reference, chrom: str, positions: Sequence[int], alleles: Sequence[str], where: Path
) -> None:
    """Compare REF alleles with the genome.

    Parameters
    ----------
    chrom
        Contig, by the genome's name.
    positions
        0-based, ascending.
    alleles
        REF in upper case, ambiguous codes as N.

    Raises
    ------
    InputError
        Some differ; the first ones are shown.
    """
    wrong = []
    for some_positions, some_alleles in _near_each_other(positions, alleles):
        first, last = some_positions[0], some_positions[-1] + max(map(len, some_alleles))
        genome = reference.fetch(chrom, first, last).tobytes().decode()
        wrong += [
            (pos, ref, genome[pos - first : pos - first + len(ref)])
            for pos, ref in zip(some_positions, some_alleles)
            if not genome.startswith(ref, pos - first) or pos + len(ref) > reference.contigs[chrom]
        ]
    if wrong:
        shown = "; ".join(f"{chrom}:{pos + 1} REF {ref[:20]}, FASTA {found[:20]}" for pos, ref, found in wrong[:SHOWN])
        raise InputError(
            f"REF disagrees with the genome at {len(wrong)} of the {len(positions)} records looked at, first {shown}",
            where=where,
            fix="Give the FASTA that the variants were called on (bcftools norm --check-ref w lists them all).",
        )


def _near_each_other(positions: Sequence[int], alleles: Sequence[str]) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
    """Yield records in turn, as many as lie within `STRETCH` bases: sparse ones would have a contig in memory."""
    begin = 0
    while begin < len(positions):
        stop = bisect_left(positions, positions[begin] + STRETCH, begin)
        yield positions[begin:stop], alleles[begin:stop]
        begin = stop


def unphased_heterozygotes(chrom: str, pos: int, samples: Sequence[str], where: Path) -> InputError:
    """Return the error for unphased heterozygotes, which belong to no haplotype."""
    return InputError(
        f"unphased heterozygous genotypes, first at {chrom}:{pos + 1} in {some(samples, SHOWN)}",
        where=where,
        fix="Phase the VCF, or leave them as the reference: `unphased: reference` in the study, `--unphased reference` by hand.",
    )


def foreign_contig(name: str, fasta: Path, where: Path) -> InputError:
    """Return the error for a contig that has variants and that the genome lacks."""
    return InputError(
        f"contig {name!r} has variants and is not in {fasta}",
        where=where,
        fix="Give the FASTA they were called on or a VCF of its contigs alone, rename them (bcftools annotate "
        "--rename-chrs), or name the contigs to use (`reference.contigs`; by hand --region, --bed).",
    )


def other_length(name: str, length: int, genome: int, where: Path) -> InputError:
    """Return the error for a contig that the header of a VCF gives other bases than the genome has."""
    return InputError(
        f"contig {name} has {length} bases, in the genome {genome}",
        where=where,
        fix="Give the FASTA of the assembly that the variants were called on.",
    )


def check_ploidy(alleles: np.ndarray, chrom: str, pos: int, where: Path) -> None:
    """Stop at genotypes of more than two alleles."""
    if alleles.shape[1] > 3:
        raise InputError(
            f"genotypes of {alleles.shape[1] - 1} alleles at {chrom}:{pos + 1}",
            where=where,
            fix="Haplotypes are made for haploid and diploid calls only.",
        )


def no_such_allele(
    calls: np.ndarray, alts: int, samples: Sequence[str], chrom: str, pos: int, where: Path
) -> InputError:
    """Return the error for a call of an allele that its record does not have, which `bcftools consensus` refuses too."""
    sample = samples[int((calls > alts).any(axis=1).argmax())]
    return InputError(
        f"{sample} is called allele {calls.max()} at {chrom}:{pos + 1}, which has {alts} alternative alleles",
        where=where,
        fix="Correct the record, or leave it out (bcftools view --targets ^).",
    )
