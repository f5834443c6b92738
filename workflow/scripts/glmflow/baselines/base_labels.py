"""Baselines of kind `base_labels`: class probabilities of every base or bin without a language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from glmflow.config.tasks import task_block
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.genome.packed import fetch
from glmflow.genome.reference import Reference
from glmflow.labelled.simple_predictors import by_quantile, shares
from glmflow.tasks.base_labels.base_segments import window_kmers
from glmflow.tasks.window_labels import mean_probabilities, open_probabilities, other_strand, read_labels

from .fitting_data import Apply, Fit, FittingData
from .nearest_training import PLACE, nearest_windows, placed

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From the bases of a window, `[L]`, to the probabilities of the classes of its bases, `[L, classes]`."""
PERIOD = 3


class Bases(NamedTuple):
    """Training bases drawn from all training windows.

    Attributes
    ----------
    windows
        Bases of each training window.
    place
        Which bases of it were drawn, of each window.
    target
        Class of each drawn base, window after window.
    classes
        Number of classes.
    """

    windows: list[NDArray[np.uint8]]
    place: list[NDArray[np.int64]]
    target: NDArray[np.int64]
    classes: int


def drawn_bases(data: FittingData, most: int, classes: int) -> Bases:
    """Return up to `most` training bases that have a class, drawn evenly over windows with the seed of the run."""
    rows = data.examples[data.examples["split"] == "train"]
    labels = read_labels(Path(data.files["tables"]), rows["example"])
    bin_size = task_block(data.settings["task"]).bin
    each = max(1, most // max(len(rows), 1))
    generator = np.random.default_rng(int(data.settings["seed"]))
    place, target = [], []
    for own in labels:
        known = np.flatnonzero(own >= 0)
        chosen = np.sort(generator.choice(known, min(each, len(known)), replace=False))
        place.append(chosen * bin_size + bin_size // 2)
        target.append(own[chosen].astype(np.int64))
    if not sum(map(len, target)):
        raise InputError("no training base has a class", where="examples", fix="Give windows with labels.")
    windows = list(fetch(Reference(data.files["fasta"]), rows).each())
    return Bases(windows, place, np.concatenate(target), classes)


def base_by_base(fit: Callable[[Bases, FittingData], Predict], most: int) -> Fit:
    """Return the fit of a predictor of single bases; a bin has the mean probabilities of its bases."""

    def fitted(data: FittingData) -> Apply:
        names = read_table(f"{data.files['tables']}/classes.tsv")["class"].astype(str).tolist()
        predict = fit(drawn_bases(data, most, len(names)), data)
        held_out = data.examples[data.examples["split"] != "train"].reset_index(drop=True)
        task, genome = task_block(data.settings["task"]), Reference(data.files["fasta"])

        def apply(folder: Path) -> pd.DataFrame:
            shape = (len(held_out), task.window_bp // task.bin, len(names))
            table = open_probabilities(folder, shape)
            for row, codes in enumerate(windows_of(genome, held_out)):
                table[row] = predict(codes).reshape(shape[1], task.bin, shape[2]).mean(axis=1)
            table.flush()
            return mean_probabilities(held_out, table, names)

        return apply

    return fitted


def windows_of(genome: Reference, rows: pd.DataFrame) -> Iterator[NDArray[np.uint8]]:
    """Yield the bases of windows one at a time."""
    for number in range(len(rows)):
        yield windows_at(genome, rows, number)


def fit_majority(bases: Bases, data: FittingData) -> Predict:
    """Fit the shares of the classes among training bases."""
    found = shares(bases.target, bases.classes)
    return lambda codes: np.tile(found, (len(codes), 1))


def fit_base_kmers(bases: Bases, data: FittingData) -> Predict:
    """Fit a logistic regression on which k-mer stands at each place around a base, up to `around` bases away."""
    from sklearn.linear_model import LogisticRegression

    k, around = data.baseline.k, data.baseline.around
    columns = (2 * around + 1) * 4**k

    def features(codes: NDArray[np.uint8], place: NDArray[np.int64] | None = None) -> Any:
        number = window_kmers(codes, k, around)
        number = number if place is None else number[place]
        column = number + np.arange(number.shape[1]) * 4**k
        row, at = np.nonzero(number >= 0)
        ones = np.ones(len(row), np.float32)
        return sparse.csr_matrix((ones, (row, column[row, at])), (len(number), columns))

    x = sparse.vstack([features(codes, place) for codes, place in zip(bases.windows, bases.place)], "csr")
    model = LogisticRegression(C=data.baseline.c, max_iter=200).fit(x, bases.target)
    known = model.classes_

    def predict(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        found = np.zeros((len(codes), bases.classes))
        found[:, known] = model.predict_proba(features(codes))
        return found

    return predict


def fit_period(bases: Bases, data: FittingData) -> Predict:
    """Fit the shares of the classes by how strongly bases repeat every three places around a base."""
    around = data.baseline.around
    values = np.concatenate([period_strength(codes, around)[own] for codes, own in zip(bases.windows, bases.place)])
    found = by_quantile(values, bases.target, bases.classes, 20)
    return lambda codes: found(period_strength(codes, around))


def period_strength(codes: NDArray[np.uint8], around: int) -> NDArray[np.float64]:
    """Return how strongly bases repeat every three places within `around` bases of each base, `[L]`.

    The power of the four bases' indicators at frequency 1/3 over the window, divided by its length: about 1 by chance,
    more in coding sequence (Tiwari et al. 1997).
    """
    turn = np.exp(-2j * np.pi * np.arange(len(codes)) / PERIOD)
    place = np.arange(len(codes))
    first, last = np.maximum(place - around, 0), np.minimum(place + around + 1, len(codes))
    total = np.zeros(len(codes))
    for base in b"ACGT":
        summed = np.concatenate([[0], np.cumsum(np.where(codes == base, turn, 0))])
        total += np.abs(summed[last] - summed[first]) ** 2
    return total / (last - first)


def fit_lookup(data: FittingData) -> Apply:
    """Lay the labels of the training window that is most alike over a window, base by base, on either strand.

    What no training window lies over has the shares of the classes among training bases.
    """
    names = read_table(f"{data.files['tables']}/classes.tsv")["class"].astype(str).tolist()
    rows, held_out = (
        data.examples[(data.examples["split"] == "train") == known].reset_index(drop=True) for known in (True, False)
    )
    genome, task = Reference(data.files["fasta"]), task_block(data.settings["task"])
    labels = read_labels(Path(data.files["tables"]), rows["example"])
    background = shares(labels[labels >= 0].astype(np.int64), len(names))
    like = nearest_windows(genome.fetch, rows, held_out, data.baseline.share, data.cores)
    source = {tuple(row[:3]): row[3] for row in like[[*PLACE, "target"]].itertuples(index=False, name=None)}
    turned = np.array(other_strand(names))

    def laid_over(place: tuple[str, int, int], codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the probabilities of the classes of a window's bases, `[L, classes]`."""
        found = np.tile(background, (len(codes), 1))
        number = source.get(place)
        lies = None if number is None else placed(codes, windows_at(genome, rows, number))
        if lies is None:
            return found
        at = lies.offset + np.arange(len(codes)) * (1 if lies.strand == "+" else -1)
        own = np.repeat(labels[number], task.bin)
        inside = np.flatnonzero((at >= 0) & (at < len(own)))
        inside = inside[own[at[inside]] >= 0]
        classes = own[at[inside]].astype(np.int64)
        found[inside] = np.eye(len(names))[classes if lies.strand == "+" else turned[classes]]
        return found

    def apply(folder: Path) -> pd.DataFrame:
        table = open_probabilities(folder, (len(held_out), task.window_bp // task.bin, len(names)))
        places = zip(*(held_out[column] for column in PLACE))
        for row, (place, codes) in enumerate(zip(places, windows_of(genome, held_out))):
            table[row] = laid_over(place, codes).reshape(-1, task.bin, len(names)).mean(axis=1)
        table.flush()
        return mean_probabilities(held_out, table, names)

    return apply


def windows_at(genome: Reference, rows: pd.DataFrame, number: int) -> NDArray[np.uint8]:
    """Return the bases of one window."""
    return fetch(genome, rows.iloc[number : number + 1]).one(0)


FITS = {
    "nearest_training": fit_lookup,
    "majority": base_by_base(fit_majority, 1_000_000),
    "base_kmers": base_by_base(fit_base_kmers, 60_000),
    "codon_period": base_by_base(fit_period, 200_000),
}
