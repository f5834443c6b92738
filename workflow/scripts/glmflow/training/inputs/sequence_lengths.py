"""What happened to sequences on their way into a model: cut, chunked, padded; counted, so that nothing is cut silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.models.adapter import Adapter
from glmflow.models.chunking import room
from glmflow.models.layer_states import token_counts

FILE = "lengths.tsv"
WORDS = {
    "cut": "longer than `length`: the middle is read",
    "chunked": "beyond the context: read in overlapping chunks",
    "padded": "padded to the longest of their batch, behind a mask",
    "padded_left": "padded on the left to `length`, without a mask",
    "ambiguous": "with letters other than A, C, G and T",
}


class LengthCounts:
    """Counts of sequences by what became of them.

    Parameters
    ----------
    adapter
        The model that reads them.
    length
        Bases that are read of a sequence.
    batch
        Sequences in a batch.
    padded_to
        Tokens that shorter sequences are padded to on the left.
    """

    def __init__(self, adapter: Adapter, length: int, batch: int, padded_to: int | None = None):
        self.adapter, self.length, self.batch, self.padded_to = adapter, length, batch, padded_to
        self.counts: Counter[str] = Counter(dict.fromkeys(WORDS, 0))
        self.sequences = 0

    def add(self, sequences: Sequence[NDArray[np.uint8]], whole: NDArray[np.int64]) -> None:
        """Count sequences as they are read, in their order; `whole` are their lengths before they were cut."""
        self.sequences += len(sequences)
        self.counts["cut"] += int((whole > self.length).sum())
        self.counts["ambiguous"] += sum(not np.isin(one, np.frombuffer(b"ACGT", np.uint8)).all() for one in sequences)
        if self.adapter.tokenizer is None:
            return
        tokens = np.array(token_counts(self.adapter, list(sequences)))
        fits = room(self.adapter)
        if fits is not None:
            self.counts["chunked"] += int((tokens > fits).sum())
        if self.padded_to is not None:
            self.counts["padded_left"] += int((tokens < self.padded_to).sum())
        elif self.adapter.card.padding:
            for first in range(0, len(tokens), self.batch):
                own = tokens[first : first + self.batch]
                self.counts["padded"] += int((own < own.max()).sum())

    def table(self) -> pd.DataFrame:
        """Return `what`, `words`, `count`, `of`."""
        other = "padded_left" if self.padded_to is None else "padded"
        rows = [(name, words, self.counts[name], self.sequences) for name, words in WORDS.items() if name != other]
        return pd.DataFrame(rows, columns=["what", "words", "count", "of"])
