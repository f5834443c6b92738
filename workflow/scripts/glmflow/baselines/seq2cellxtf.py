"""Baselines of kind `seq2cellxtf`: from a constant to what a simulation knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from glmflow.binding.binding_tables import Binding, predictions_table
from glmflow.errors import InputError

from .binding_frame import Array, Frame
from .fitting_data import Apply, Fit, FittingData
from .nearest_training import donors
from .two_tower import fit_two_tower

Values = Callable[[FittingData, Frame], NDArray]
"""`values[keys, regions]` of what is predicted."""


def of_keys(values: Values) -> Fit:
    """Return the fit of a baseline from what predicts keys in regions."""

    def fitted(data: FittingData) -> Apply:
        frame = Frame(Binding(data.examples, data.files["tables"]))
        found = predictions_table(frame.binding, values(data, frame), frame.keys, frame.regions)
        return lambda folder: written(folder, found)

    return fitted


def written(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions; nothing is written beside them."""
    return table


def same_for_all(values: Callable[[FittingData, Frame], Array]) -> Fit:
    """Return the fit of a baseline that knows regions alone, `[all regions]`."""
    return of_keys(lambda data, frame: np.tile(values(data, frame)[frame.regions], (len(frame.keys), 1)))


def by_key(values: Callable[[FittingData, Frame, int], Array]) -> Fit:
    """Return the fit of a baseline that predicts one key in all regions, `[all regions]`."""
    return of_keys(lambda data, frame: np.stack([values(data, frame, key)[frame.regions] for key in frame.keys]))


def _prevalence(data: FittingData, frame: Frame) -> Array:
    return np.full(len(frame.binding.regions), frame.prevalence)


def _width(data: FittingData, frame: Frame) -> Array:
    return frame.binding.regions["log_length"].to_numpy(np.float64)


def _composition(data: FittingData, frame: Frame) -> Array:
    inputs = np.concatenate([frame.generic, frame.generic**2], axis=1)
    bound, known = frame.labels.sum(axis=0), frame.known.sum(axis=0)
    own = inputs[frame.learned_regions]
    weights = np.concatenate([bound, known - bound])
    target = np.repeat([1, 0], len(own))
    model = LogisticRegression(C=1.0, max_iter=300).fit(np.tile(own, (2, 1)), target, sample_weight=weights + 1e-9)
    return model.predict_proba(inputs)[:, 1]


def _frequency(data: FittingData, frame: Frame) -> Array:
    return np.clip(frame.ridge(frame.share(), data.baseline.alpha), 0, 1)


def _known(frame: Frame, column: str, key: int) -> Array:
    """Return the mean label of the training keys of the same TF or cell; of all where there is none."""
    keys = frame.binding.keys
    same = (keys[column].iloc[frame.learned_keys] == keys[column].iloc[key]).to_numpy()
    return frame.share(same if same.any() else slice(None), frame.regions)


def _known_frequency(data: FittingData, frame: Frame) -> Array:
    return np.tile(frame.share(regions=frame.regions), (len(frame.keys), 1))


def _known_mean(*columns: str) -> Fit:
    def values(data: FittingData, frame: Frame) -> Array:
        return np.stack([np.prod([_known(frame, column, key) for column in columns], axis=0) for key in frame.keys])

    return of_keys(values)


def _best_motif(data: FittingData, frame: Frame, key: int) -> Array:
    scores = frame.binding.scores[:, frame.binding.tf_of_keys[key]].astype(np.float64)
    if not data.baseline.corrected:
        return scores
    inputs = np.concatenate([frame.generic, frame.generic**2], axis=1)
    own = frame.learned_regions
    return scores - LinearRegression().fit(inputs[own], scores[own]).predict(inputs)


def _occupancy(frame: Frame, key: int) -> Array:
    return frame.binding.occupancy[:, frame.binding.tf_of_keys[key]].astype(np.float64)


def _motif_expression(data: FittingData, frame: Frame, key: int) -> Array:
    binding = frame.binding
    return _occupancy(frame, key) * binding.expressed[binding.cell_of_keys[key], binding.tf_of_keys[key]]


def _accessibility(data: FittingData, frame: Frame, key: int) -> Array:
    cell = frame.binding.cell_of_keys[key]
    if data.baseline.proxy:
        return np.clip(frame.proxy[cell], 1e-4, None)
    if frame.binding.accessibility is None:
        raise InputError(
            "no accessibility", where=f"models.{data.settings['model_label']}", fix="Give bigWigs, or say proxy: true."
        )
    return frame.binding.accessibility[cell].astype(np.float64)


def _motif_accessibility(data: FittingData, frame: Frame, key: int) -> Array:
    return _occupancy(frame, key) * _accessibility(data, frame, key)


