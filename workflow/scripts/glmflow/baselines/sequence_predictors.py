"""Predictors of labelled sequences without a language model: every result stands beside what they reach.

Each takes `SequenceData` and settings, is fitted to training rows alone (what is chosen, on validation rows) and
returns its prediction of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse

from glmflow.errors import InputError
from glmflow.genome.packed import OnGenome, Packed
from glmflow.labelled.composition import composition, kmer_features, one_hot
from glmflow.labelled.simple_predictors import Predict, by_quantile, logistic, majority, ridges, sampled
from glmflow.statistics.classification import class_scores
from glmflow.statistics.regression import value_scores

Array = NDArray[np.float64]

LENGTH_BINS, GC_BINS = 40, 20
"""Quantile bins of the training rows."""
PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""C of logistic regressions that are tried on validation rows."""
ALPHAS = (1.0, 10.0, 100.0, 1000.0)
"""Penalties of ridge regressions that are tried on validation rows."""
TABLE = 1 << 31
"""Bytes of the largest table of features that is fitted to: of more training rows a sample is taken, and said."""
AT_ONCE = 1 << 24
"""Bases whose features are held at a time for predictions."""
ALIGNED = 400
"""Columns of aligned sequences up to which each position is a feature."""


class SequenceData(NamedTuple):
    """Labelled sequences of one target.

    Attributes
    ----------
    rows : DataFrame
        Examples: `chrom`, `start`, `end` where known.
    packed : Packed or OnGenome
        Sequences; None where they are known by their intervals alone.
    target : NDArray
        Class index (int64), or number.
    classes : int
        Number of classes; None for numbers.
    split : NDArray[object]
        `train`, `validation`, `test`.
    """

    rows: pd.DataFrame
    packed: Packed | OnGenome | None
    target: NDArray
    classes: int | None
    split: NDArray

    def of(self, *splits: str) -> NDArray[np.int64]:
        """Return the rows of some splits."""
        return np.flatnonzero(np.isin(self.split, splits))

    @property
    def sequences(self) -> Packed | OnGenome:
        """The sequences.

        Raises
        ------
        InputError
            There are intervals only.
        """
        if self.packed is None:
            raise InputError("a baseline that reads sequences, and no genome to read them from", fix="Give the FASTA.")
        return self.packed


class Predicted(NamedTuple):
    """Predictions of all rows: probabilities `[n, classes]` or numbers `[n]`; what was chosen, and what it was given beside.

    Training rows that nothing was fitted to, because there are more than `TABLE` holds, have NaN.
    """

    values: Array
    chosen: dict[str, Any] = {}  # noqa: RUF012 - a default of a named tuple
    told: str = ""


Fit = Callable[..., Predicted]
Features = Callable[[Packed | OnGenome], Any]
"""Table of features of some sequences, `[n, features]`, an array or a sparse one."""


def fit_majority(data: SequenceData) -> Predicted:
    """Fit the shares of the training classes, or the training mean."""
    return Predicted(majority(data.target[data.of("train")], data.classes)(np.empty(len(data.target))))


def fit_property(data: SequenceData, name: str, bins: int) -> Predicted:
    """Fit the shares (or the mean) of training rows by quantiles of one property."""
    if name == "length":
        lengths = data.rows["end"] - data.rows["start"] if data.packed is None else data.packed.lengths
        values = np.asarray(lengths, np.float64)
    else:
        values = composition(data.sequences)[name].to_numpy(np.float64)
    train = data.of("train")
    return Predicted(by_quantile(values[train], data.target[train], data.classes, bins)(values))


def fit_kmers(
    data: SequenceData,
    k: Sequence[int] = (3, 4, 5, 6),
    c: Sequence[float] = PENALTIES,
    alpha: Sequence[float] = ALPHAS,
    both_strands: bool = False,
    seed: int = 0,
) -> Predicted:
    """Fit a logistic regression (classes) or a ridge regression (numbers) to counts of k-mers.

    Length of k-mers and penalty are those that do best on the validation rows.

    Parameters
    ----------
    k, c, alpha
        What is tried; one value each is taken as it is.
    both_strands
        k-mers are counted with their reverse complements: for labels that do not depend on the strand.
    """
    make = lambda size: partial(kmer_features, k=size, both_strands=both_strands)  # noqa: E731
    return _best(data, "k", k, make, c if data.classes is not None else alpha, seed)


def fit_positions(
    data: SequenceData, c: Sequence[float] = PENALTIES, alpha: Sequence[float] = ALPHAS, seed: int = 0
) -> Predicted:
    """Fit a logistic or ridge regression to the base at each position of aligned sequences of up to 400 bases.

    Raises
    ------
    InputError
        The sequences differ in length or are longer.
    """
    lengths = np.unique(data.sequences.lengths)
    if len(lengths) != 1 or lengths[0] > ALIGNED:
        what = f"sequences of {lengths.min()} to {lengths.max()} bases are not aligned"
        raise InputError(what, where="position_logistic", fix=f"It is for one length of up to {ALIGNED} bases.")
    return _best(data, "columns", [int(lengths[0])], lambda _: one_hot, c if data.classes is not None else alpha, seed)


