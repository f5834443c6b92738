"""What only a model or a file of the user can tell of a piece: bits under another model, its embedding, motifs, families."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .embedding_distance import moments, projection_of
from .motif_sets import hit_set

Facts = dict[str, NDArray[np.float64]]
FEW = 200
"""Real pieces that are asked for at most: models are slow, and more would move little."""


class Told(NamedTuple):
    """What was told of one piece; None where nothing was asked.

    Attributes
    ----------
    bases
        Its length.
    bits
        What it costs under a language model that did not draw it.
    embedding
        Of a fixed model, `[D]`.
    motifs
        Whether each motif has a site in it, `[m]`.
    families
        What `family_counts` counts of its proteins, `[3 + m]`.
    """

    bases: int
    bits: float | None = None
    embedding: NDArray[np.float64] | None = None
    motifs: NDArray[np.bool_] | None = None
    families: NDArray[np.float64] | None = None


class Further(NamedTuple):
    """Functions of a piece, each where there is one: what `Told` holds of it."""

    judge: Callable[[str], float] | None = None
    embed: Callable[[str], NDArray[np.float64]] | None = None
    motifs: Callable[[str], NDArray[np.bool_]] | None = None
    families: Callable[[str], NDArray[np.float64]] | None = None

    def tell(self, piece: str) -> Told:
        """Return all that is told of a piece."""
        return Told(len(piece), *(None if ask is None else ask(piece) for ask in self))

    def of_reference(self, reference: Sequence[str]) -> list[Told]:
        """Return what is told of some real pieces that others are compared with; what they cost is not asked for."""
        return [self._replace(judge=None).tell(piece) for piece in reference[:FEW]]


NOTHING_FURTHER = Further()


def measure_of(reference: Sequence[Told]) -> Callable[[Told], Facts]:
    """Return a function from what is told of a piece to its facts; embeddings are seen along the axes of real ones."""
    embeddings = [one.embedding for one in reference if one.embedding is not None]
    projection = projection_of(np.array(embeddings)) if embeddings else None

    def facts(told: Told) -> Facts:
        found: Facts = {}
        if told.bits is not None:
            found["judge"] = np.array([told.bits, told.bases], float)
        if told.embedding is not None and projection is not None:
            found["embedding"] = moments(told.embedding, projection)
        if told.motifs is not None:
            found["motifs"] = hit_set(told.motifs)
        if told.families is not None:
            found["families"] = told.families
        return found

    return facts
