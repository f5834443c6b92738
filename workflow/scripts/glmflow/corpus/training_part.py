"""Sequences of a part of a corpus as text; of training up to a number of bases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from .corpus_store import Corpus
from .sequence_records import letters

PIECE = 1_000
"""Bases after which a training sequence is cut for comparisons: a repeat of many places is known as one then."""
STRETCH = 1_000
"""Bases that are taken in one place where not all of training is: many short stretches count more genomes than few long ones."""
TIMES = 4
"""Times as long as what is to be found whole a stretch is: three quarters of what begins in it end in it."""
SEED = 1
"""The same for every run of a study: vocabularies, and what models are compared with, do not depend on a run's own seed."""


class TrainingPart(NamedTuple):
    """Training sequences, or stretches of them: their texts, the bases of these, and those of all there are."""

    texts: list[str]
    used: int
    bases: int

    @property
    def left(self) -> int:
        """Training bases that are not in it."""
        return self.bases - self.used


def part_texts(corpus: Corpus, split: str) -> list[str]:
    """Return the sequences of a split."""
    return [letters(corpus.codes(row)).tobytes().decode() for row in corpus.of(split).index]


def training_part(corpus: Corpus, most: int, whole: int = 0, seed: int = SEED) -> TrainingPart:
    """Return the training sequences, or, where they are longer than `most` bases together, `most` bases spread over all.

    See `drawn_stretches`; each stretch is a text of its own, so that no word lies over a join.

    Parameters
    ----------
    whole
        Bases of the longest sequence that is to be found whole: stretches are four times as long.
    """
    return spread_part(corpus, corpus.of("train"), most, whole, seed)


def spread_part(corpus: Corpus, rows: pd.DataFrame, most: int, whole: int = 0, seed: int = SEED) -> TrainingPart:
    """Return the same of any rows of a corpus."""
    texts = list(stretch_texts(corpus, rows, most, whole, seed))
    return TrainingPart(texts, sum(map(len, texts)), int(rows["length"].sum()))


def stretch_texts(corpus: Corpus, rows: pd.DataFrame, most: int, whole: int = 0, seed: int = SEED) -> Iterator[str]:
    """Yield the texts of the stretches of some sequences of a corpus; see `training_part`."""
    for row, start, end in _stretches(rows, most, whole, seed):
        yield letters(corpus.codes(row, start, end)).tobytes().decode()


def training_pieces(corpus: Corpus, most: int, overlap: int) -> pd.DataFrame:
    """Return training sequences, `most` bases at most, in pieces, as rows beside which held-out sequences are compared.

    Parameters
    ----------
    overlap
        Bases that a piece shares with the next one: the longest sequence that is to be found whole.

    Returns
    -------
    DataFrame
        `example` (sequence and place), `split` (`train`), `sequence`.
    """
    train, rows = corpus.of("train"), []
    names = train["sequence"]
    for row, begin, end in _stretches(train, most, overlap):
        text = letters(corpus.codes(row, begin, end)).tobytes().decode()
        for start in range(0, max(1, len(text) - overlap), PIECE):
            rows.append((f"{names[row]}:{begin + start}", "train", text[start : start + PIECE + overlap]))
    return pd.DataFrame(rows, columns=["example", "split", "sequence"])


def _stretches(rows: pd.DataFrame, most: int, whole: int = 0, seed: int = SEED) -> Iterator[tuple[int, int, int]]:
    size = max(STRETCH, TIMES * whole)
    for number, start, end in drawn_stretches(rows["length"].tolist(), most, size, seed):
        yield rows.index[number], start, end


def drawn_stretches(lengths: Sequence[int], most: int, size: int, seed: int = SEED) -> Iterator[tuple[int, int, int]]:
    """Yield number of a sequence, start and end of what is taken of sequences: all where these are `most` bases or fewer.

    Else `most` bases in stretches of `size`: the sequences, one behind the other, are divided evenly into as many parts from a
    drawn place on, and a stretch is drawn in each; one that reaches beyond the end of a sequence is cut there. So each sequence
    counts by its length, as it does where all is taken: a vocabulary or a chain of a large corpus is an estimate of that of all
    its bases. By how often training draws a sequence (`sampling_weights`) it would be another quantity as soon as a corpus grows
    beyond `most`, and would take small species several times over. A search for copies finds what lies in the stretches alone.

    Returns
    -------
    Iterator
        In the order of the sequences; stretches do not overlap.
    """
    ends = np.cumsum(np.asarray(lengths, np.int64))
    total = int(ends[-1]) if len(ends) else 0
    if total <= most:
        yield from ((number, 0, length) for number, length in enumerate(lengths))
        return
    count = -(-most // size)
    edges, taken = (np.arange(count + 1) * bases // count for bases in (total, most))
    room = np.diff(edges)
    sizes = np.minimum(np.diff(taken), room)
    rng = np.random.default_rng(seed)
    starts = edges[:-1] + rng.integers(0, room - sizes + 1)
    starts = (starts + rng.integers(total)) % total  # a circle: else what lies at either end would come less often
    places = [(start, start + size) for start, size in zip(starts.tolist(), sizes.tolist())]
    over = [(0, end - total) for _, end in places if end > total]
    for start, end in sorted([*over, *((start, min(end, total)) for start, end in places)]):
        number = int(np.searchsorted(ends, start, side="right"))
        while start < end:
            before, stop = int(ends[number]) - lengths[number], min(end, int(ends[number]))
            if stop > start:
                yield number, start - before, stop - before
            start, number = stop, number + 1
