"""What can be answered by looking up: the answer that training gives most often to a key, or to what is most alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = Sequence[Hashable]


class Looked(NamedTuple):
    """Answers that a look-up gives to some rows.

    Attributes
    ----------
    answers : list
        One a row; None where its key is not known (or None).
    counts : list[Counter]
        How often training gives each answer to the key of a row; empty where it is not known.
    """

    answers: list[str | None]
    counts: list[Counter]

    @property
    def seen(self) -> int:
        """Return how many rows have a known key."""
        return sum(answer is not None for answer in self.answers)


def majority(answers: Sequence[str]) -> str:
    """Return the most frequent answer; of several the one that comes first."""
    return Counter(answers).most_common(1)[0][0]


def lookup(known: Keys, answers: Sequence[str], asked: Keys) -> Looked:
    """Return the answer that training gives most often to each key; of equally frequent ones the most frequent overall.

    A key of None is not known.
    """
    overall = Counter(answers)
    tables: dict[Hashable, Counter] = defaultdict(Counter)
    for key, answer in zip(known, answers):
        if key is not None:
            tables[key][answer] += 1
    counts = [tables[key] if key in tables else Counter() for key in asked]
    found = [max(own, key=lambda answer: (own[answer], overall[answer])) if own else None for own in counts]
    return Looked(found, counts)


def in_turn(tables: Sequence[Looked], fallback: str) -> list[str]:
    """Return the answer of the first look-up that knows a row, else `fallback`."""
    return [next((one for one in row if one is not None), fallback) for row in zip(*(own.answers for own in tables))]


def nearest(similarity: NDArray, answers: Sequence[str], outside: NDArray | None = None) -> list[str | None]:
    """Return the answer of the training row most alike, the first of several; None where nothing is shared.

    Parameters
    ----------
    similarity : float[asked, known]
    answers
        Of the known rows.
    outside : bool[asked, known]
        Which known rows may be taken for each; all by default.
    """
    values = similarity if outside is None else np.where(outside, similarity, -1)
    if not values.size:
        return [None] * len(values)
    best = values.argmax(axis=1)
    return [answers[place] if values[row, place] > 0 else None for row, place in enumerate(best)]


def jaccard(one: Sequence[frozenset], other: Sequence[frozenset]) -> NDArray[np.float64]:
    """Return the share of the elements of two sets that both have, `[one, other]`; 0 of two empty sets."""
    return np.array([[len(a & b) / max(1, len(a | b)) for b in other] for a in one]).reshape(len(one), len(other))


def without_group(groups: NDArray) -> NDArray[np.bool_]:
    """Return which rows may answer for each: those of other groups, `[rows, rows]`."""
    return groups[:, None] != groups[None, :]


def left_out(answers: Sequence[str], groups: NDArray, similarity: NDArray | None = None) -> list[str]:
    """Return what the rows of all other groups answer: the row most alike, or their most frequent answer."""
    outside, values = without_group(groups), np.asarray(answers, object)
    common = [majority(list(values[own])) if own.any() else "" for own in outside]
    if similarity is None:
        return common
    return [found or fallback for found, fallback in zip(nearest(similarity, list(answers), outside), common)]


def possible(answers: Sequence[str], *keys: Keys) -> float:
    """Return the best accuracy that any rule from these keys to one answer can have on the rows themselves."""
    tables: Mapping[Hashable, Counter] = defaultdict(Counter)
    for row, answer in zip(zip(*keys), answers):
        tables[row][answer] += 1
    return sum(max(own.values()) for own in tables.values()) / len(answers)
