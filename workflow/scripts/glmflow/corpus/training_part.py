"""Training sequences of a corpus as text, up to a number of bases."""

from __future__ import annotations

from typing import NamedTuple

from .corpus_store import Corpus
from .sequence_records import letters


class TrainingPart(NamedTuple):
    """Training sequences: their texts, the bases of these, and those of all there are."""

    texts: list[str]
    used: int
    bases: int


def training_part(corpus: Corpus, most: int) -> TrainingPart:
    """Return the training sequences in their order until there are `most` bases; the last one may be cut."""
    rows, texts, used = corpus.of("train"), [], 0
    for row, length in zip(rows.index, rows["length"].tolist()):
        taken = min(length, most - used)
        if taken <= 0:
            break
        texts.append(letters(corpus.codes(row, 0, taken)).tobytes().decode())
        used += taken
    return TrainingPart(texts, used, int(rows["length"].sum()))
