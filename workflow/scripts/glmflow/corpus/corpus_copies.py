"""Copies among the sequences of a corpus, exact and near, on either strand: which one of them is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.genome.similarity import representatives

from .corpus_divided import K, sketched
from .record_cleaning import without_copies
from .sequence_records import Record


class Copies(NamedTuple):
    """What is left of the records of a corpus, and what is not.

    Attributes
    ----------
    kept
        Records with the digests of their bases, in their order.
    left_out
        A row a record that is left out: `sequence`, `length`, `copy_of` (the record that it is a copy of), `kind` (`exact` or
        `near`), `identity` (of near copies an estimate, ``C^(1/21)``).
    """

    kept: list[tuple[Record, str]]
    left_out: pd.DataFrame


def copies_left_out(records: Sequence[Record], identity: float | None) -> Copies:
    """Return records without copies: of exact ones the first is kept; of near ones the longest, then the first.

    A record is a near copy where the share C of its 21-mers that a kept record of its length or more holds says an identity,
    ``C^(1/21)``, of at least `identity`: a fragment of a genome is a copy of it. No near copies are looked for where it is None.
    """
    kept, exact = without_copies(records)
    length = {record.name: len(record.codes) for record in records}
    rows = [(name, length[name], of, "exact", 1.0) for name, of in exact]
    if identity is not None:
        order = sorted(range(len(kept)), key=lambda place: -len(kept[place][0].codes))  # equal ones stay in their order
        own = [kept[place][0] for place in order]
        first, share = representatives(sketched(own), identity**K)
        near = np.flatnonzero(first != np.arange(len(own)))
        for place in sorted(near.tolist(), key=order.__getitem__):
            name = own[place].name
            rows.append((name, length[name], own[first[place]].name, "near", share[place] ** (1 / K)))
        gone = {order[place] for place in near.tolist()}
        kept = [one for place, one in enumerate(kept) if place not in gone]
    return Copies(kept, pd.DataFrame(rows, columns=["sequence", "length", "copy_of", "kind", "identity"]))