def _best(
    data: SequenceData,
    name: str,
    values: Sequence[int],
    make: Callable[[int], Features],
    penalties: Sequence[float],
    seed: int,
) -> Predicted:
    """Return the predictions of the features and penalty that do best on the validation rows.

    Features are made of some sequences at a time, all at once those of the training rows (see `TABLE`).
    """
    validation = data.of("validation")
    tried = len(values) * len(penalties) > 1
    if tried and not len(validation):
        raise InputError("nothing to choose by: no validation rows", where=name, fix="Give one value, or a split.")
    best: tuple[float, Array, dict[str, Any]] | None = None
    for value in values:
        features = make(value)
        table, fitted = _training_table(data, features, seed)
        fits = list(_fits(data, table, data.target[fitted], penalties, seed))
        every = _applied(data, features, fits, table, fitted)
        del table
        for penalty, predicted in zip(penalties, every):
            score = key_score(data, predicted, validation) if tried else 0.0
            if best is None or score > best[0]:
                chosen = {name: value, "c" if data.classes is not None else "alpha": penalty}
                if len(fitted) < len(data.of("train")):
                    chosen["training rows fitted"] = len(fitted)
                best = score, predicted, chosen
    assert best is not None
    return Predicted(best[1], best[2])


def _training_table(data: SequenceData, features: Features, seed: int) -> tuple[Any, NDArray[np.int64]]:
    """Return the features of the training rows, or of as many of them as `TABLE` holds, and which rows these are."""
    train = data.of("train")
    some = features(data.sequences.take(train[:: max(1, len(train) // 100)][:100]))
    held = sum(part.nbytes for part in (some.data, some.indices)) if issparse(some) else some.nbytes
    most = max(1, int(TABLE / max(held / some.shape[0], 1)))
    train = sampled(train, most, np.random.default_rng(seed))
    return features(data.sequences.take(train)), train


def _applied(
    data: SequenceData,
    features: Features,
    fits: Sequence[Predict],
    table: Any,
    fitted: NDArray[np.int64],
) -> Array:
    """Return what each fit predicts of all rows, `[fits, n]` or `[fits, n, classes]`: of rows it was fitted to by their table."""
    size = () if data.classes is None else (data.classes,)
    found = np.full((len(fits), len(data.target), *size), np.nan)
    others = data.of("validation", "test")
    for number, fit in enumerate(fits):
        found[number, fitted] = fit(table)
    for rows, part in data.sequences.take(others).parts(AT_ONCE):
        own = features(part)
        for number, fit in enumerate(fits):
            found[number, others[rows]] = fit(own)
    return found


def _fits(
    data: SequenceData, features: Any, known: NDArray, penalties: Sequence[float], seed: int
) -> Iterator[Predict]:
    """Yield the fit of training rows with each penalty."""
    if data.classes is None:
        yield from ridges(features, known, penalties)
        return
    for penalty in penalties:
        yield logistic(features, known, data.classes, penalty, seed=seed)


def key_score(data: SequenceData, predicted: Array, rows: NDArray[np.int64]) -> float:
    """Return what choices are made by: the Matthews correlation of classes, the Pearson correlation of numbers."""
    if data.classes is None:
        return float(value_scores(data.target[rows], predicted[rows])["pearson"][0])
    return float(class_scores(data.target[rows], predicted[rows])["mcc"][0])


def each_target(
    fit: Fit, data: SequenceData, targets: NDArray, labels: bool, **settings: Any
) -> tuple[Array, list[dict[str, Any]]]:
    """Fit a predictor to each of several labels or numbers, `[n, targets]`.

    Parameters
    ----------
    targets
        `[n, targets]`, 0 or 1 if they are `labels`.
    """
    classes = 2 if labels else None
    columns = np.asarray(targets, np.int64 if labels else np.float64).T
    found = [fit(data._replace(target=column, classes=classes), **settings) for column in columns]
    values = [one.values[:, 1] if labels else one.values for one in found]
    return np.stack(values, axis=1), [one.chosen for one in found]


PREDICTORS: Mapping[str, Fit] = {
    "majority": fit_majority,
    "length_only": partial(fit_property, name="length", bins=LENGTH_BINS),
    "gc_only": partial(fit_property, name="gc", bins=GC_BINS),
    "cpg_only": partial(fit_property, name="cpg_oe", bins=GC_BINS),
    "n_fraction": partial(fit_property, name="n_share", bins=GC_BINS),
    "kmer_logistic": fit_kmers,
    "kmer_ridge": fit_kmers,
    "position_logistic": fit_positions,
}
"""Predictors by the name that a study gives them; see `sequence_lookups` for those that are given something."""
