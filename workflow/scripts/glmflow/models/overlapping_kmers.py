"""Overlapping k-mers as input: each base is read as the k-mer that ends with it; what is asked for stays a single base.

A causal model is given k - 1 bases beside each one, and asked for the next base alone. Of a masked model every k-mer that holds a
masked base is one of its own, or its neighbours would give away what is masked (as DNABERT's authors mask k in a row; Ji et al.
2021, doi:10.1093/bioinformatics/btab083).
"""

from __future__ import annotations

from torch import Tensor, nn

from glmflow.models.continuation import before
from glmflow.models.packed_rows import moved

FIRST_BASE, LETTERS = 2, 4
"""Id of A in vocabularies of single bases made here; C, G and T follow."""


class OverlappingKmers(nn.Module):
    """Vectors of the k-mers that end at each base.

    What is no base in a k-mer (a mask, N, the beginning of a sequence) makes it one of its last letter alone.

    Parameters
    ----------
    k
        Bases of a k-mer, 2 or more.
    letters
        Ids of single letters.
    size
        Numbers of a vector.
    """

    def __init__(self, k: int, letters: int, size: int):
        super().__init__()
        self.k, self.letters = k, letters
        self.embedding = nn.Embedding(letters + LETTERS**k + 1, size)

    def forward(self, input_ids: Tensor) -> Tensor:
        """``int64[B, L]`` to ``[B, L, D]``."""
        return self.embedding(self.numbers(input_ids))

    def numbers(self, input_ids: Tensor) -> Tensor:
        """Return the number of the k-mer that ends at each place, ``int64[B, L]``; the last one of those with a mask in them."""
        length = input_ids.shape[1]
        known = before(input_ids + 1, 1, self.k - 1)  # 0 beyond the beginning of a sequence
        number, whole, masked = 0, known > 0, known < 0
        for distance in range(self.k):
            letter = moved(known[:, None], distance)[:, 0] - 1
            base = letter - FIRST_BASE
            number = number + base.clamp(0, LETTERS - 1) * LETTERS**distance
            whole, masked = whole & (base >= 0) & (base < LETTERS), masked | (letter == FIRST_BASE - 1)
        alone = known - 1
        found = (self.letters + number).where(whole, alone)
        return found.masked_fill(masked, self.letters + LETTERS**self.k)[:, -length:]