def _nearest_key(data: FittingData, frame: Frame) -> Array:
    """Predict each key by the model of a training key; of a cell without the TF (`by: cell`) by that of its mean label."""
    binding, models = frame.binding, {}
    tfs, cells = binding.tf_of_keys[frame.learned_keys], binding.cell_of_keys[frame.learned_keys]
    found = []
    for key in frame.keys:
        tf, cell = binding.tf_of_keys[key], binding.cell_of_keys[key]
        near_tf, near_cell = binding.similarity[tf, tfs], frame.cell_similarity[cell, cells]
        if data.baseline.by == "tf":
            donor = int(np.lexsort((near_cell, near_tf))[-1])
        elif (tfs == tf).any():
            donor = int(np.argmax(np.where(tfs == tf, near_cell, -np.inf)))
        else:
            donor = -1 - int(cells[np.argmax(near_cell)])
        if donor not in models:
            if donor >= 0:
                models[donor] = frame.logistic(donor)
            else:
                models[donor] = np.clip(frame.ridge(frame.share(cells == -1 - donor), 100.0), 0, 1)
        found.append(models[donor][frame.regions])
    return np.stack(found)


def _lookup(data: FittingData, frame: Frame) -> Array:
    """Predict a region by the training region that it is most like: the mean label of the TF's training keys there.

    Of a TF without training keys that of all; regions that are like none have the mean over training regions.
    """
    regions = frame.binding.regions
    known = np.isin(np.arange(len(regions)), frame.learned_regions)
    source = donors(regions["sequence"].tolist(), known, data.baseline.share, data.cores)[frame.regions]
    place = np.searchsorted(frame.learned_regions, np.maximum(source, 0))
    tfs = frame.binding.keys["tf"].to_numpy(object)
    found = []
    for key in frame.keys:
        same = tfs[frame.learned_keys] == tfs[key]
        labels = frame.share(same if same.any() else slice(None))
        found.append(np.where(source >= 0, labels[np.minimum(place, len(labels) - 1)], labels.mean()))
    return np.stack(found)


def _rows(frame: Frame, columns: Callable[[int], Array], most: int, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return numbers and labels of training keys in training regions, as many of each key."""
    rng = np.random.default_rng(seed)
    each = max(1, most // len(frame.learned_keys))
    inputs, target = [], []
    for row, key in enumerate(frame.learned_keys):
        own = np.flatnonzero(frame.known[row])
        if len(own) > each:
            own = np.sort(rng.choice(own, each, replace=False))
        inputs.append(columns(key)[frame.learned_regions[own]].astype(np.float32))
        target.append(frame.labels[row, own])
    return np.concatenate(inputs), np.concatenate(target)


def _pooled_logistic(data: FittingData, frame: Frame) -> Array:
    def columns(key: int) -> Array:
        return frame.columns(key, data.baseline.accessibility, data.baseline.tf)

    inputs, target = _rows(frame, columns, 300_000, data.settings["seed"])
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 0, spread, 1)
    model = LogisticRegression(C=1.0, max_iter=300).fit((inputs - centre) / spread, target)
    return _each(frame, lambda key: model.predict_proba((columns(key)[frame.regions] - centre) / spread)[:, 1])


def _pooled_boosting(data: FittingData, frame: Frame) -> Array:
    def columns(key: int) -> Array:
        return np.concatenate([frame.columns(key, data.baseline.accessibility), frame.kin(key)], axis=1)

    inputs, target = _rows(frame, columns, data.baseline.rows, data.settings["seed"])
    model = HistGradientBoostingClassifier(
        max_iter=data.baseline.trees, learning_rate=0.08, l2_regularization=1.0, random_state=data.settings["seed"]
    )
    model.set_params(early_stopping=False).fit(inputs, target)
    return _each(frame, lambda key: model.predict_proba(columns(key)[frame.regions].astype(np.float32))[:, 1])


def _each(frame: Frame, values: Callable[[int], Array]) -> Array:
    return np.stack(list(_predicted(frame, values)))


def _predicted(frame: Frame, values: Callable[[int], Array]) -> Iterator[Array]:
    for key in frame.keys:
        yield values(key)


def _two_tower(data: FittingData, frame: Frame) -> Array:
    logits = fit_two_tower(frame, data.baseline.rank, data.baseline.steps, data.settings["seed"])
    return 1 / (1 + np.exp(-logits))


def _truth(data: FittingData, frame: Frame) -> Array:
    if frame.binding.truth is None:
        where = f"models.{data.settings['model_label']}"
        raise InputError("the truth is known of simulated data alone", where=where, fix="Leave it out.")
    return frame.binding.truth[np.ix_(frame.keys, frame.regions)]


FITS = {
    "nearest_training": of_keys(_lookup),
    "key_prevalence": same_for_all(_prevalence),
    "region_width": same_for_all(_width),
    "region_composition": same_for_all(_composition),
    "predicted_frequency": same_for_all(_frequency),
    "known_frequency": of_keys(_known_frequency),
    "known_tf_mean": _known_mean("tf"),
    "known_cell_mean": _known_mean("cell"),
    "known_tf_cell_mean": _known_mean("tf", "cell"),
    "best_motif": by_key(_best_motif),
    "motif_expression": by_key(_motif_expression),
    "cell_accessibility": by_key(_accessibility),
    "motif_accessibility": by_key(_motif_accessibility),
    "nearest_key": of_keys(_nearest_key),
    "pooled_logistic": of_keys(_pooled_logistic),
    "pooled_boosting": of_keys(_pooled_boosting),
    "two_tower": of_keys(_two_tower),
    "binding_truth": of_keys(_truth),
}
