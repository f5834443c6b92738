"""Data whose truth is known, for the tests of intervals and verdicts; `rng` is all that differs between two draws."""

import numpy as np
from glmflow.statistics import moments
from glmflow.statistics.influence import mean_correlation, mean_value, of_sums
from scipy.ndimage import gaussian_filter1d

BIN = 1000  # bases whose mean coverage is one number here
MEAN_OF_LOCI = np.tanh(np.random.default_rng(1).normal(0.2, 0.2, 10**6)).mean() / 1.01


def noise(rng, *shape):
    return rng.normal(size=shape)


def independent(rng, samples=60, genes=80, r=0.3):
    """Predictions that correlate by r with every gene, nothing shared: score and truth."""
    x = noise(rng, samples, genes)
    return mean_correlation(x, r * x + np.sqrt(1 - r * r) * noise(rng, samples, genes)), r


def shared_factor(rng, samples=60, genes=80, loading=0.7):
    """Expression shares a factor; the prediction is one random number a sample."""
    x = loading * noise(rng, samples, 1) + np.sqrt(1 - loading**2) * noise(rng, samples, genes)
    return mean_correlation(x, np.repeat(noise(rng, samples, 1), genes, axis=1)), 0.0


def families(rng, count=30, genes=40, r=0.0, loading=0.7, sizes=None):
    """Families of one to four that have all in common, and genes that share a factor; at r = 0 one number a family is known.

    Other `sizes` are drawn by a function of `rng` and the count.
    """
    family = np.repeat(np.arange(count), rng.integers(1, 5, count) if sizes is None else sizes(rng, count))
    x = loading * noise(rng, count, 1) + np.sqrt(1 - loading**2) * noise(rng, count, genes)
    y = r * x + np.sqrt(1 - r * r) * noise(rng, count, genes) if r else np.repeat(noise(rng, count, 1), genes, axis=1)
    return mean_correlation(x[family], y[family], samples=family), r


def few_large(rng, count):
    """Sizes of families of which most hold one or two, and a few up to twenty."""
    return np.minimum(20, 1 + rng.pareto(1.5, count)).astype(int)


def unlike_groups(rng, groups=20):
    """Values that copies have in common, in groups of one to forty rows, few of them large."""
    group = np.repeat(np.arange(groups), np.minimum(40, 1 + rng.pareto(1.2, groups)).astype(int))
    return mean_value((0.3 + noise(rng, groups))[group], group), 0.3


def neighbouring_ids(rng, samples=60, loci=30, ids=10):
    """Ten ids a locus, a few bases apart: the same measurement and prediction but for a little noise."""
    rho = np.tanh(0.2 + 0.2 * noise(rng, loci))
    g = noise(rng, samples, loci)
    x = rho * g + np.sqrt(1 - rho**2) * noise(rng, samples, loci)
    x, g = (np.repeat(table, ids, axis=1) + 0.1 * noise(rng, samples, loci * ids) for table in (x, g))
    return mean_correlation(x, g, loci=np.repeat(np.arange(loci), ids)), MEAN_OF_LOCI


def smooth_coverage(rng, megabases=5, r=0.7, smooth=15_000, heavy=False, block=100_000):
    """Coverage that is smooth over 15 kb and a prediction of it, pooled over the bases of one contig."""
    bins = int(megabases * 1e6 / BIN)
    a, b = smooth_field(rng, bins, smooth), smooth_field(rng, bins, smooth)
    truth, guess = r * a + np.sqrt(1 - r * r) * b, a
    expected = r
    if heavy:
        truth, guess, expected = np.exp(truth), np.exp(guess), (np.exp(r) - 1) / (np.e - 1)
    return of_sums(tiles(truth, guess), moments.pearson, np.arange(bins // 10) * 10 * BIN // block), expected


def smooth_field(rng, bins, smooth):
    """White noise of variance 1 after a Gaussian of this width (bp at one standard deviation, both sides)."""
    width = smooth / BIN / 2
    return gaussian_filter1d(noise(rng, bins + 200), width)[100:-100] * np.sqrt(2 * np.sqrt(np.pi) * width)


def tiles(truth, guess, bins=10):
    """Sums of tiles of a number of bins."""
    return np.array([moments.sums(x, y) for x, y in zip(truth.reshape(-1, bins), guess.reshape(-1, bins))])
