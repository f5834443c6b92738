"""What thousands of dependency maps come down to: profiles, motifs, stems, strongest pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import correlate

BLOCK = 6
STEM = 5
BAND = 4
"""Cells up to so far from the diagonal (a band 9 wide) are no stems."""
PAIRS = 100
APART = 5
"""Pairs nearer than this are neighbours, not partners."""


def receivers(values: NDArray) -> NDArray[np.float64]:
    """Return how much each base depends on the others: the mean of its column without the diagonal, `float64[L]`."""
    return _mean_off_diagonal(values, 0)


def senders(values: NDArray) -> NDArray[np.float64]:
    """Return how much each base tells of the others (variant influence): the mean of its row without the diagonal."""
    return _mean_off_diagonal(values, 1)


def _mean_off_diagonal(values: NDArray, axis: int) -> NDArray[np.float64]:
    off = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    known = np.isfinite(off).sum(axis)
    return np.where(known > 0, np.nansum(off, axis) / np.maximum(known, 1), np.nan)


def blocks(values: NDArray) -> NDArray[np.float64]:
    """Return the first quartile of the cells of each 6 x 6 block on the diagonal, without the diagonal: high in motifs.

    `float64[L - 5]`, by the block's first base; NaN where a block has no cell.
    """
    off = np.where(np.eye(len(values), dtype=bool), np.nan, values).astype(np.float64)
    if len(off) < BLOCK:
        return np.zeros(0)
    starts = np.arange(len(off) - BLOCK + 1)
    inside = np.arange(BLOCK)
    cells = off[(starts[:, None] + inside)[:, :, None], (starts[:, None] + inside)[:, None, :]]
    cells = cells.reshape(len(starts), -1)
    found = np.full(len(starts), np.nan)
    some = np.isfinite(cells).any(1)
    found[some] = np.nanpercentile(cells[some], 25, axis=1)
    return found


def stems(values: NDArray) -> NDArray[np.float64]:
    """Return the correlation of each 5 x 5 patch with an anti-diagonal, `float64[L, L]` by the patch's middle.

    The template is +1 on the anti-diagonal and -1 elsewhere, its mean removed: stems of RNA, and inverted repeats, are
    anti-diagonal lines. NaN within the band along the diagonal, and where the patch is not whole or knows no cell.
    """
    L, half = len(values), STEM // 2
    template = np.where(np.fliplr(np.eye(STEM)) > 0, 1.0, -1.0)
    template -= template.mean()
    known = np.isfinite(values)
    filled = np.where(known, values, 0).astype(np.float64)
    product = correlate(filled, template, mode="constant")
    ones = np.ones((STEM, STEM))
    total, square = (correlate(one, ones, mode="constant") for one in (filled, filled**2))
    spread = np.sqrt(np.maximum(square - total**2 / STEM**2, 0) * (template**2).sum())
    found = np.divide(product, spread, out=np.zeros_like(product), where=spread > 1e-12)
    whole = correlate(known.astype(float), ones, mode="constant") > STEM**2 - 0.5
    i, j = np.indices((L, L))
    edge = (np.minimum(i, j) < half) | (np.maximum(i, j) >= L - half)
    found[~whole | edge | (np.abs(i - j) <= BAND)] = np.nan
    return found


def by_distance(values: NDArray) -> NDArray[np.float64]:
    """Return the mean cell at each distance of the two bases, `float64[L]`; index 0 is NaN."""
    L = len(values)
    i, j = np.indices((L, L))
    known = np.isfinite(values) & (i != j)
    distance = np.abs(i - j)[known]
    total = np.bincount(distance, values[known], L)
    count = np.bincount(distance, minlength=L)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def strongest_pairs(values: NDArray, codes: NDArray[np.uint8], most: int = PAIRS) -> pd.DataFrame:
    """Return the largest cells more than 5 bases off the diagonal: `i` (changed), `j` (affected), bases, `value`."""
    i, j = np.indices(values.shape)
    cells = np.where((np.abs(i - j) > APART) & np.isfinite(values), values, -np.inf).reshape(-1)
    number = min(most, int(np.isfinite(cells).sum()))
    first = np.argpartition(-cells, max(number - 1, 0))[:number]
    first = first[np.lexsort((first, -cells[first]))]
    rows, columns = np.unravel_index(first, values.shape)
    letters = [chr(code) for code in codes]
    return pd.DataFrame(
        {
            "i": rows,
            "j": columns,
            "base_i": [letters[row] for row in rows],
            "base_j": [letters[column] for column in columns],
            "value": cells[first],
        }
    )


def summary(values: NDArray, codes: NDArray[np.uint8]) -> dict[str, object]:
    """Return one row of the table of maps."""
    block, stem = blocks(values), stems(values)
    distances = by_distance(values)
    best = int(np.nanargmax(stem)) if np.isfinite(stem).any() else None
    block_at = int(np.nanargmax(block)) if np.isfinite(block).any() else None
    return {
        "length_bp": len(codes),
        "n_bases": int((codes == ord("N")).sum()),
        "mean": float(np.nanmean(distances)) if np.isfinite(distances).any() else np.nan,
        "block": np.nan if block_at is None else float(block[block_at]),
        "block_start": -1 if block_at is None else block_at,
        "stem": np.nan if best is None else float(stem.reshape(-1)[best]),
        "stem_i": -1 if best is None else best // len(codes),
        "stem_j": -1 if best is None else best % len(codes),
        "receiver": receivers(values),
        "sender": senders(values),
        "blocks": block,
        "by_distance": distances,
    }


def block_mean(values: NDArray, n: int) -> NDArray[np.float64]:
    """Return the mean of n x n cells, the diagonal of the map left out: a long map small enough to be seen."""
    off = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    size = -(-len(off) // n)
    padded = np.full((size * n, size * n), np.nan)
    padded[: len(off), : len(off)] = off
    cells = padded.reshape(size, n, size, n)
    known = np.isfinite(cells).sum((1, 3))
    return np.where(known > 0, np.nansum(cells, (1, 3)) / np.maximum(known, 1), np.nan)
