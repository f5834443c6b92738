"""What must hold of a VCF before haplotypes are made of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cyvcf2
import numpy as np
import pysam
import pysam.bcftools

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.genome.reference import Reference

log = logging.getLogger(__name__)

SHOWN = 3
HTSLIB_DEFAULT = 3
"""Warnings and errors: cyvcf2 sets the level and does not tell it."""


class FoundContigs(NamedTuple):
    """The contigs that a VCF has records of: all of them, or (where it has no index) that of its first record."""

    names: list[str]
    complete: bool


def indexed(vcf: Path, scratch: Path) -> Path:
    """Return a VCF or BCF that can be read by contig: the file itself, or one in `scratch`.

    Nothing is written beside the input: an index that is missing or older than the file is made in `scratch`,
    and a file that is not compressed in blocks is copied there.

    Raises
    ------
    InputError
        The file is absent, no VCF, or not sorted by contig and position.
    """
    open_vcf(vcf)
    indexes = _indexes(vcf)
    if any(index.exists() and index.stat().st_mtime >= vcf.stat().st_mtime for index in indexes):
        return vcf
    scratch.mkdir(parents=True, exist_ok=True)
    ours = scratch / vcf.name
    try:
        with _quiet():
            if _in_blocks(vcf):
                ours.symlink_to(vcf.resolve())
            else:
                ours = scratch / f"{vcf.name}.bcf"
                pysam.bcftools.view("-Ob", "-o", str(ours), str(vcf), catch_stdout=False)
            pysam.bcftools.index("-f", "-c", str(ours), catch_stdout=False)
    except pysam.SamtoolsError as error:
        _check_order(vcf)
        reason = str(error).partition("stderr=")[2].strip()
        raise InputError(f"cannot be indexed ({reason})", where=vcf, mend="Check the file.") from error
    return ours


def open_vcf(vcf: Path, samples: Sequence[str] | None = None) -> cyvcf2.VCF:
    """Open a VCF or BCF with some of its samples (all: None; order as in the file)."""
    if not vcf.exists():
        raise InputError("no such file", where=vcf, mend="Give a VCF or BCF file.")
    try:
        with _quiet():
            return cyvcf2.VCF(str(vcf), samples=None if samples is None else list(samples))
    except OSError as error:
        raise InputError("not a VCF or BCF file", where=vcf, mend="Give one.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the remarks of htslib (pysam's and cyvcf2's own) off standard error: what is wrong is said here, once."""
    before = pysam.set_verbosity(0)
    cyvcf2.cyvcf2.set_htslib_log_level(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)
        cyvcf2.cyvcf2.set_htslib_log_level(HTSLIB_DEFAULT)


def _indexes(vcf: Path) -> list[Path]:
    """Return where the index of a VCF or BCF may be."""
    return [Path(f"{vcf}{suffix}") for suffix in (".tbi", ".csi")]


def _in_blocks(path: Path) -> bool:
    """Return whether a file is compressed with bgzip (or is a BCF, which always is)."""
    with path.open("rb") as handle:
        head = handle.read(18)
    return head[:4] == b"\x1f\x8b\x08\x04" and head[12:14] == b"BC"


def _check_order(vcf: Path) -> None:
    """Stop at the first record that is not where it belongs."""
    done: set[str] = set()
    before, pos = "", -1
    for record in open_vcf(vcf, samples=[]):
        chrom = record.CHROM
        if record.start < pos if chrom == before else chrom in done:
            raise unsorted(chrom, record.start, before, pos, vcf)
        done.add(chrom)
        before, pos = chrom, record.start


def find_samples(vcf: Path, wanted: Sequence[str] | None) -> list[str]:
    """Return the samples to read, in the order of the file.

    Raises
    ------
    InputError
        The file has no genotypes, or lacks a wanted sample.
    """
    present = open_vcf(vcf).samples
    if not present:
        raise InputError("no samples, so no haplotypes", where=vcf, mend="Give a VCF with genotypes.")
    absent = [sample for sample in wanted or () if sample not in set(present)]
    if absent:
        raise InputError(f"no sample {some(absent)}", where=vcf, mend=f"It has {some(present)}; check the sample list.")
    return present if wanted is None else [sample for sample in present if sample in set(wanted)]


