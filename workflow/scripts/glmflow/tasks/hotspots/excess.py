"""Which windows hold more variants than chance would put there, and how far counts are from chance."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from glmflow.errors import InputError

Test = Literal["poisson", "negative_binomial", "top_share"]
FEWEST = 50
"""Windows of each class in the test split below which no AUROC is scored."""


def call_hotspots(
    windows: pd.DataFrame,
    test: Test = "poisson",
    q: float = 0.05,
    share: float = 0.05,
    correct_over: Literal["contig", "genome"] = "contig",
) -> pd.DataFrame:
    """Return the windows with `p`, `q` and `hotspot`; NaN and False where a window is not used.

    The expected count is the mean of the used windows of the same contig.

    Parameters
    ----------
    windows
        `chrom`, `variants`, `used`; `expected` where it differs between the windows of a contig.
    test
        `poisson`: P(X >= x), as published, which counts every window above average as windows and cohorts grow;
        `negative_binomial`: the same with the variance of the contig's windows (moments); `top_share`: the windows with
        the largest counts.
    q
        False discovery rate below which a window is a hotspot (Benjamini and Hochberg 1995).
    share
        Of the used windows of a contig, for `top_share`; ties at the border are all in.
    correct_over
        Windows that are corrected together.
    """
    found = windows.assign(p=np.nan, q=np.nan, hotspot=False)
    for _, rows in windows[windows["used"]].groupby("chrom", sort=False):
        counts = rows["variants"].to_numpy(np.int64)
        if test == "top_share":
            border = np.sort(counts)[::-1][max(round(share * len(counts)), 1) - 1]
            found.loc[rows.index, "hotspot"] = counts >= border
            continue
        expected = rows["expected"].to_numpy(np.float64) if "expected" in rows else counts.mean()
        found.loc[rows.index, "p"] = p_values(counts, test, expected)
    if test == "top_share":
        return found
    used = found[found["used"]]
    together = used.groupby("chrom", sort=False) if correct_over == "contig" else [("", used)]
    for _, rows in together:
        found.loc[rows.index, "q"] = stats.false_discovery_control(rows["p"].to_numpy())
    found["hotspot"] = found["q"] < q
    return found


def p_values(
    counts: NDArray[np.int64], test: Test = "poisson", expected: NDArray[np.float64] | float | None = None
) -> NDArray[np.float64]:
    """Return the chance of as many variants or more in a window of a contig, `[windows]`.

    Parameters
    ----------
    expected
        Variants that chance puts into each window; their mean by default. The negative binomial's variance is
        `m + m^2 / size`, and its size that of the moments.
    """
    mean = counts.mean()
    if mean == 0:
        return np.ones(len(counts))
    rate = np.full(len(counts), mean) if expected is None else np.broadcast_to(expected, counts.shape)
    beyond = ((counts - rate) ** 2).sum() * len(counts) / max(len(counts) - 1, 1) - rate.sum()
    if test == "poisson" or len(counts) < 2 or beyond <= 0:
        return stats.poisson.sf(counts - 1, rate)
    size = (rate**2).sum() / beyond
    return stats.nbinom.sf(counts - 1, size, size / (size + rate))


def dispersion(windows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return of each contig: `windows`, `used`, `mean`, `variance` (ddof 1), `variance_over_mean`.

    Counts that chance alone put there have a ratio of 1; ages of haplotypes and recombination make it larger.
    """
    rows = []
    for chrom, own in windows.groupby("chrom", sort=False):
        counts = own.loc[own["used"], "variants"].to_numpy(np.float64)
        mean = counts.mean() if len(counts) else np.nan
        variance = counts.var(ddof=1) if len(counts) > 1 else np.nan
        ratio = variance / mean if mean else np.nan
        row = {"chrom": chrom, "windows": len(own), "used": len(counts), "mean": mean}
        rows.append({**row, "variance": variance, "variance_over_mean": ratio})
    return rows


def choose_windows(
    windows: pd.DataFrame, seed: int, matched: str | None = None, negatives: float = 1.0, bins: int = 10
) -> pd.DataFrame:
    """Return all hotspots and as many other used windows, drawn by chance: `target` 1 and 0.

    Parameters
    ----------
    windows
        As `call_hotspots` returns them.
    seed
        Of the draw.
    matched
        Column (`gc`) by whose deciles among the hotspots the negatives are drawn; None: any window.
    negatives
        Others to each hotspot.

    Raises
    ------
    InputError
        There is no hotspot, or no other window.
    """
    hot = windows[windows["hotspot"]]
    others = windows[windows["used"] & ~windows["hotspot"]]
    if not len(hot) or not len(others):
        what = "no window is a hotspot" if not len(hot) else "every window is a hotspot"
        fix = "Take another size of window, test: top_share, or more samples."
        raise InputError(f"{what} (of {int(windows['used'].sum()):,} used)", where="hotspots", fix=fix)
    generator = np.random.default_rng(seed)
    wanted = min(round(negatives * len(hot)), len(others))
    if matched is None:
        drawn = generator.choice(others.index.to_numpy(), wanted, replace=False)
    else:
        edges = np.unique(np.quantile(hot[matched], np.linspace(0, 1, bins + 1)))
        inside = others[matched].between(edges[0], edges[-1]).to_numpy()
        place, held = (
            np.clip(np.searchsorted(edges, table[matched], "right") - 1, 0, max(len(edges) - 2, 0))
            for table in (hot, others)
        )
        drawn_parts = []
        for one in np.unique(place):
            pool = others.index.to_numpy()[inside & (held == one)]
            need = min(round(negatives * int((place == one).sum())), len(pool))
            drawn_parts.append(generator.choice(pool, need, replace=False))
        drawn = np.concatenate(drawn_parts)
    chosen = pd.concat([hot.assign(target=1), others.loc[np.sort(drawn)].assign(target=0)])
    return chosen.sort_index()


def neighbour_counts(windows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the mean count of the windows before and behind each on its contig, `[windows]`; NaN where neither is used.

    It is what a model of position knows without reading a base: a random split lets it in.
    """
    counts = np.where(windows["used"], windows["variants"].to_numpy(np.float64), np.nan)
    chrom = windows["chrom"].to_numpy(object)
    start, end = windows["start"].to_numpy(), windows["end"].to_numpy()
    before, behind = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    next_to = (chrom[1:] == chrom[:-1]) & (start[1:] == end[:-1])
    before[1:] = np.where(next_to, counts[:-1], np.nan)
    behind[:-1] = np.where(next_to, counts[1:], np.nan)
    both = np.stack([before, behind])
    known = np.isfinite(both)
    return np.where(known.any(axis=0), np.where(known, both, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
