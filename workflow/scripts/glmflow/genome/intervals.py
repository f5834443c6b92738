"""Intervals of a genome, as a BED file names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from glmflow.errors import InputError
from glmflow.genome.contigs import match_contigs, some
from glmflow.text_files import text_lines

Interval = tuple[str, int, int, str]
"""`chrom, start, end, name`, 0-based half-open."""

HEADERS = ("start", "chromstart", "chrom_start")


class BedLine(NamedTuple):
    """A line of a BED file: where it stands (`FILE:LINE`), its interval (0-based half-open) and the columns behind it."""

    where: str
    chrom: str
    start: int
    end: int
    rest: list[str]


def bed_lines(path: Path) -> Iterator[BedLine]:
    """Yield the intervals of a BED file: plain, gzip or bgzip, between tabs or blanks, with or without headers.

    Raises
    ------
    InputError
        The file is missing, damaged, or a line is not chrom, start and end with 0 <= start <= end.
    """
    first = True
    for number, line in text_lines(path):
        cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
        if line.startswith("#") or cells[0] in ("track", "browser") or line.startswith(("track ", "browser ")):
            continue
        if first and len(cells) > 2 and cells[1].lower() in HEADERS:
            continue
        first, where = False, f"{path}:{number}"
        if len(cells) < 3 or not all(cell.isascii() and cell.isdecimal() for cell in cells[1:3]) or not cells[0]:
            raise InputError("not chrom, start and end", where=where, fix="Write BED: 0-based, end excluded.")
        start, end = int(cells[1]), int(cells[2])
        if start > end:
            raise InputError(f"{cells[0]}:{start}-{end} ends before it starts", where=where, fix="Correct it.")
        yield BedLine(where, cells[0], start, end, cells[3:])


def read_intervals(path: Path | None, contigs: Mapping[str, int]) -> list[Interval]:
    """Return the intervals of a BED file, or every contig whole; contigs may be named otherwise (1 for chr1).

    Raises
    ------
    InputError
        A line is not chrom, start, end with 0 <= start < end within the contig, or there is none.
    """
    if path is None:
        return [(chrom, 0, length, chrom) for chrom, length in contigs.items()]
    lines = list(bed_lines(path))
    if not lines:
        raise InputError("no interval", where=path, fix="Give at least one line of chrom, start and end.")
    ours = {name: chrom for chrom, name in match_contigs(contigs, (line.chrom for line in lines), where=path).items()}
    found = []
    for where, name, start, end, rest in lines:
        if name not in ours:
            raise InputError(f"no contig {name}; the genome has {some(contigs)}", where=where, fix="Name one of them.")
        chrom = ours[name]
        if not start < end <= contigs[chrom]:
            raise InputError(
                f"{name}:{start}-{end} is not within {chrom} (0-{contigs[chrom]})",
                where=where,
                fix="Correct the interval.",
            )
        found.append((chrom, start, end, rest[0] if rest and rest[0] else f"{chrom}:{start}-{end}"))
    return found
