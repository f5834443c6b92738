"""A genome whose stretches are kept in memory once they are asked for again."""

from __future__ import annotations

import numpy as np

from glmflow.genome.reference import Reference

_PAGE = 1 << 16
_MOST = 64 << 20  # bases that are kept
_MOST_SEEN = 1 << 20  # pages whose number is kept, of a human genome all


class RememberedReference:
    """Bases of a genome by coordinates, pages of 64 kb that were asked for twice from memory, as far as 64 MB go.

    Windows of genes are read for every sample: checking their letters again takes a third of the time of a haplotype's
    window. A page that is asked for once is not kept, so that windows that never come again cost no more than before.

    Parameters
    ----------
    reference
        The genome.
    """

    def __init__(self, reference: Reference):
        self._reference = reference
        self._pages: dict[tuple[str, int], np.ndarray] = {}  # the one used last at the end
        self._seen: set[tuple[str, int]] = set()

    def fetch(self, chrom: str, start: int, end: int) -> np.ndarray:
        """Return the bases of an interval within its contig, a new array uint8[end - start]; as `Reference.fetch`."""
        numbers = range(start // _PAGE, -(-end // _PAGE))
        try:
            pages = [self._pages[chrom, number] for number in numbers]
        except KeyError:
            keys = [(chrom, number) for number in numbers]
            if not self._seen.issuperset(keys):
                if len(self._seen) > _MOST_SEEN:
                    self._seen.clear()
                self._seen.update(keys)
                return self._reference.fetch(chrom, start, end)
            pages = [self._page(key) for key in keys]
        if not pages:
            return np.empty(0, np.uint8)
        first, last = start - numbers[0] * _PAGE, end - numbers[-1] * _PAGE
        if len(pages) == 1:
            return pages[0][first:last].copy()
        return np.concatenate([pages[0][first:], *pages[1:-1], pages[-1][:last]])

    def _page(self, key: tuple[str, int]) -> np.ndarray:
        """Return a page and keep it; the one that was read first makes room."""
        if key in self._pages:
            return self._pages[key]
        chrom, number = key
        length = self._reference.contigs[chrom]
        page = self._reference.fetch(chrom, number * _PAGE, min((number + 1) * _PAGE, length))
        if len(self._pages) >= _MOST // _PAGE:
            self._pages.pop(next(iter(self._pages)))
        self._pages[key] = page
        return page

    def __getstate__(self) -> dict:
        return {"_reference": self._reference, "_pages": {}, "_seen": set()}
