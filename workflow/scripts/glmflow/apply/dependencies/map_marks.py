"""Stretches of sequences that pictures of dependency maps mark with a box."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from glmflow.errors import InputError
from glmflow.text_files import text_lines

GFF = (".gff", ".gff3", ".gtf")
NAMED = ("Name", "gene_name", "ID", "gene_id")
"""Attributes that name a stretch, the best first."""
_ATTRIBUTE = re.compile(r"""(?:^|;)\s*(\w+)[= ]"?([^";]+)""")


class Mark(NamedTuple):
    """A stretch of the sequence that is drawn as a box: 0-based half-open."""

    start: int
    end: int
    name: str


def read_marks(path: Path | None) -> dict[str, list[Mark]]:
    """Return the stretches to mark, by the sequence's name: of a BED file, or of GFF or GTF by its suffix.

    Raises
    ------
    InputError
        The file is missing, or a line is no stretch.
    """
    found: dict[str, list[Mark]] = {}
    if path is None:
        return found
    counts_from_one = not {*path.suffixes}.isdisjoint(GFF)
    for number, line in text_lines(path):
        if counts_from_one and line.startswith("##FASTA"):
            break
        if line.startswith("#") or line.split(None, 1)[0] in ("track", "browser"):
            continue
        cells = line.split("\t")
        try:
            mark = _of_gff(cells) if counts_from_one else _of_bed(cells)
        except (IndexError, ValueError):
            what, fix = ("no line of GFF", "Write GFF.") if counts_from_one else ("not id, start and end", "Write BED.")
            raise InputError(what, where=f"{path}, line {number}", fix=fix) from None
        found.setdefault(cells[0], []).append(mark)
    return found


def _of_bed(cells: list[str]) -> Mark:
    return Mark(int(cells[1]), int(cells[2]), cells[3] if len(cells) > 3 else "")


def _of_gff(cells: list[str]) -> Mark:
    given = dict(_ATTRIBUTE.findall(cells[8])) if len(cells) > 8 else {}
    name = next((given[one] for one in NAMED if one in given), cells[2])
    return Mark(int(cells[3]) - 1, int(cells[4]), name.strip())
