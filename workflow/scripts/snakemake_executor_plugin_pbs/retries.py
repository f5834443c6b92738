"""What the next attempt of a job asks for: more of what was missing, and only of that."""

from __future__ import annotations

from typing import NamedTuple

from .explain import MEMORY, WALLTIME


class Request(NamedTuple):
    """Memory and time that a job asks for."""

    mem_mb: int
    minutes: int


class Largest(NamedTuple):
    """What the cluster gives at most (`largest_mem_mb`, `longest_minutes`); None: no bound is known."""

    mem_mb: int | None = None
    minutes: int | None = None


def next_request(wanted: Request, before: Request | None, ending: str | None, largest: Largest) -> Request:
    """Return what an attempt asks for.

    Parameters
    ----------
    wanted
        What the rule says for this attempt; it may grow with every attempt, whatever happened to the last.
    before
        What the attempt before asked for; None for the first.
    ending
        Kind of that attempt's ending (`explain`).
    """
    if before is None:
        return Request(bounded(wanted.mem_mb, largest.mem_mb), bounded(wanted.minutes, largest.minutes))
    mem_mb = more(wanted.mem_mb, before.mem_mb) if ending == MEMORY else before.mem_mb
    minutes = more(wanted.minutes, before.minutes) if ending == WALLTIME else before.minutes
    return Request(bounded(mem_mb, largest.mem_mb), bounded(minutes, largest.minutes))


def is_pointless(before: Request, ending: str, largest: Largest) -> str | None:
    """Return why another attempt would end as this one did, or None."""
    if ending == MEMORY and largest.mem_mb is not None and before.mem_mb >= largest.mem_mb:
        return f"it asked for all that largest_mem_mb allows ({largest.mem_mb} MB)"
    if ending == WALLTIME and largest.minutes is not None and before.minutes >= largest.minutes:
        return f"it asked for all that longest_minutes allows ({largest.minutes}) and left no checkpoint to go on from"
    return None


def more(wanted: int, before: int) -> int:
    """Return what the rule asks for now, or twice as much as before where it does not grow by itself."""
    return wanted if wanted > before else 2 * before


def bounded(value: int, largest: int | None) -> int:
    """Return a value that is at most `largest`."""
    return value if largest is None else min(value, largest)
