"""A support vector machine on gapped k-mers (Ghandi et al. 2014), through the package gkmsvm-lite if it is installed."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from glmflow.errors import InputError
from glmflow.genome.packed import OnGenome, Packed

from .sequence_predictors import Predicted, SequenceData

MOST = 20_000
"""Training rows above which the kernel matrix is too large (Gram matrix: 1.6 GB)."""


def fit_gkm_svm(
    data: SequenceData, length: int = 10, k: int = 6, mismatches: int = 3, c: float = 1.0, most: int = MOST
) -> Predicted:
    """Fit a gapped k-mer SVM to each class against the others, or an SVR to numbers.

    Decision values become probabilities by a logistic curve fitted to the validation rows (Platt 2000), or to the
    training rows if there are none.

    Parameters
    ----------
    length, k, mismatches
        Words of `length` bases, `k` of which count, compared at up to `mismatches` differences.
    c
        Penalty of the SVM.

    Raises
    ------
    InputError
        There are more training rows than `most`, sequences differ in length, or the package is missing.
    """
    train = data.of("train")
    if len(train) > most:
        what = f"gkm_svm: {len(train):,} training rows; its kernel matrix is for up to {most:,}"
        raise InputError(what, fix="Leave it out, or give train.examples.")
    lengths = data.sequences.lengths
    if lengths.min() != lengths.max():
        what = f"gkm_svm: sequences of {lengths.min()} to {lengths.max()} bases; its package reads one length"
        raise InputError(what, fix="Leave it out; kmer_logistic reads any lengths.")
    try:
        import gkmsvm
    except ImportError:
        raise InputError("gkm_svm needs the package gkmsvm-lite", fix="pip install gkmsvm-lite.") from None
    read = partial(_text, data.sequences)
    settings = {"l": length, "k": k, "d": mismatches, "C": c, "device": "cpu"}
    known = data.target[train]
    if data.classes is None:
        model = gkmsvm.train_gkmsvr(list(map(read, train)), known.tolist(), **settings)
        return Predicted(_decisions(gkmsvm, model, data.sequences), {"l": length, "k": k, "c": c})
    several = range(data.classes) if data.classes > 2 else [1]
    values = np.zeros((len(data.target), data.classes))
    fitted = data.of("validation") if len(data.of("validation")) else train
    for one in several:
        positive, negative = (list(map(read, train[own])) for own in (known == one, known != one))
        model = gkmsvm.train_gkmsvm(positive, negative, **settings)
        values[:, one] = _platt(_decisions(gkmsvm, model, data.sequences), fitted, data.target == one)
    if data.classes == 2:
        values[:, 0] = 1 - values[:, 1]
    return Predicted(values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12), {"l": length, "k": k, "c": c})


def _text(sequences: Packed | OnGenome, row: int) -> str:
    """Return a sequence as the package reads it: it knows no N."""
    return sequences.text(row).replace("N", "A")


def _decisions(gkmsvm: Any, model: Any, sequences: Packed | OnGenome, batch: int = 512) -> np.ndarray:
    """Return the decision values of sequences, `[n]`."""
    found = np.empty(sequences.count)
    for start in range(0, sequences.count, batch):
        rows = range(start, min(start + batch, sequences.count))
        encoded = [gkmsvm.one_hot_encode(_text(sequences, row)) for row in rows]
        found[start : rows.stop] = model(np.stack(encoded)).ravel()
    return found


def _platt(decision: np.ndarray, rows: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return probabilities of decision values by a logistic curve fitted to some rows."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(positive[rows])) < 2:
        return np.full(len(decision), positive[rows].mean())
    curve = LogisticRegression(C=1e6).fit(decision[rows, None], positive[rows])
    return curve.predict_proba(decision[:, None])[:, 1]
