"""Intervals of a genome, as a BED file names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from glmflow.errors import InputError
from glmflow.genome.contigs import some

Interval = tuple[str, int, int, str]
"""`chrom, start, end, name`, 0-based half-open."""


def read_intervals(path: Path | None, contigs: Mapping[str, int]) -> list[Interval]:
    """Return the intervals of a BED file, or every contig whole.

    Raises
    ------
    InputError
        A line is not chrom, start, end with 0 <= start < end within the contig, or there is none.
    """
    if path is None:
        return [(chrom, 0, length, chrom) for chrom, length in contigs.items()]
    if not path.exists():
        raise InputError("no such file", where=path, mend="Give a BED file.")
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not cells or line.startswith(("#", "track", "browser")):
            continue
        where = f"{path}, line {number}"
        try:
            chrom, start, end = cells[0], int(cells[1]), int(cells[2])
        except (IndexError, ValueError):
            raise InputError(
                "not chrom, start and end", where=where, mend="Write BED: 0-based, end excluded."
            ) from None
        if chrom not in contigs:
            raise InputError(
                f"no contig {chrom}; the genome has {some(contigs)}", where=where, mend="Name one of them."
            )
        if not 0 <= start < end <= contigs[chrom]:
            raise InputError(
                f"{chrom}:{start}-{end} is not within {chrom} (0-{contigs[chrom]})",
                where=where,
                mend="Correct the interval.",
            )
        found.append((chrom, start, end, cells[3] if len(cells) > 3 else f"{chrom}:{start}-{end}"))
    if not found:
        raise InputError("no interval", where=path, mend="Give at least one line of chrom, start and end.")
    return found
