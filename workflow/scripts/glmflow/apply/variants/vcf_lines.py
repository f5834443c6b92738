"""Lines of VCF and BCF files, whatever they are compressed with; records are kept as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pysam

from glmflow.genome.htslib_messages import heard
from glmflow.genome.vcf_files import is_bcf, open_vcf, unreadable
from glmflow.text_files import text_lines


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a VCF or BCF, header first, without their ends.

    Raises
    ------
    InputError
        The file is missing, damaged or cut short.
    """
    if is_bcf(path):
        yield from _of_bcf(path)
    else:
        for _, line in text_lines(path, errors="surrogateescape"):
            yield line


def _of_bcf(path: Path) -> Iterator[str]:
    """Yield the lines of a BCF as a VCF has them."""
    open_vcf(path)  # says what cannot be read
    place = ""
    with heard(), pysam.VariantFile(str(path)) as file:
        header = str(file.header).splitlines()
    yield from header
    with pysam.VariantFile(str(path)) as file:
        records = iter(file)
        while True:
            try:
                with heard():
                    record = next(records, None)
                    line = "" if record is None else str(record).rstrip("\n")
            except (OSError, ValueError) as error:
                raise unreadable(path, str(error), place) from error
            if record is None:
                return
            place = f"{record.chrom}:{record.pos}"
            yield line


def header_of(path: Path) -> list[str]:
    """Return the header lines of a VCF or BCF; none where it has no header."""
    found = []
    for line in lines(path):
        if not line.startswith("#"):
            break
        found.append(line)
    return found


def record_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of each record from 1, and its line."""
    number = 0
    for line in lines(path):
        if not line.startswith("#"):
            number += 1
            yield number, line
