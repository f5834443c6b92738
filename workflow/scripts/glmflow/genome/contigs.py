"""Contig names, which differ between files of the same genome."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from glmflow.errors import InputError

log = logging.getLogger(__name__)


def match_contigs(
    ours: Iterable[str], theirs: Iterable[str], where: str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Find the contigs of a genome in a file that may name them otherwise (chr1 or 1, chrM or MT).

    Equal names are matched first; the rest only where a single name of each side can be meant. A mapping of
    names is logged.

    Parameters
    ----------
    ours
        Contigs of the genome.
    theirs
        Contigs of the other file.
    where
        The other file, for messages.

    Returns
    -------
    dict[str, str]
        Our name to theirs, for every contig that both have, in our order.

    Raises
    ------
    InputError
        No contig is shared, or one of our contigs could be several of theirs (or the reverse).
    """
    ours, theirs = list(dict.fromkeys(ours)), list(dict.fromkeys(theirs))
    equal = set(ours) & set(theirs)
    renamed = renamed_contigs(ours, theirs, "the genome's", where)
    if not equal and not renamed:
        raise InputError(
            f"no contig of the genome: it has {some(theirs) or 'none'}, the genome {some(ours)}",
            where=where,
            mend="Give a file of the same genome, or rename its contigs.",
        )
    return {name: name if name in equal else renamed[name] for name in ours if name in equal | renamed.keys()}


def renamed_contigs(
    ours: Iterable[str], theirs: Iterable[str], whose: str, where: str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Pair contigs that are named otherwise in another file: our name to theirs, equal names left out; they are logged.

    Raises
    ------
    InputError
        One of ours could be several of theirs, or the reverse; `whose` says in the message what ours are.
    """
    ours = list(ours)
    equal = set(ours) & set(theirs)
    left_ours, left_theirs = _by_core_name(ours, equal), _by_core_name(theirs, equal)
    renamed: dict[str, str] = {}
    for core in left_ours.keys() & left_theirs.keys():
        if len(left_ours[core]) > 1 or len(left_theirs[core]) > 1:
            raise InputError(
                f"contig names {', '.join(left_theirs[core])} do not tell which of {whose}"
                f" {', '.join(left_ours[core])} is meant",
                where=where,
                mend="Rename them as in the FASTA.",
            )
        renamed[left_ours[core][0]] = left_theirs[core][0]
    if renamed:
        pairs = some(f"{renamed[name]} is {name}" for name in ours if name in renamed)
        log.warning("%s: contig names mapped: %s", where or "contigs", pairs)
    return renamed


def find_contig(name: str, names: Iterable[str]) -> str | None:
    """Return the one of some contig names that means `name`: the same, or alone in differing by its prefix."""
    names = set(names)
    if name in names:
        return name
    alike = _by_core_name(names, set()).get(_core_name(name), [])
    return alike[0] if len(alike) == 1 else None


def _core_name(name: str) -> str:
    """Return a contig's name without the prefix `chr`; the mitochondrion is `M`."""
    core = name[3:] if name[:3].lower() == "chr" else name
    return "M" if core.upper() == "MT" else core


def _by_core_name(names: Iterable[str], leave_out: set[str]) -> dict[str, list[str]]:
    """Group names by what is left without their prefix."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in leave_out:
            groups.setdefault(_core_name(name), []).append(name)
    return groups


def some(names: Iterable[str], most: int = 5) -> str:
    """Return the first of some names, and how many more there are."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
