"""Names of parts of sequences, `NAME:START-END`: written where a sequence is cut, read where its regions are looked for."""

from __future__ import annotations

import re

CUT = re.compile(r"(.+):(\d+)-(\d+)")


def part_name(name: str, start: int, end: int) -> str:
    """Return the name of a part of a sequence (0-based, end excluded), which may be a part itself."""
    return f"{name}:{start}-{end}"


def origin_of(name: str) -> tuple[str, int]:
    """Return the sequence that a sequence of a corpus was cut from, by its name, and the base of it that it begins at."""
    begins = 0
    while part := CUT.fullmatch(name):
        name, begins = part[1], begins + int(part[2])
    return name, begins
