"""What must hold of a VCF before haplotypes are made of it."""

from __future__ import annotations

import logging
from bisect import bisect_left
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
STRETCH = 1 << 20  # bases of the genome that are compared at a time
HTSLIB_DEFAULT = 3
"""Warnings and errors: cyvcf2 sets the level and does not tell it."""


class FoundContigs(NamedTuple):
    """The contigs that a VCF has records of: all of them, or (without a current index) that of its first record."""

    names: list[str]
    complete: bool


def indexed(vcf: Path, scratch: Path) -> Path:
    """Return a VCF or BCF that can be read by contig: the file itself, or one in `scratch`.

    Nothing is written beside the input: where the index is missing, or one of several is older than the file, it is
    made in `scratch`, and a file that is not compressed in blocks is copied there.

    Raises
    ------
    InputError
        The file is absent, no VCF, or not sorted by contig and position.
    """
    open_vcf(vcf)
    if _has_current_index(vcf):
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


def _has_current_index(vcf: Path) -> bool:
    """Return whether a VCF or BCF has an index, and none that is older than the file.

    htslib takes the first that it finds, whatever its age: `.csi` before `.tbi`, each behind the name of the file or
    in the place of its last suffix. An older one would silently leave variants out.
    """
    names = [name for suffix in (".csi", ".tbi") for name in (Path(f"{vcf}{suffix}"), vcf.with_suffix(suffix))]
    indexes = [name for name in names if name.exists()]
    written = vcf.stat().st_mtime
    return bool(indexes) and all(index.stat().st_mtime >= written for index in indexes)


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
    if vcf.exists() and _has_current_index(vcf):
        try:
            return FoundContigs(list(_indexed_contigs(vcf)), True)
        except pysam.SamtoolsError:
            log.info("%s: its index cannot be read", vcf)
    first = next(iter(open_vcf(vcf, samples=[])), None)
    return FoundContigs([] if first is None else [first.CHROM], False)


def stated_lengths(vcf: Path) -> dict[str, int]:
    """Return the bases of each contig that the header of a VCF or BCF states; contigs without a length are left out."""
    open_vcf(vcf, samples=[])  # says what is no VCF
    with _quiet(), pysam.VariantFile(str(vcf)) as file:
        return {name: contig.length for name, contig in file.header.contigs.items() if contig.length}


def find_contigs(source: Path, reference: Reference, wanted: Sequence[str] | None, where: Path) -> dict[str, str]:
    """Match the contigs that an indexed VCF has records of: the genome's name to the VCF's.

    Raises
    ------
    InputError
        No contig is shared, a length differs (another assembly), or, where none are `wanted` by name, one that has
        records is not in the genome.
    """
    lengths = {name: found.length for name, found in _indexed_contigs(source).items()}
    if not lengths:
        raise InputError("no records", where=where, mend="Give a VCF with variants.")
    shared = match_contigs(reference.contigs, lengths, where=where)
    for ours, theirs in shared.items():
        if lengths[theirs] not in (0, reference.contigs[ours]):
            raise other_length(theirs, lengths[theirs], reference.contigs[ours], where)
    others = [name for name in lengths if name not in shared.values()]
    if others and wanted is None:
        raise foreign_contig(others[0], reference.path, where)
    return shared if wanted is None else {name: shared[name] for name in shared if name in set(wanted)}


def record_counts(source: Path) -> dict[str, int]:
    """Return how many records an indexed VCF has of each contig, by its own names."""
    return {name: found.records for name, found in _indexed_contigs(source).items()}


class _IndexedContig(NamedTuple):
    length: int  # as the header says; 0 where it does not
    records: int


def _indexed_contigs(source: Path) -> dict[str, _IndexedContig]:
    """Return what the header and index of a VCF tell of the contigs that it has records of."""
    with _quiet():
        stats = pysam.bcftools.index("--stats", str(source))
    fields = (line.split("\t") for line in stats.splitlines())
    return {
        name: _IndexedContig(int(length) if length.isdigit() else 0, int(records)) for name, length, records in fields
    }


def check_all_read(source: Path, name: str, length: int, read: int, counted: int, where: Path) -> None:
    """Stop where fewer records lie on a contig's bases than its VCF has of it: what lies outside is never asked for.

    Parameters
    ----------
    source, name
        Indexed VCF and the contig's name there.
    length
        Bases of the contig.
    read, counted
        Records that lie on them, and those of the contig by the index.
    where
        The file as the user named it.
    """
    if read == counted:
        return
    for record in open_vcf(source, samples=[]):
        if name == record.CHROM and not 0 <= record.start < length:
            raise InputError(
                f"records outside of contig {name} (1-{length}): {counted - read}, first {name}:{record.start + 1}",
                where=where,
                mend="Give the FASTA that the variants were called on, or leave them out (bcftools view --targets).",
            )
    raise InputError(
        f"{read} records of contig {name} can be read, its index counts {counted}",
        where=where,
        mend="Make the index anew: bcftools index -f.",
    )


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
            f"REF disagrees with the genome at {len(wrong)} of {len(positions)} records, first {shown}",
            where=where,
            mend="Give the FASTA that the variants were called on (bcftools norm --check-ref w lists them all).",
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
        mend="Give the FASTA they were called on or a VCF of its contigs alone, rename them (bcftools annotate "
        "--rename-chrs), or name the contigs to use (`reference.contigs`; by hand --region, --bed).",
    )


def other_length(name: str, length: int, genome: int, where: Path) -> InputError:
    """Return the error for a contig that the header of a VCF gives other bases than the genome has."""
    return InputError(
        f"contig {name} has {length} bases, in the genome {genome}",
        where=where,
        mend="Give the FASTA of the assembly that the variants were called on.",
    )


def unsorted(chrom: str, pos: int, previous_chrom: str, previous_pos: int, where: Path) -> InputError:
    """Return the error for a record that lies before the one read before it."""
    return InputError(
        f"not sorted: {chrom}:{pos + 1} follows {previous_chrom}:{previous_pos + 1}",
        where=where,
        mend=f"Sort it: bcftools sort -Ob -o sorted.bcf {where}",
    )


def check_ploidy(alleles: np.ndarray, chrom: str, pos: int, where: Path) -> None:
    """Stop at genotypes of more than two alleles."""
    if alleles.shape[1] > 3:
        raise InputError(
            f"genotypes of {alleles.shape[1] - 1} alleles at {chrom}:{pos + 1}",
            where=where,
            mend="Haplotypes are made for haploid and diploid calls only.",
        )
