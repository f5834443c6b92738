"""What only a model or a list of motifs can tell of a piece: bits under another model, its embedding, its motifs."""

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


class Further(NamedTuple):
    """Functions of a piece, each where there is one.

    Attributes
    ----------
    judge
        Bits that it costs under a language model that did not draw it.
    embed
        Its embedding by a fixed model, `[D]`.
    motifs
        Whether each motif has a site in it, `[m]`.
    """

    judge: Callable[[str], float] | None = None
    embed: Callable[[str], NDArray[np.float64]] | None = None
    motifs: Callable[[str], NDArray[np.bool_]] | None = None

    def fitted(self, reference: Sequence[str]) -> tuple[Callable[[str], Facts], list[Facts]]:
        """Return a function from a piece to its facts, and the facts of some real pieces, which it is fitted to."""
        few = reference[:FEW]
        embeddings = [self._embedding(piece) for piece in few]  # once: a model is slow
        projection = None if self.embed is None else projection_of(np.array(embeddings))

        def compared(piece: str, embedding: NDArray[np.float64] | None) -> Facts:
            found: Facts = {}
            if embedding is not None and projection is not None:
                found["embedding"] = moments(embedding, projection)
            if self.motifs is not None:
                found["motifs"] = hit_set(self.motifs(piece))
            return found

        def facts(piece: str) -> Facts:
            judged = {} if self.judge is None else {"judge": np.array([self.judge(piece), len(piece)])}
            return judged | compared(piece, self._embedding(piece))

        return facts, [compared(*one) for one in zip(few, embeddings)]

    def _embedding(self, piece: str) -> NDArray[np.float64] | None:
        return None if self.embed is None else self.embed(piece)


NOTHING_FURTHER = Further()
