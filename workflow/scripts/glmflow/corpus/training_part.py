"""Sequences of a part of a corpus as text; of training up to a number of bases."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from .corpus_store import Corpus
from .sequence_records import letters

PIECE = 1_000
"""Bases after which a training sequence is cut for comparisons: a repeat of many places is known as one then."""


class TrainingPart(NamedTuple):
    """Training sequences: their texts, the bases of these, and those of all there are."""

    texts: list[str]
    used: int
    bases: int


def part_texts(corpus: Corpus, split: str) -> list[str]:
    """Return the sequences of a split."""
    return [letters(corpus.codes(row)).tobytes().decode() for row in corpus.of(split).index]


def training_part(corpus: Corpus, most: int) -> TrainingPart:
    """Return the training sequences in their order until there are `most` bases; the last one may be cut."""
    return first_bases(corpus, corpus.table["split"] == "train", most)


def first_bases(corpus: Corpus, chosen: pd.Series, most: int) -> TrainingPart:
    """Return the chosen sequences (true or false a row) in their order until there are `most` bases; the last one may be cut."""
    rows, texts, used = corpus.table[chosen], [], 0
    for row, length in zip(rows.index, rows["length"].tolist()):
        taken = min(length, most - used)
        if taken <= 0:
            break
        texts.append(letters(corpus.codes(row, 0, taken)).tobytes().decode())
        used += taken
    return TrainingPart(texts, used, int(rows["length"].sum()))


def training_pieces(corpus: Corpus, most: int, overlap: int) -> pd.DataFrame:
    """Return the first `most` training bases in pieces, as rows beside which held-out sequences are compared.

    Parameters
    ----------
    overlap
        Bases that a piece shares with the next one: the longest sequence that is to be found whole.

    Returns
    -------
    DataFrame
        `example` (sequence and place), `split` (`train`), `sequence`.
    """
    names, rows = corpus.of("train")["sequence"].tolist(), []
    for name, text in zip(names, training_part(corpus, most).texts):
        for start in range(0, max(1, len(text) - overlap), PIECE):
            rows.append((f"{name}:{start}", "train", text[start : start + PIECE + overlap]))
    return pd.DataFrame(rows, columns=["example", "split", "sequence"])
