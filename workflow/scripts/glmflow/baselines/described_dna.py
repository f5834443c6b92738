"""Baselines of kind `described_dna`: counts by tags of the text, and what sees no text: a compressor, counts of one order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.corpus.pair_lines import dna_of, read_pairs
from glmflow.corpus.sequence_records import CODE
from glmflow.corpus.text_controls import Costs, costs_behind_texts
from glmflow.statistics.context_counts import ContextCounts
from glmflow.statistics.context_mixture import ContextMixture, fixed_order_nats

from .fitting_data import Apply, FittingData

TAG = re.compile(r"<(\w+)>(.*?)</\1>")
NO_BASE = 4


def training_features(data: FittingData) -> list[tuple[Mapping[str, str], NDArray[np.uint8]]]:
    """Return tags and codes of the training features."""
    lines = dna_of(read_pairs(Path(data.files["pairs"])), "train")
    return [(line.get("tags") or {}, codes_of(line["target"])) for line in lines]


def codes_of(dna: str) -> NDArray[np.uint8]:
    """Return bases as codes 0 to 3; what is no base is 4."""
    return np.minimum(CODE[np.frombuffer(dna.encode(), np.uint8)] & 7, NO_BASE).astype(np.uint8)


def applied(data: FittingData, costs: Costs) -> Apply:
    """Return the predictions of all features by a function of texts and DNA."""
    return lambda folder: costs_behind_texts(data.examples, costs)


def without_text(data: FittingData, nats: Callable[[NDArray[np.uint8]], NDArray[np.float64]]) -> Apply:
    """Return the predictions of what sees no text: DNA costs the same behind any."""

    @cache
    def cost(dna: str) -> float:
        return float(np.nansum(nats(codes_of(dna))))

    return applied(data, lambda asked: np.array([cost(dna) for _, dna in asked]))


def fit_mixture(data: FittingData) -> Apply:
    """Fit a mixture of orders to the training features."""
    block, features = data.baseline, training_features(data)
    codes = [codes for _, codes in features]
    return without_text(data, ContextMixture(codes, block.orders, block.reverse_complement, block.forgetting).nats)


def fit_order(data: FittingData) -> Apply:
    """Count what follows contexts of one length in the training features."""
    block, features = data.baseline, training_features(data)
    counts = ContextCounts([codes for _, codes in features], block.order, block.reverse_complement)
    return without_text(data, lambda codes: fixed_order_nats(counts, block.order, codes))


class CountsByTags:
    """Counts of what follows contexts, over all features and over those that share their first tags.

    Parameters
    ----------
    features
        Tags and codes of features.
    names
        Tags, the broadest first.
    order
        Bases looked back; before the first base of a feature there is none, which is a context of its own.
    strength
        Bases that the broader estimate weighs in the narrower one, at each context.
    """

    def __init__(
        self,
        features: Sequence[tuple[Mapping[str, str], NDArray[np.uint8]]],
        names: Sequence[str],
        order: int,
        strength: float,
    ):
        self.names, self.order = tuple(names), order
        size = 5**order
        counts: dict[tuple[str, ...], NDArray[np.int64]] = {}
        for tags, codes in features:
            before = self._contexts(codes)
            known = codes < NO_BASE
            places = before[known] * 4 + codes[known]
            for path in self._paths(tags):
                counts[path] = counts.get(path, 0) + np.bincount(places, minlength=4 * size)
        # The broadest first: each narrower estimate is made of the one before it.
        self.tables: dict[tuple[str, ...], NDArray[np.float64]] = {}
        for path in sorted(counts, key=len):
            own = counts[path].reshape(size, 4)
            prior = strength * self.tables[path[:-1]] if path else np.ones((size, 4))
            self.tables[path] = (own + prior) / (own + prior).sum(axis=1, keepdims=True)

    def nats(self, tags: Mapping[str, str], codes: NDArray[np.uint8]) -> float:
        """Return what bases cost by the narrowest counts that the tags name and that training has."""
        table = self.tables[max((path for path in self._paths(tags) if path in self.tables), key=len)]
        known = codes < NO_BASE
        return -float(np.log(table[self._contexts(codes)[known], codes[known]]).sum())

    def _paths(self, tags: Mapping[str, str]) -> list[tuple[str, ...]]:
        """Return the values of no tag, of the first one, of the first two and so on, as far as they are known."""
        found: list[tuple[str, ...]] = [()]
        for name in self.names:
            if name not in tags:
                break
            found.append((*found[-1], tags[name]))
        return found

    def _contexts(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the `order` bases before each place as a number of base 5."""
        padded = np.concatenate([np.full(self.order, NO_BASE, np.int64), codes.astype(np.int64)])
        found = np.zeros(len(codes), np.int64)
        for back in range(1, self.order + 1):
            found = found * 5 + padded[self.order - back : len(padded) - back]
        return found


def fit_tags(data: FittingData) -> Apply:
    """Count bases by tags; of a text it reads its tags and nothing else."""
    block = data.baseline
    counts = CountsByTags(training_features(data), block.tags, block.order, block.strength)

    @cache
    def cost(text: str, dna: str) -> float:
        return counts.nats(dict(TAG.findall(text)), codes_of(dna))

    return applied(data, lambda asked: np.array([cost(text, dna) for text, dna in asked]))


FITS = {"context_mixture": fit_mixture, "fixed_order": fit_order, "tag_counts": fit_tags}
