"""What is left of records before they are learned from: runs of unknown bases cut out, and every sequence once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from glmflow.dna.low_complexity import low_bases
from glmflow.statistics.context_counts import other_strand

from .part_names import part_name
from .sequence_records import MASKED, UNKNOWN, Record, letters

RUN = 20
"""Unknown bases in a row from which on a sequence is cut."""


def cut(record: Record, min_length: int, most_unknown: float) -> Iterator[Record]:
    """Yield the parts of a record between runs of unknown bases; parts of a circular one are linear.

    Parameters
    ----------
    min_length
        Shorter parts are left out.
    most_unknown
        Largest share of unknown bases in a part.
    """
    unknown = (record.codes & 7) >= UNKNOWN
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unknown, [False]]).astype(np.int8)))
    runs = [(start, end) for start, end in edges.reshape(-1, 2) if end - start >= RUN]
    bounds = [0, *(place for run in runs for place in run), len(record.codes)]
    for start, end in zip(bounds[::2], bounds[1::2]):
        if end - start >= max(1, min_length) and unknown[start:end].mean() <= most_unknown:
            whole = not runs
            name = record.name if whole else part_name(record.name, start, end)
            yield replace(record, name=name, codes=record.codes[start:end], circular=record.circular and whole)


def masked_anew(record: Record) -> Record:
    """Return a record in which bases of low complexity are in lower case and no others, whoever masked its file."""
    plain = record.codes & 7
    return replace(record, codes=plain | np.where(low_bases(letters(plain)), MASKED, 0).astype(np.uint8))


def digest(record: Record) -> str:
    """Return the SHA-256 of the smaller of both strands, in upper case."""
    plain = np.minimum(record.codes & 7, UNKNOWN)
    return hashlib.sha256(min(plain.tobytes(), other_strand(plain).tobytes())).hexdigest()


def without_copies(records: Iterable[Record]) -> tuple[list[tuple[Record, str]], list[tuple[str, str]]]:
    """Return the first record of each sequence, whatever its strand, with its digest, and the names of copies and originals."""
    first: dict[str, str] = {}
    kept, copies = [], []
    for record in records:
        own = digest(record)
        if own in first:
            copies.append((record.name, first[own]))
        else:
            first[own] = record.name
            kept.append((record, own))
    return kept, copies
