"""VCF and BCF files: opened, indexed without a trace beside the input, and what header and index tell of them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cyvcf2
import pysam
import pysam.bcftools

from glmflow.errors import InputError

log = logging.getLogger(__name__)

HTSLIB_DEFAULT = 3
"""Warnings and errors: cyvcf2 sets the level and does not tell it."""


class FoundContigs(NamedTuple):
    """The contigs that a VCF has records of: all of them, or (without a current index) that of its first record."""

    names: list[str]
    complete: bool


class IndexedContig(NamedTuple):
    """What header and index of a VCF tell of a contig."""

    length: int  # as the header says; 0 where it does not
    records: int


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


def _has_current_index(vcf: Path) -> bool:
    """Return whether a VCF or BCF has an index, and none that is older than the file.

    htslib takes the first that it finds, whatever its age: `.csi` before `.tbi`, each behind the name of the file or
    in the place of its last suffix. An older one would silently leave variants out.
    """
    names = [name for suffix in (".csi", ".tbi") for name in (Path(f"{vcf}{suffix}"), vcf.with_suffix(suffix))]
    indexes = [name for name in names if name.exists()]
    written = vcf.stat().st_mtime
    return bool(indexes) and all(index.stat().st_mtime >= written for index in indexes)


def passes_filter(names: Sequence[str], policy: Collection[str] | None) -> bool:
    """Return whether a record with these FILTER values (none: `.`) is kept; a policy of None keeps all."""
    return policy is None or all(name in policy for name in names or ["."])


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


def unsorted(chrom: str, pos: int, previous_chrom: str, previous_pos: int, where: Path) -> InputError:
    """Return the error for a record that lies before the one read before it."""
    return InputError(
        f"not sorted: {chrom}:{pos + 1} follows {previous_chrom}:{previous_pos + 1}",
        where=where,
        mend=f"Sort it: bcftools sort -Ob -o sorted.bcf {where}",
    )


def indexed_contigs(source: Path) -> dict[str, IndexedContig]:
    """Return what the header and index of a VCF tell of the contigs that it has records of."""
    with _quiet():
        stats = pysam.bcftools.index("--stats", str(source))
    fields = (line.split("\t") for line in stats.splitlines())
    return {
        name: IndexedContig(int(length) if length.isdigit() else 0, int(records)) for name, length, records in fields
    }


def contigs_with_records(vcf: Path) -> FoundContigs:
    """Return the contigs that a VCF or BCF has records of, without reading it through."""
    if vcf.exists() and _has_current_index(vcf):
        try:
            return FoundContigs(list(indexed_contigs(vcf)), True)
        except pysam.SamtoolsError:
            log.info("%s: its index cannot be read", vcf)
    first = next(iter(open_vcf(vcf, samples=[])), None)
    return FoundContigs([] if first is None else [first.CHROM], False)


def stated_lengths(vcf: Path) -> dict[str, int]:
    """Return the bases of each contig that the header of a VCF or BCF states; contigs without a length are left out."""
    open_vcf(vcf, samples=[])  # says what is no VCF
    with _quiet(), pysam.VariantFile(str(vcf)) as file:
        return {name: contig.length for name, contig in file.header.contigs.items() if contig.length}
