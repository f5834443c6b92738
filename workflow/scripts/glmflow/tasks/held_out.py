"""Predictions of held-out examples, and the parts of them that are scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.tasks.tables import CLEAN, clean_part


def held_out_rows(examples: pd.DataFrame, predictions: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the held-out examples with `prediction_{name}` of each name.

    Raises
    ------
    InputError
        One of them has no finite prediction.
    """
    columns = [f"prediction_{name}" for name in names]
    held_out = examples[examples["split"] != "train"].reset_index(drop=True)
    rows = held_out.merge(predictions[["example", *columns]], on="example", how="left")
    finite = np.isfinite(rows[columns].to_numpy(float)).all(axis=1)
    if not finite.all():
        missing = rows.loc[~finite, "example"]
        raise InputError(
            f"{len(missing):,} held-out examples have no prediction, such as {missing.iloc[0]}", where="predictions"
        )
    return rows


def parts_of(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the rows of each split, and of each subset of it: split, subset, rows."""
    for split, part in rows.groupby("split", sort=True):
        yield str(split), "all", part
        if (clean := clean_part(part, "example")) is not None:
            yield str(split), CLEAN, clean
        if "subset" not in part:
            continue
        names = part["subset"].fillna("").astype(str).str.split(";")
        for name in sorted({one for own in names for one in own} - {""}):
            yield str(split), name, part[[name in own for own in names]]


def groups_of(part: pd.DataFrame) -> NDArray[np.object_]:
    """Return what is resampled together: the group of each row, or the row."""
    groups = part["group"].fillna(part["example"]).astype(str) if "group" in part else part["example"]
    return groups.to_numpy(object)
