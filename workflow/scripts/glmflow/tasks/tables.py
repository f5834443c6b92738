"""The tables that pass between tasks, models and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from numpy.typing import NDArray

from glmflow.statistics.bootstrap import Interval
from glmflow.statistics.stored import Stored


class Division(NamedTuple):
    """How the genome is divided.

    Attributes
    ----------
    splits
        The `splits` of the study; None where no task is cut from the genome.
    size
        The longest window of any task, in bp.
    contigs
        Contigs that are used; all where None.
    alternates
        Whether these are with copies of others: `leave_out` or `keep`.
    """

    splits: Mapping[str, Any] | None = None
    size: int = 0
    contigs: Sequence[str] | None = None
    alternates: str = "leave_out"


class Made(NamedTuple):
    """The examples of a task and what must be known about them.

    Attributes
    ----------
    table
        Examples table.
    counts
        `item`, `count`, `detail`: what was used and left out.
    checks
        `check`, `found`, `of`, `share`, `leak`, `detail`, `status`, `threshold`: what splits share (`Checks`).
    facts
        Further tables by file name.
    evidence
        What audits read beside the table (`glmflow.checks.examples_audit`); written nowhere.
    copies
        Held-out examples that are copies of training (`example`, `split`, `nearest_training`, `share`, `strand`,
        `relation`), where the kind compared them itself: they are not compared once more.
    """

    table: pd.DataFrame
    counts: pd.DataFrame
    checks: pd.DataFrame
    facts: Mapping[str, pd.DataFrame] = {}
    evidence: Mapping[str, Any] = {}
    copies: pd.DataFrame | None = None


class Scored(NamedTuple):
    """Metrics of a run, the tables behind them by file name, and what its units of independence add to its scores.

    Attributes
    ----------
    tables
        A table that others define the layout of is text, and written as it is.
    units
        By cell (`comparable.cell`), best known metric first: what runs are compared by.
    """

    metrics: pd.DataFrame
    tables: Mapping[str, pd.DataFrame | str] = {}
    units: Mapping[str, Stored] = {}


CHECK_COLUMNS = ["check", "found", "of", "share", "leak", "detail", "status", "threshold"]
PASS, WARN, FAIL = STATUSES = ("PASS", "WARN", "FAIL")


class Checks:
    """Checks of what held-out examples share with training ones; what is found is a leak unless said otherwise.

    `status` is PASS, WARN (has to be known) or FAIL (scores do not mean what they say); `threshold` is the largest number
    found that passes.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(
        self,
        check: str,
        found: int,
        of: int,
        detail: str = "",
        leak: bool | None = None,
        status: str | None = None,
        threshold: float = 0,
    ) -> None:
        """Add a check: how many were found, of how many; without a status a leak fails, and all else passes."""
        is_leak = found > 0 if leak is None else leak
        row = {
            "check": check,
            "found": found,
            "of": of,
            "share": found / of if of else 0.0,
            "leak": "yes" if is_leak else "no",
            "detail": detail,
            "status": status or (FAIL if is_leak else PASS),
            "threshold": threshold,
        }
        self.rows.append(row)

    def table(self) -> pd.DataFrame:
        """Return the checks as a table."""
        return pd.DataFrame(self.rows, columns=CHECK_COLUMNS)


CLEAN = "no_near_copy"
"""Column of examples that are held out and hold next to nothing of training sequences, and the subset that they are."""


def clean_part(rows: pd.DataFrame, unit: str | Sequence[str]) -> pd.DataFrame | None:
    """Return the held-out rows without copies; None where those are all rows, or of less than two units (columns)."""
    if CLEAN not in rows:
        return None
    clean = rows[rows[CLEAN]]
    few = len(clean.drop_duplicates(unit)) < 2
    return None if few or len(clean) == len(rows) else clean


def counts_table(counts: Mapping[str, int]) -> pd.DataFrame:
    """Return `item`, `count`, `detail` (empty)."""
    return pd.DataFrame([(item, count, "") for item, count in counts.items()], columns=["item", "count", "detail"])


EXAMPLE_COLUMNS = (
    "example",
    "split",
    "fold",
    "subset",
    "chrom",
    "start",
    "end",
    "strand",
    "sample",
    "haplotype",
    "ref",
    "alt",
    "group",
)
METRIC_COLUMNS = (
    "study",
    "task",
    "model",
    "adaptation",
    "seed",
    "split",
    "subset",
    "track",
    "context_bp",
    "metric",
    "protocol",
    "value",
    "ci_low",
    "ci_high",
    "n",
)


def examples_table(columns: pd.DataFrame) -> pd.DataFrame:
    """Return an examples table: the standard columns first (null where not given), then the others."""
    if columns["example"].duplicated().any():
        raise ValueError("examples need unique ids")
    missing = {name: None for name in EXAMPLE_COLUMNS if name not in columns}
    table = columns.assign(**missing)
    return table[[*EXAMPLE_COLUMNS, *(name for name in columns if name not in EXAMPLE_COLUMNS)]]


def window_means(windows: pd.DataFrame, means: NDArray, tracks: Sequence[str]) -> pd.DataFrame:
    """Return a predictions table: the mean predicted coverage of each window and track, `prediction_{track}`."""
    table = pd.DataFrame(means, columns=[f"prediction_{name}" for name in tracks])
    return pd.concat([windows[["example"]], table], axis=1)


def metric_row(metric: str, value: Interval | float, n: int | None = None, **keys: Any) -> dict[str, Any]:
    """Return one row of a metrics table from a value with or without an interval."""
    if isinstance(value, Interval):
        return {
            "metric": metric,
            "value": value.value,
            "ci_low": value.low,
            "ci_high": value.high,
            "n": value.n,
            **keys,
        }
    return {"metric": metric, "value": float(value), "ci_low": None, "ci_high": None, "n": n, **keys}


def run_keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a metrics table that name a run, from its resolved settings."""
    return {
        "study": settings["study"],
        "task": settings["task_label"],
        "model": settings["model_label"],
        "adaptation": settings["adaptation_label"],
        "seed": settings["seed"],
    }


def metrics_table(rows: Iterable[Mapping[str, Any]], **keys: Any) -> pd.DataFrame:
    """Return a metrics table from rows and what they have in common."""
    table = pd.DataFrame(list(rows)).assign(**keys)
    for name, default in {"subset": "all", "track": "all", "protocol": "strict", "context_bp": None}.items():
        if name not in table:
            table[name] = default
        elif default is not None:
            table[name] = table[name].fillna(default)
    return table[list(METRIC_COLUMNS)]
