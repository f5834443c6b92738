"""The hackathon's tables: `partitions.csv` and what is uploaded."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from glmflow.errors import InputError
from glmflow.files import read_delimited

from .cells import TRAIN, VALIDATION
from .label_classes import scorer_spelling
from .official import PROMOTER_ACTIVITY, VALID_ROW

TARGETS = ("log_TPM", PROMOTER_ACTIVITY, "rpkm", "raw count", "log_count")


def read_csv(path: str | os.PathLike[str], columns: Sequence[str]) -> pd.DataFrame:
    """Read a comma-separated table that has to hold some columns; samples and genes are text, numbers exact.

    Raises
    ------
    InputError
        The file is missing, no table, or lacks a column.
    """
    try:
        table = read_delimited(path, ("sample", "gene"), ",", float_precision="round_trip", low_memory=False)
    except FileNotFoundError:
        raise InputError("no such file", where=path, fix="Check the path.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"not a CSV table ({error})", where=path) from None
    missing = [name for name in columns if name not in table]
    if missing:
        found = ", ".join(map(str, table.columns[:12]))
        raise InputError(f"no column {', '.join(map(repr, missing))}", where=path, fix=f"It has {found}.")
    return table


def read_partitions(path: str | os.PathLike[str], target: str | None = None) -> pd.DataFrame:
    """Read `partitions.csv`; `target` is a column it must hold as numbers."""
    columns = ["sample", "gene", "labels", *([target] if target else [])]
    table = read_csv(path, [*columns, *([VALID_ROW] if target == PROMOTER_ACTIVITY else [])])
    return _numbers(table, target, path) if target else table


def read_submission(path: str | os.PathLike[str], target: str | None = None) -> tuple[pd.DataFrame, str]:
    """Read an upload and return it with its target: the first of `TARGETS` among its columns where none is given."""
    table = read_csv(path, ["sample", "gene", *([target] if target else [])])
    target = target or next((name for name in TARGETS if name in table), None)
    if target is None:
        raise InputError("no column of predictions", where=path, fix=f"Name it {' or '.join(TARGETS[:2])}.")
    return _numbers(table, target, path), target


def _numbers(table: pd.DataFrame, column: str, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the table with a column as numbers."""
    try:
        return table.assign(**{column: pd.to_numeric(table[column]).astype(float)})
    except (ValueError, TypeError) as error:
        raise InputError(f"column {column!r} holds what is no number ({error})", where=path) from None


def partitions_of(examples: pd.DataFrame, target: str = "log_TPM") -> pd.DataFrame:
    """Return an examples table as the rows of `partitions.csv`: `sample`, `gene`, `labels`, `split` and the target.

    The layout knows no validation: these rows count as training rows.
    """
    return pd.DataFrame(
        {
            "sample": examples["sample"],
            "gene": examples["group"],
            "labels": examples["subset"].map(scorer_spelling),
            "split": examples["split"].replace({VALIDATION: TRAIN}),
            target: examples["target"],
        }
    )


def submission(predictions: pd.DataFrame, target: str = "log_TPM") -> pd.DataFrame:
    """Return predictions (`sample`, `group` or `gene`, `prediction`) as the hackathon takes them: `sample,gene,{target}`."""
    return predictions.rename(columns={"group": "gene", "prediction": target})[["sample", "gene", target]]
