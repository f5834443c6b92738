"""Which contigs are used, which are held out, and how long windows are, from a genome's lengths alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from glmflow.genome.contigs import alternate_contigs, some

LONGEST_WINDOW = 32_768
SHORTEST_WINDOW = 1024
LEAST_WINDOWS = 100
"""Windows that a genome has at least, where it can: fewer teach nothing."""
TEST, VALIDATION = 0.07, 0.025
"""Least share of the bases that is scored, and that settings are chosen on."""
SMALL = 0.005
"""Contigs below this share of the bases are scaffolds and left out."""
OF_ANOTHER_KIND = re.compile(r"(?:[Cc]hr)?(?:[XYWZM]|MT|Mt|Pt)|ChrC")
"""Sex chromosomes, mitochondrion and plastid: other numbers of copies, other coverage."""


class Division(NamedTuple):
    """Contigs that are used (None: all of the genome), the block `splits`, and what was guessed."""

    contigs: list[str] | None
    splits: dict[str, Any]
    guesses: list[str]


def window_bp(contigs: Mapping[str, int], longest: int = LONGEST_WINDOW) -> int:
    """Return the length of a window: the longest power of two that gives a genome a hundred windows, 1,024 at least."""
    total = sum(contigs.values())
    size = SHORTEST_WINDOW
    while 2 * size <= longest and 2 * size * LEAST_WINDOWS <= total and 2 * size <= max(contigs.values()):
        size *= 2
    return size


def divide(contigs: Mapping[str, int], window: int) -> Division:
    """Return how a genome is split: whole contigs where there are three, else blocks with a gap of a window.

    Copies (alternate loci, patches), scaffolds, sex chromosomes and organelles are left out; of what is left, contigs
    from the end of the file are held out until they hold 7 % (test) and 2.5 % (validation) of the bases.

    Parameters
    ----------
    contigs
        Length in bases by name, in the order of the file.
    window
        Length of the longest window in bp.
    """
    copies = set(alternate_contigs(contigs))
    total = sum(length for name, length in contigs.items() if name not in copies)
    used = {name: length for name, length in contigs.items() if name not in copies and length >= SMALL * total}
    plain = {name: length for name, length in used.items() if not OF_ANOTHER_KIND.fullmatch(name)}
    used = {name: length for name, length in (plain or used).items() if length >= window} or used
    guesses = []
    left_out = [name for name in contigs if name not in used]
    if left_out:
        guesses.append(
            f"{len(left_out)} of {len(contigs)} contigs are left out ({some(left_out, 4)}): copies, scaffolds, sex "
            "chromosomes, organelles, or shorter than a window"
        )
    listed = list(used) if left_out else None
    splits = _by_contig(used, guesses) if len(used) > 2 else _by_block(used, window, guesses)
    return Division(listed, splits, guesses)


def _by_contig(used: Mapping[str, int], guesses: list[str]) -> dict[str, Any]:
    """Hold out whole contigs, the last ones of the file."""
    total, rest = sum(used.values()), list(used)
    held: dict[str, list[str]] = {}
    for split, share in (("test", TEST), ("validation", VALIDATION)):
        held[split] = []
        while len(rest) > (2 if split == "test" else 1) and sum(used[name] for name in held[split]) < share * total:
            held[split].insert(0, rest.pop())
    shares = {split: sum(used[name] for name in names) / total for split, names in held.items()}
    guesses.append(
        f"held out by contig: {some(held['test'], 6)} scored ({shares['test']:.0%} of the bases), "
        f"{some(held['validation'], 6)} to choose settings on ({shares['validation']:.0%})"
    )
    return {"by": "contig", "train": rest, "validation": held["validation"], "test": held["test"]}


def _by_block(used: Mapping[str, int], window: int, guesses: list[str]) -> dict[str, Any]:
    """Hold out blocks along the contigs."""
    gap = window
    block = max(4 * (gap + window), min(1_000_000, max(used.values()) // 20))
    guesses.append(
        f"held out by blocks of {block:,} bp with gaps of {gap:,}, 20 % scored: a genome of {len(used)} contig"
        f"{'s' * (len(used) != 1)} cannot be split by contig"
    )
    return {"by": "block", "block": block, "gap": gap, "validation": 0.1, "test": 0.2, "seed": 1}