def contigs_with_records(vcf: Path) -> FoundContigs:
    """Return the contigs that a VCF or BCF has records of, without reading it through."""
    if any(index.exists() for index in _indexes(vcf)):
        try:
            with _quiet():
                stats = pysam.bcftools.index("--stats", str(vcf))
            return FoundContigs([line.split("\t")[0] for line in stats.splitlines()], True)
        except pysam.SamtoolsError:
            log.info("%s: its index cannot be read", vcf)
    first = next(iter(open_vcf(vcf, samples=[])), None)
    return FoundContigs([] if first is None else [first.CHROM], False)


def find_contigs(source: Path, reference: Reference, wanted: Sequence[str] | None, where: Path) -> dict[str, str]:
    """Match the contigs that an indexed VCF has records of: the genome's name to the VCF's.

    Raises
    ------
    InputError
        No contig is shared, a length differs (another assembly), or, where none are `wanted` by name, one that has
        records is not in the genome.
    """
    lengths = {}
    with _quiet():
        stats = pysam.bcftools.index("--stats", str(source))
    for line in stats.splitlines():
        name, length, _ = line.split("\t")
        lengths[name] = int(length) if length.isdigit() else 0
    if not lengths:
        raise InputError("no records", where=where, mend="Give a VCF with variants.")
    shared = match_contigs(reference.contigs, lengths, where=where)
    for ours, theirs in shared.items():
        if lengths[theirs] not in (0, reference.contigs[ours]):
            raise InputError(
                f"contig {theirs} has {lengths[theirs]} bases, in the genome {reference.contigs[ours]}",
                where=where,
                mend="Give the FASTA of the assembly that the variants were called on.",
            )
    others = [name for name in lengths if name not in shared.values()]
    if others and wanted is None:
        raise foreign_contig(others[0], reference.path, where)
    return shared if wanted is None else {name: shared[name] for name in shared if name in set(wanted)}


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
    if not len(positions):
        return
    first = positions[0]
    genome = reference.fetch(chrom, first, positions[-1] + max(map(len, alleles))).tobytes().decode()
    wrong = [
        (pos, ref, genome[pos - first : pos - first + len(ref)])
        for pos, ref in zip(positions, alleles)
        if not genome.startswith(ref, pos - first) or pos + len(ref) > reference.contigs[chrom]
    ]
    if wrong:
        shown = "; ".join(f"{chrom}:{pos + 1} REF {ref[:20]}, FASTA {found[:20]}" for pos, ref, found in wrong[:SHOWN])
        raise InputError(
            f"REF disagrees with the genome at {len(wrong)} of {len(positions)} records, first {shown}",
            where=where,
            mend="Give the FASTA that the variants were called on (bcftools norm --check-ref w lists them all).",
        )


def unphased_heterozygotes(chrom: str, pos: int, samples: Sequence[str], where: Path) -> InputError:
    """Return the error for unphased heterozygotes, which belong to no haplotype."""
    return InputError(
        f"unphased heterozygous genotypes, first at {chrom}:{pos + 1} in {some(samples, SHOWN)}",
        where=where,
        mend="Phase the VCF, or leave them as the reference: `unphased: reference` in the study, `--unphased reference` by hand.",
    )


def check_deletion_end(chrom: str, pos: int, end: int, length: int, where: Path) -> None:
    """Stop at a symbolic deletion that ends behind its contig."""
    if end > length:
        raise InputError(
            f"<DEL> at {chrom}:{pos + 1} ends at {end}, behind the contig ({length})",
            where=where,
            mend="Give the FASTA that the variants were called on.",
        )


def foreign_contig(name: str, fasta: Path, where: Path) -> InputError:
    """Return the error for a contig that has variants and that the genome lacks."""
    return InputError(
        f"contig {name!r} has variants and is not in {fasta}",
        where=where,
        mend="Give the FASTA they were called on or a VCF of its contigs alone, or name the contigs to use "
        "(`reference.contigs`; by hand --region, --bed).",
    )


def unsorted(chrom: str, pos: int, previous_chrom: str, previous_pos: int, where: Path) -> InputError:
    """Return the error for a record that lies before the one read before it."""
    return InputError(
        f"not sorted: {chrom}:{pos + 1} follows {previous_chrom}:{previous_pos + 1}",
        where=where,
        mend="Sort it: bcftools sort -Ob -o sorted.bcf",
    )


def check_ploidy(alleles: np.ndarray, chrom: str, pos: int, where: Path) -> None:
    """Stop at genotypes of more than two alleles."""
    if alleles.shape[1] > 3:
        raise InputError(
            f"genotypes of {alleles.shape[1] - 1} alleles at {chrom}:{pos + 1}",
            where=where,
            mend="Haplotypes are made for haploid and diploid calls only.",
        )
