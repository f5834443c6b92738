"""The scorer of the StatBiomed DNA-AI hackathon (task 2, Seq2CellxTF), fault for fault.

Its faults, all kept: keys and regions that were not uploaded are left out unpunished; `aurocs_cross_sample` is the mean
average precision of the columns (a perfect upload does not reach 1: a column without a positive counts 0); one key of one
class makes the AUROC NaN. `strict_binding` has none of them. The faults are those under scikit-learn 1.6 and later: under
1.5 the original stops on tasks a and b, for columns of one class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glmflow.binding.binding_matrix import BindingMatrix
from glmflow.binding.key_scores import column_average_precision, column_parts, f1, ranked_scores
from glmflow.binding.keys import require_once
from glmflow.errors import InputError

DIGITS = 5
STOPS = "The hackathon's scorer stops on this too."


def official_scores(truth: BindingMatrix, upload: BindingMatrix) -> dict[str, float]:
    """Return the six scores of an upload, rounded to five digits; it is ranked by `aurocs_cross_region`.

    Raises
    ------
    InputError
        The original stops: a key twice, a value that is no number, one shared key or none, no shared region.
    """
    truth, upload = (one._replace(regions=as_pandas_names(one.regions)) for one in (truth, upload))
    shared = set(truth.keys) & set(upload.keys)
    for matrix, where in ((truth, "truth"), (upload, "upload")):
        require_once([key for key in matrix.keys if key in shared], "key", where)
    known_keys, known_regions = set(upload.keys), set(upload.regions)
    keys = [key for key in truth.keys if key in known_keys]
    regions = [region for region in truth.regions if region in known_regions]
    if len(keys) < 2 or not regions:
        raise InputError(f"{len(keys)} shared keys and {len(regions)} shared regions", where="upload", fix=STOPS)
    labels, scores = truth.take(keys, regions) > 0, upload.take(keys, regions)
    if not np.isfinite(scores).all():
        count = int((~np.isfinite(scores)).sum())
        raise InputError(f"{count:,} values are not finite", where="upload", fix=STOPS)
    rows = [ranked_scores(bound, own) for bound, own in zip(labels, scores)]
    precision, overlap = _of_columns(labels, scores)
    found = {
        "aurocs_cross_region": np.mean([row["auroc"] for row in rows]),
        "auprcs_cross_region": np.mean([_average_precision(row) for row in rows]),
        "f1_cross_region": np.mean([f1(bound, own) for bound, own in zip(labels, scores)]),
        "aurocs_cross_sample": precision,
        "auprcs_cross_sample": precision,
        "f1_cross_sample": overlap,
    }
    return {name: float(np.round(value, DIGITS)) for name, value in found.items()}


def as_pandas_names(names: Sequence[str]) -> list[str]:
    """Return column names as `pandas.read_csv`, with which the original reads, has them: the second `7` is `7.1`."""
    times: Counter[str] = Counter()
    found = []
    for name in names:
        found.append(f"{name}.{times[name]}" if times[name] else name)
        times[name] += 1
    return found


def _average_precision(row: dict[str, float]) -> float:
    """Return the average precision as scikit-learn has it: that of one class is the prevalence, 0 or 1."""
    return row["auprc"] if np.isfinite(row["auprc"]) else row["prevalence"]


def _of_columns(labels: NDArray[np.bool_], scores: NDArray) -> tuple[float, float]:
    """Return the mean average precision and the mean F1 at .5 over all columns, those of one class too."""
    precision = overlap = 0.0
    for part in column_parts(labels.shape):
        bound, called = labels[:, part], scores[:, part] > 0.5
        precision += float(column_average_precision(bound, scores[:, part]).sum())
        total = bound.sum(axis=0) + called.sum(axis=0)
        overlap += float((2 * (bound & called).sum(axis=0) / np.maximum(total, 1)).sum())
    return precision / labels.shape[1], overlap / labels.shape[1]
