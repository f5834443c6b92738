"""Where regions of the sequences that a corpus was built of lie in it: sequences are cut at unknown bases and at splits."""

from __future__ import annotations

from .corpus_store import Corpus
from .part_names import origin_of


def row_of_region(corpus: Corpus, split: str, chrom: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the row of a split that holds a whole region, and where in it the region starts; None where no row does.

    Parameters
    ----------
    chrom, start, end
        Of the file that the corpus was built of, 0-based half-open.
    """
    table = corpus.of(split)
    for row, name, length in zip(table.index, table["sequence"], table["length"].tolist()):
        origin, begins = (chrom, 0) if name == chrom else origin_of(name)
        if origin == chrom and begins <= start and end <= begins + length:
            return int(row), start - begins
    return None
