"""VCF and BCF files: opened, indexed without a trace beside the input, and what header and index tell of them."""

from __future__ import annotations

import codecs
import logging
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cyvcf2
import pysam
import pysam.bcftools

from glmflow.errors import InputError
from glmflow.genome.htslib_messages import Listener, heard, pass_on
from glmflow.text_files import check_complete, compression, open_bytes, write_bytes

log = logging.getLogger(__name__)

BATCH = 32  # records read at a time


class FoundContigs(NamedTuple):
    """The contigs that a VCF has records of: all of them, or (without a current index) that of its first record."""

    names: list[str]
    complete: bool


class IndexedContig(NamedTuple):
    """What header and index of a VCF tell of a contig."""

    length: int  # as the header says; 0 where it does not
    records: int


def open_vcf(vcf: Path, samples: Sequence[str] | None = None) -> cyvcf2.VCF:
    """Open a VCF or BCF with some of its samples, or with more than them (all: None; order as in the file).

    Raises
    ------
    InputError
        The file is missing, cut short, or has no header that can be read.
    """
    check_complete(vcf)
    problem = ""
    if any("," in name or name.startswith("^") for name in samples or ()):
        samples = None  # htslib takes a list with commas, where ^ means all others
    with heard() as said:
        try:
            file = cyvcf2.VCF(str(vcf), samples=None if samples is None else list(samples))
        except OSError:
            problem = "not a VCF or BCF file"
        except Exception:  # cyvcf2 raises a bare one
            problem = "its header cannot be read"
    if problem and _has_byte_order_mark(vcf):
        fix = "Save it as plain text in UTF-8 without one."
        raise InputError("begins with a byte order mark, which no VCF has", where=vcf, fix=fix)
    if problem or said.errors:
        reason = f" ({said.errors[0].rstrip('.')})" if said.errors else ""
        fix = "Correct or fetch the file again." if said.errors else "Give a VCF or BCF file."
        raise InputError((problem or "its header cannot be read") + reason, where=vcf, fix=fix)
    pass_on(said.remarks, vcf)
    return file


def _has_byte_order_mark(vcf: Path) -> bool:
    """Whether a file, plain or compressed, begins with a mark of UTF-8 or UTF-16."""
    with open_bytes(vcf) as handle:
        return handle.peek(4).startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def records(file: cyvcf2.VCF, vcf: Path, region: str | None = None) -> Iterator[cyvcf2.Variant]:
    """Yield the records of an opened VCF or BCF: all, or those that overlap a region.

    Parameters
    ----------
    file, vcf
        From `open_vcf`, and its path as the user named it, for messages.
    region
        `NAME:START-END`, 1-based, the end included; the file has an index.

    Raises
    ------
    InputError
        A record cannot be read; the message has htslib's own words, or the place of the last one that could be.
    """
    source, place, listener = iter(file) if region is None else file(region), "", Listener()
    while True:
        batch: list[cyvcf2.Variant] = []
        problem = ""
        with listener.heard() as said:
            try:
                batch += islice(source, BATCH)
            except Exception as error:  # cyvcf2 raises a bare one
                problem = str(error)
        if problem or said.errors:
            again = "" if region is None else " If it is whole, its index is not: bcftools index -f."
            raise unreadable(vcf, said.errors[0] if said.errors else problem, _place(batch) or place, again)
        pass_on(said.remarks, vcf)
        yield from batch
        if len(batch) < BATCH:
            return
        place = _place(batch)


def _place(batch: Sequence[cyvcf2.Variant]) -> str:
    """Return where the last of some records lies."""
    return f"{batch[-1].CHROM}:{batch[-1].POS}" if batch else ""


def unreadable(vcf: Path, reason: str, place: str, also: str = "") -> InputError:
    """Return the error for a record that htslib cannot read; `place`: of the last one that it could."""
    where = "" if re.search(r":\d+", reason) else f" after {place}" if place else " at the beginning"
    fix = f"Correct the record, or fetch or write the file again.{also}"
    return InputError(f"a record cannot be read{where} ({reason.rstrip('.')})", where=vcf, fix=fix)


