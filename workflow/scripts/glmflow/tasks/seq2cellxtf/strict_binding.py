"""Scores of binding in which nothing can be left out: every key and region, finite and once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.binding.binding_matrix import BindingMatrix
from glmflow.binding.concordance import Concordance, cell_concordance, tf_concordance
from glmflow.binding.key_scores import ColumnScores, column_scores, f1, ranked_scores
from glmflow.binding.keys import require_once, some_of, split_key
from glmflow.errors import InputError


class StrictBinding(NamedTuple):
    """Scores of an upload.

    Attributes
    ----------
    rows
        Scores of each key with both classes (`ranked_scores`, and `f1_at_half`).
    excluded
        Keys that bind all regions or none, which have no order to be scored.
    mean
        Means of the rows.
    columns, cells, tfs
        Over the keys of a region; over pairs of cells; over pairs of TFs.
    covered
        Share of the values that were uploaded; below 1 with `partial` alone.
    """

    rows: dict[str, dict[str, float]]
    excluded: list[str]
    mean: dict[str, float]
    columns: ColumnScores
    cells: Concordance
    tfs: Concordance
    covered: float


def strict_scores(truth: BindingMatrix, upload: BindingMatrix, partial: bool = False) -> StrictBinding:
    """Score an upload against all keys and regions of the truth.

    Parameters
    ----------
    partial
        Values that are missing count as ties at the lowest prediction of their key (0 for a missing key) instead of
        stopping it.

    Raises
    ------
    InputError
        A key or region is missing (without `partial`) or there twice, a value is not finite, or a label not 0 or 1.
    """
    for matrix, where in ((truth, "truth"), (upload, "upload")):
        require_once(matrix.keys, "key", where)
        require_once(matrix.regions, "region", where)
    if not np.isin(truth.values, (0, 1)).all():
        raise InputError("a label is neither 0 nor 1", where="truth", fix="Give 1 where a region is bound, else 0.")
    keys, regions = set(upload.keys), set(upload.regions)
    no_keys = [key for key in truth.keys if key not in keys]
    no_regions = [region for region in truth.regions if region not in regions]
    if (no_keys or no_regions) and not partial:
        parts = [
            f"{len(names):,} {what} ({some_of(names)})"
            for what, names in (("keys", no_keys), ("regions", no_regions))
            if names
        ]
        raise InputError(f"{' and '.join(parts)} missing", where="upload", fix="Predict all, or say --partial.")
    there = [key for key in truth.keys if key in keys], [region for region in truth.regions if region in regions]
    values = upload.take(*there)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise InputError(f"{count:,} values are not finite", where="upload", fix="Give a number for each.")
    scores = values if not (no_keys or no_regions) else filled(truth, there, values)
    found = scores_of(truth.keys, truth.values > 0, scores)
    return found._replace(covered=values.size / truth.values.size)


def filled(truth: BindingMatrix, there: tuple[list[str], list[str]], values: NDArray) -> NDArray:
    """Return predictions of all keys and regions; those that are missing are their key's lowest."""
    whole = np.zeros(truth.values.shape)
    rows = [truth.keys.index(key) for key in there[0]]
    column = {name: place for place, name in enumerate(truth.regions)}
    if values.size:
        whole[rows] = values.min(axis=1, keepdims=True)
        whole[np.ix_(rows, [column[name] for name in there[1]])] = values
    return whole


def scores_of(keys: list[str], labels: NDArray[np.bool_], scores: NDArray) -> StrictBinding:
    """Return the scores of predictions `[keys, regions]` of any float type; memory beside them is small."""
    rows, excluded = {}, []
    for key, bound, own in zip(keys, labels, scores):
        if bound.all() or not bound.any():
            excluded.append(key)
            continue
        rows[key] = {**ranked_scores(bound, own), "f1_at_half": f1(bound, own)}
    names = list(next(iter(rows.values()), {}))
    mean = {name: float(np.mean([row[name] for row in rows.values()])) for name in names}
    cells, tfs = zip(*(split_key(key) for key in keys))
    pairs = [of(labels, scores, cells, tfs) for of in (cell_concordance, tf_concordance)]
    return StrictBinding(rows, excluded, mean, column_scores(labels, scores), *pairs, 1.0)