@contextmanager
def decoded(vcf: Path) -> Iterator[None]:
    """Turn a name or an allele that is not UTF-8, which is found out when it is looked at, into one line."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise unreadable(vcf, str(error), "") from error


def first_record(vcf: Path) -> cyvcf2.Variant | None:
    """Return the first record of a VCF or BCF, without its genotypes; None where there is none."""
    return next(records(open_vcf(vcf, samples=[]), vcf), None)


def indexed(vcf: Path, scratch: Path) -> Path:
    """Return a VCF or BCF that can be read by contig: the file itself, or one in `scratch`.

    Nothing is written beside the input: where the index is missing, damaged, or one of several is older than the file,
    it is made in `scratch`, and a file that is not compressed in blocks is compressed there.

    Raises
    ------
    InputError
        The file is absent, cut short, no VCF, or not sorted by contig and position.
    """
    open_vcf(vcf)
    if _has_current_index(vcf) and _reads_by_its_name(vcf):
        try:
            indexed_contigs(vcf)
            return vcf
        except InputError:
            log.warning("%s: its index cannot be read: another one is made", vcf)
    scratch.mkdir(parents=True, exist_ok=True)
    ours = scratch / (vcf.name + (".bcf" if is_bcf(vcf) else ".vcf.gz"))
    if compression(vcf) == "bgzip":
        ours.symlink_to(vcf.resolve())
    else:
        with open_bytes(vcf) as plain, write_bytes(ours, packed=True) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
    try:
        with heard():
            pysam.bcftools.index("-f", "-c", str(ours), catch_stdout=False)
    except pysam.SamtoolsError as error:
        with decoded(vcf):
            _check_order(vcf)
        raise InputError(f"cannot be indexed ({_reason(error)})", where=vcf, fix="Check the file.") from error
    return ours


def _reason(error: pysam.SamtoolsError) -> str:
    """Return what bcftools said, without the frame that pysam puts around it."""
    text = str(error).partition("stderr=")[2].replace("\\n", " ").strip(" '\"")
    return " ".join(text.split()) or str(error)


def is_bcf(vcf: Path) -> bool:
    """Return whether a file holds binary records (BCF), whatever its name."""
    with open_bytes(vcf) as handle:
        return handle.read(4) == b"BCF\2"


def _reads_by_its_name(vcf: Path) -> bool:
    """Return whether cyvcf2, which looks at the name, takes a file for what it is."""
    return vcf.name.endswith((".bcf", ".bcf.gz")) == is_bcf(vcf) and compression(vcf) == "bgzip"


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


def _check_order(vcf: Path) -> None:
    """Stop at the first record that is not where it belongs."""
    done: set[str] = set()
    before, pos = "", -1
    for record in records(open_vcf(vcf, samples=[]), vcf):
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
        fix=f"Sort it: bcftools sort -Ob -o sorted.bcf {where}",
    )


def indexed_contigs(source: Path) -> dict[str, IndexedContig]:
    """Return what the header and index of a VCF tell of the contigs that it has records of.

    Raises
    ------
    InputError
        The index cannot be read.
    """
    try:
        with heard() as said:
            stats = pysam.bcftools.index("--stats", str(source))
        fields = [line.split("\t") for line in stats.splitlines()]
        return {name: IndexedContig(int(size) if size.isdigit() else 0, int(count)) for name, size, count in fields}
    except (pysam.SamtoolsError, ValueError) as error:
        reason = said.errors[0] if said.errors else str(error)
        raise InputError(
            f"its index cannot be read ({reason})", where=source, fix="Index it: bcftools index -f."
        ) from error


def contigs_with_records(vcf: Path) -> FoundContigs:
    """Return the contigs that a VCF or BCF has records of, without reading it through."""
    check_complete(vcf)
    if _has_current_index(vcf):
        try:
            return FoundContigs(list(indexed_contigs(vcf)), True)
        except InputError:
            log.info("%s: its index cannot be read", vcf)
    with decoded(vcf):
        first = first_record(vcf)
        return FoundContigs([] if first is None else [first.CHROM], False)


def stated_lengths(vcf: Path) -> dict[str, int]:
    """Return the bases of each contig that the header of a VCF or BCF states; contigs without a length are left out."""
    open_vcf(vcf, samples=[])  # says what is no VCF
    with decoded(vcf), heard(), pysam.VariantFile(str(vcf)) as file:
        return {name: contig.length for name, contig in file.header.contigs.items() if contig.length}
